"""MMS Hot Plasma Composition Analyzer (HPCA): H+, He++, He+, O+, distributions and moments.

What the files mean is written in the README of this folder, with its sources.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sciqlop_pipe.constants import ELEMENTARY_CHARGE
from sciqlop_pipe.datatypes import VDF, Moments, VectorSeries
from sciqlop_pipe.detect.products import ion_products
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.conventions import Deltas
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter, VectorAdapter
from sciqlop_pipe.sources.species import Species
from sciqlop_pipe.standard import particle_products

from .hpca_sweeps import IONS, HalfSpinAdapter

MODES = ("srvy", "brst")
GRANULE = {"srvy": "2h", "brst": "10min"}
FIELD = {"srvy": "srvy", "brst": "brst"}
POTENTIAL = {"srvy": "fast", "brst": "brst"}

_SPAN = {"srvy": "1d", "brst": "15min"}
_HALF_SPIN = "10s"
_HIGHEST = 40e3  # eV per charge


def moments(probe: str, ion: str) -> MomentsAdapter:
    """Return the adapter for the team's moments of one ion, in DBCS."""
    name = f"mms{probe}_hpca_{ion}_{{}}".format
    return MomentsAdapter(
        density=name("number_density"),
        velocity=name("ion_bulk_velocity"),
        temperature_tensor=name("temperature_tensor"),
        pressure=name("ion_pressure"),
        temperature_parallel=name("tparallel"),
        temperature_perpendicular=name("tperp"),
        species=IONS[ion],
        frame="DBCS",
        time_tag=Deltas(),
    )


def velocity(probe: str, ion: str) -> VectorAdapter:
    """Return the adapter for the team's velocity of one ion, in GSM."""
    return VectorAdapter(
        variable=f"mms{probe}_hpca_{ion}_ion_bulk_velocity_GSM",
        units="km s^-1",
        frame="GSM",
        long_name=f"bulk velocity of {IONS[ion].name} (GSM)",
        time_tag=Deltas(),
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of HPCA on one spacecraft, raw and made from it."""
    return tuple(d for ion in IONS for mode in MODES for d in _ion_in_mode(probe, ion, mode))


def _ion_in_mode(probe: str, ion: str, mode: str) -> tuple[Dataset, ...]:
    base, granule, species = f"mms{probe}.hpca.{ion}.{mode}", GRANULE[mode], IONS[ion]

    def files(kind: str, adapter: object) -> FileSource:
        pattern = f"mms{probe}_hpca_{mode}_l2_{kind}_{{start:%Y%m%d%H%M%S}}_v{{version}}.cdf"
        remote = on_cdaweb(f"MMS{probe}_HPCA_{mode}_L2_{kind}".upper())
        return FileSource(pattern, adapter, span=_SPAN[mode], pad="1min",  # type: ignore[arg-type]
                          remote=remote)  # fmt: skip

    return (
        raw(f"{base}.vdf", VDF, files("ion", HalfSpinAdapter(f"mms{probe}_hpca", ion)),
            granule=granule,
            description=f"{species.name}: velocity distribution, 16 x 16 directions x 63 energies"),
        raw(f"{base}.moms", Moments, files("moments", moments(probe, ion)), granule=granule,
            description=f"{species.name}: moments of the HPCA team, DBCS"),
        raw(f"{base}.v_gsm", VectorSeries, files("moments", velocity(probe, ion)), granule=granule,
            description=f"{species.name}: velocity of the HPCA team, GSM"),
        *_made(probe, ion, mode),
    )  # fmt: skip


def _made(probe: str, ion: str, mode: str) -> tuple[Dataset, ...]:
    """Return what follows from the distributions of one ion; of protons also regions and events."""
    vdf, field = f"mms{probe}.hpca.{ion}.{mode}.vdf", f"mms{probe}.fgm.{FIELD[mode]}"
    about: dict[str, Any] = {
        "b": f"{field}.b_dmpa", "sc_pot": f"mms{probe}.edp.{POTENTIAL[mode]}.sc_pot",
        "accumulation": _HALF_SPIN, "v_max": _fastest(IONS[ion]), "instabilities": False,
    }  # fmt: skip
    if ion != "hplus":
        return particle_products(vdf, **about)
    return ion_products(vdf, field=f"{field}.b_gse", **about)


def _fastest(species: Species) -> float:
    """Return the speed [km/s] at the highest energy of the instrument, to 50 km/s."""
    joule = _HIGHEST * species.charge * ELEMENTARY_CHARGE
    return 50.0 * round(float(np.sqrt(2 * joule / species.mass)) / 50e3)
