"""Cluster Ion Spectrometry (CIS): the hot ion analyser HIA, its distributions and moments.

What the files mean is written in the README of this folder, with its sources.
"""

from __future__ import annotations

from sciqlop_pipe.datatypes import VDF, Moments, VectorSeries
from sciqlop_pipe.detect.products import ion_products
from sciqlop_pipe.model import Dataset, product, raw
from sciqlop_pipe.recipes.field_aligned import field_aligned
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import Remote, from_csa
from sciqlop_pipe.sources.series import MomentsAdapter, VectorAdapter
from sciqlop_pipe.sources.skymap import Angle, SkymapAdapter
from sciqlop_pipe.sources.species import PROTON
from sciqlop_pipe.sources.tags import Lasting
from sciqlop_pipe.sources.view import Seen
from sciqlop_pipe.standard.memory import of_distributions

from .names import StartTagged, patterns

HIA_PROBES = ("1", "3")
"""HIA of C2 never worked; that of C4 is off."""

GRANULE = "1d"


def distribution(probe: str) -> SkymapAdapter:
    """Return the adapter for the 3D distributions, high sensitivity side, magnetospheric modes."""
    name = f"{{}}__C{probe}_CP_CIS-HIA_HS_MAG_IONS_PSD".format
    return SkymapAdapter(
        f=name("3d_ions"),
        # CATDESC says "bin edges"; they are centres (README).
        phi=Angle(name("phi"), 11.25, ("phi_bin",)),
        theta=Angle(name("theta"), 11.25, ("theta_bin",)),
        energy=name("energy_table"),
        energy_half_widths=(name("delta_minus_energy_table"), name("delta_plus_energy_table")),
        species=PROTON,
        frame="ISR2",
        directions="flow",
        polar="latitude",
        energy_kind="energy_per_charge",
        declared="s3/km6",
        # Three spins, 12.064 s in 2001; other telemetry modes accumulate over other numbers.
        time_tag=Lasting(duration=name("duration")),
    )


def moments(probe: str) -> Seen:
    """Return the adapter for the moments computed on board, one spin each, in GSE."""
    name = f"{{}}__C{probe}_CP_CIS-HIA_ONBOARD_MOMENTS".format
    adapter = MomentsAdapter(
        density=name("density"),
        velocity=name("velocity_gse"),
        pressure=name("pressure_tensor"),
        temperature=name("temperature"),
        temperature_parallel=name("temp_par"),
        temperature_perpendicular=name("temp_perp"),
        species=PROTON,
        frame="GSE",
    )
    return Seen(adapter, restated=((name("density"), (("UNITS", "cm-3"),)),))


def _from_csa(probe: str) -> tuple[Remote, ...]:
    names = ("density", "velocity_gse", "pressure_tensor", "temperature", "temp_par", "temp_perp")
    return from_csa(*(f"{name}__C{probe}_CP_CIS-HIA_ONBOARD_MOMENTS" for name in names))


def velocity(probe: str, frame: str) -> VectorAdapter:
    """Return the adapter for the velocity computed on board, in ISR2 or GSE."""
    return VectorAdapter(
        variable=f"velocity_{frame}__C{probe}_CP_CIS-HIA_ONBOARD_MOMENTS",
        units="km s^-1",
        frame=frame.upper(),
        long_name=f"bulk velocity of the ions ({frame.upper()})",
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of CIS on one spacecraft, raw and made from it."""
    if probe not in HIA_PROBES:
        return ()
    base = f"cluster{probe}.cis.hia"
    stems = ("CIS-HIA_ONBOARD_MOMENTS", "CIS_HIA_ONBOARD_MOMENTS")
    files = patterns(probe, *stems)
    maps = patterns(probe, "CIS-HIA_HS_MAG_IONS_PSD", "CIS_HIA_HS_MAG_IONS_PSD")
    return (
        raw(
            f"{base}.hs_mag.vdf",
            VDF,
            StartTagged(maps, distribution(probe)),
            granule=GRANULE,
            memory=of_distributions(7200, 16 * 8 * 31),
            description="ions: velocity distribution, 16 x 8 directions x 31 energies",
        ),
        raw(
            f"{base}.moms",
            Moments,
            FileSource(files, moments(probe), remote=_from_csa(probe)),
            granule=GRANULE,
            description="ions: moments computed on board, GSE",
        ),
        *(
            raw(
                f"{base}.v_{frame}",
                VectorSeries,
                FileSource(
                    files, velocity(probe, frame), remote=from_csa(velocity(probe, frame).variable)
                ),
                granule=GRANULE,
                description=f"ions: velocity computed on board, {frame.upper()}",
            )
            for frame in ("isr2", "gse")
        ),
        # HIA takes 12.064 s in most modes, three spins; B in ISR2 is made from the archive's GSE.
        *ion_products(
            f"{base}.hs_mag.vdf",
            b=f"cluster{probe}.attitude.b_full_isr2",
            field=f"cluster{probe}.fgm.full.b_gse",
            accumulation="12064ms",
        ),
        product(
            f"{base}.moms_field_aligned",
            field_aligned,
            moments=f"{base}.moms",
            b=f"cluster{probe}.fgm.full.b_gse",
            accumulation="4s",
        ),
    )
