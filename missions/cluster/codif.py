"""Cluster Ion Spectrometry (CIS): CODIF, H+, He+ and O+, distributions and moments.

What the files mean is written in the README of this folder, with its sources.
"""

from __future__ import annotations

from typing import Any

from sciqlop_pipe.datatypes import VDF, Moments
from sciqlop_pipe.detect.products import ion_products
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import MomentsAdapter
from sciqlop_pipe.sources.skymap import Angle, SkymapAdapter
from sciqlop_pipe.sources.species import HELIUM, OXYGEN, PROTON
from sciqlop_pipe.sources.tags import Lasting
from sciqlop_pipe.sources.view import Seen
from sciqlop_pipe.standard import particle_products
from sciqlop_pipe.standard.memory import of_distributions

from .names import StartTagged, patterns

PROBES = ("1", "3", "4")
"""CODIF of C2 never worked."""

# Ion: what the archive calls it, species, extent of the grids of velocity [km/s].
IONS = {"h1": ("H1", PROTON, 2800.0), "he1": ("He1", HELIUM, 1400.0), "o1": ("O1", OXYGEN, 700.0)}

# A density without UNITS of the archive's own.
_DENSITY = (("UNITS", "cm-3"),)


def distribution(probe: str, ion: str) -> SkymapAdapter:
    """Return the adapter for the 3D distributions of one ion, high sensitivity side."""
    word, species, _ = IONS[ion]
    name = f"{{}}__C{probe}_CP_CIS-CODIF_HS_{word}_PSD".format
    return SkymapAdapter(
        f=name("3d_ions"),
        phi=Angle(name("phi"), 11.25, ("phi_bin",)),
        theta=Angle(name("theta"), 11.25, ("theta_bin",)),
        energy=name("energy_table"),
        energy_half_widths=(name("delta_minus_energy_table"), name("delta_plus_energy_table")),
        species=species,
        frame="ISR2",
        directions="flow",
        polar="latitude",
        energy_kind="energy_per_charge",
        declared="s3/km6",
        time_tag=Lasting(duration=name("duration")),
    )


def moments(probe: str, ion: str) -> Seen:
    """Return the adapter for the team's moments of one ion, GSE."""
    word, species, _ = IONS[ion]
    name = f"{{}}__C{probe}_CP_CIS-CODIF_HS_{word}_MOMENTS".format
    adapter = MomentsAdapter(
        density=name("density"),
        velocity=name("velocity"),
        temperature=name("T"),
        species=species,
        frame="GSE",
    )
    return Seen(adapter, restated=((name("density"), _DENSITY), (name("T"), (("UNITS", "MK"),))))


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of CODIF on one spacecraft, raw and made from it."""
    return tuple(d for ion in IONS for d in _of_ion(probe, ion)) if probe in PROBES else ()


def _of_ion(probe: str, ion: str) -> tuple[Dataset, ...]:
    base, (word, species, fastest) = f"cluster{probe}.cis.codif.{ion}", IONS[ion]
    stems = [f"{cis}_HS_{word}_{{}}".format for cis in ("CIS-CODIF", "CIS_CODIF")]
    maps = patterns(probe, *(stem("PSD") for stem in stems))
    moms = patterns(probe, *(stem("MOMENTS") for stem in stems))
    # Of C4 there are no HIA velocities, so no spin axis: the archive's own field in ISR2.
    b = f"cluster{probe}.fgm.full.b_isr2" if probe == "4" else (
        f"cluster{probe}.attitude.b_full_isr2")  # fmt: skip
    about: dict[str, Any] = {"b": b, "accumulation": "12s", "v_max": fastest,
                             "instabilities": False}  # fmt: skip
    return (
        raw(f"{base}.hs.vdf", VDF, StartTagged(maps, distribution(probe, ion)), granule="1d",
            memory=of_distributions(7200, 16 * 8 * 31),
            description=f"{species.name}: velocity distribution, 16 x 8 directions x 31 energies"),
        raw(f"{base}.moms", Moments, FileSource(moms, moments(probe, ion)), granule="1d",
            description=f"{species.name}: moments of the CIS team, GSE"),
        *(ion_products(f"{base}.hs.vdf", field=f"cluster{probe}.fgm.full.b_gse", **about)
          if ion == "h1" else particle_products(f"{base}.hs.vdf", **about)),
    )  # fmt: skip
