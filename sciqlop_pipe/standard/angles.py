"""What follows from a distribution over angles, along the field and in other frames."""

from __future__ import annotations

from typing import Any

from ..model import Dataset, Recipe, product
from ..recipes.angle_spectra import (
    angle_spectrum,
    particle_spectrum,
    pitch_angle_cuts,
    pitch_angle_spectrum,
)
from ..recipes.angles import azimuthal_distribution, gyrophase_distribution, polar_distribution
from ..recipes.bulk_frame import (
    bulk_frame_pitch_angles,
    bulk_frame_spectrum,
    moved_to_bulk,
    rebinned_to_field,
)
from ..recipes.energy_grids import common_energies, interleaved
from ..recipes.rotations import rotate_distribution, rotate_moments


def angle_products(vdf: str, *, b: str = "", accumulation: str = "150ms") -> tuple[Dataset, ...]:
    """Return spectra over angles, cuts and distributions in the plasma frame, named after `vdf`.

    Parameters
    ----------
    vdf : str
        Name of the distribution, `mission.instrument.mode.vdf`; its `.moments`,
        `.energy_spectrum` and, with b, `.pitch_angles` are datasets too.
    b : str
        Magnetic field in the frame of the distribution; what needs it is left out without.
    accumulation : str
        How long a distribution takes.
    """
    base = vdf.rpartition(".")[0]

    def made(name: str, recipe: Recipe, **bindings: Any) -> Dataset:
        return product(f"{base}.{name}", recipe, **bindings)

    moments, field = f"{base}.moments", {"b": b, "accumulation": accumulation}
    found = [
        *(
            made(f"energy_spectrum_{q}", particle_spectrum, spectrum=f"{base}.energy_spectrum",
                 quantity=q)
            for q in ("dpf", "f")
        ),
        made("theta_distribution", polar_distribution, vdf=vdf),
        made("theta_spectrum", angle_spectrum, distribution=f"{base}.theta_distribution"),
        made("phi_distribution", azimuthal_distribution, vdf=vdf),
        made("phi_spectrum", angle_spectrum, distribution=f"{base}.phi_distribution"),
        made("bulk_frame_spectrum", bulk_frame_spectrum, vdf=vdf, moments=moments),
        made("vdf_bulk_frame", moved_to_bulk, vdf=vdf, moments=moments, transient=True),
    ]  # fmt: skip
    if b:
        found += [
            made("gyrophase_distribution", gyrophase_distribution, vdf=vdf, moments=moments,
                 **field),
            made("gyrophase_spectrum", angle_spectrum,
                 distribution=f"{base}.gyrophase_distribution"),
            made("pitch_angle_spectrum", pitch_angle_spectrum,
                 pitch_angles=f"{base}.pitch_angles"),
            made("pitch_angle_cuts", pitch_angle_cuts, pitch_angles=f"{base}.pitch_angles"),
            made("pitch_angles_bulk_frame", bulk_frame_pitch_angles, vdf=vdf, moments=moments,
                 **field),
            made("vdf_field_aligned", rebinned_to_field, vdf=vdf, moments=moments,
                 rest="instrument", transient=True, **field),
            made("vdf_field_aligned_bulk", rebinned_to_field, vdf=vdf, moments=moments,
                 transient=True, **field),
        ]  # fmt: skip
    return tuple(found)


def rotated_products(
    vdf: str, *, attitude: str, frame: str = "gse", reach: str = "60s"
) -> tuple[Dataset, ...]:
    """Return a distribution and its moments in another frame, `.vdf_gse` and `.moments_gse`.

    Parameters
    ----------
    vdf : str
        Name of the distribution; its `.moments` is a dataset too.
    attitude : str
        The Attitude between the frame of the distribution and the other one.
    frame : str
        Name of the other frame, as it ends the names of the datasets.
    reach : str
        How far away a sample of the attitude may be.
    """
    base = vdf.rpartition(".")[0]
    return (
        product(f"{base}.vdf_{frame}", rotate_distribution, vdf=vdf, attitude=attitude,
                reach=reach, transient=True),
        product(f"{base}.moments_{frame}", rotate_moments, moments=f"{base}.moments",
                attitude=attitude, reach=reach),
    )  # fmt: skip


def energy_products(
    vdf: str, *, energy_min: float = 10.0, energy_max: float = 30000.0
) -> tuple[Dataset, ...]:
    """Return a distribution whose tables alternate on one, `.vdf_common_energies`, `.vdf_e64`.

    Parameters
    ----------
    vdf : str
        Name of the distribution; its directions do not depend on energy.
    energy_min, energy_max : float
        Edges of the common table [eV].
    """
    base = vdf.rpartition(".")[0]
    return (
        product(f"{base}.vdf_common_energies", common_energies, vdf=vdf, energy_min=energy_min,
                energy_max=energy_max, transient=True),
        product(f"{base}.vdf_e64", interleaved, vdf=vdf, transient=True),
    )  # fmt: skip
