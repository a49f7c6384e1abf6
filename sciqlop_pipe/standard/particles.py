"""What follows from a distribution: moments, spectra, pitch angles, reduced distributions."""

from __future__ import annotations

from typing import Any

from ..model import Dataset, Recipe, product
from ..recipes.cartesian import cartesian
from ..recipes.energy_flux import energy_flux
from ..recipes.field_aligned import field_aligned
from ..recipes.fits import bi_kappa_fit, bi_maxwellian_fit
from ..recipes.instabilities import instability_thresholds
from ..recipes.moment_errors import moment_correlations, moment_errors
from ..recipes.moments import moments
from ..recipes.non_maxwellianity import non_maxwellianity
from ..recipes.partial_moments import partial_moments
from ..recipes.pitch import pitch_angle_distribution
from ..recipes.reduced import reduced_1d, reduced_2d
from ..recipes.slices import slices
from ..recipes.spectra import energy_spectrum
from .angles import angle_products

CONES = (("parallel", 0.0, 45.0), ("perpendicular", 45.0, 135.0), ("antiparallel", 135.0, 180.0))
"""Cones of pitch angle [deg] whose moments are products; they share out the sphere."""


def particle_products(
    vdf: str,
    *,
    b: str = "",
    sc_pot: str = "",
    accumulation: str = "150ms",
    v_max: float = 2500.0,
    errors: bool = False,
    instabilities: bool = True,
) -> tuple[Dataset, ...]:
    """Return the products of one distribution, named after it; a mission calls this once per VDF.

    Parameters
    ----------
    vdf : str
        Name of the distribution, `mission.instrument.mode.vdf`.
    b : str
        Magnetic field in the frame of the distribution; what needs it is left out without.
    sc_pot : str
        Potential of the spacecraft [V], where the mission has it.
    accumulation : str
        How long a distribution takes.
    v_max : float
        Extent of the grids of velocity [km/s].
    errors : bool
        The distribution comes with errors or counts.
    instabilities : bool
        Protons or electrons: there are thresholds of anisotropy instabilities for them.
    """
    base = vdf.rpartition(".")[0]
    potential = {"sc_pot": sc_pot} if sc_pot else {}

    def made(name: str, recipe: Recipe, **bindings: Any) -> Dataset:
        return product(f"{base}.{name}", recipe, **bindings)

    found = [
        made("moments", moments, vdf=vdf, **potential),
        made("energy_spectrum", energy_spectrum, vdf=vdf),
    ]
    if errors:
        counted = {"vdf": vdf, **potential}
        found.append(made("moment_errors", moment_errors, **counted))
        found.append(made("moment_correlations", moment_correlations, **counted))
    if b:
        field = {"b": b, "accumulation": accumulation}
        grid = {"vdf": vdf, "v_max": v_max, **field}
        found += [
            made("pitch_angles", pitch_angle_distribution, vdf=vdf, **field),
            *(
                made(
                    f"moments_{name}",
                    partial_moments,
                    vdf=vdf,
                    angle_min=low,
                    angle_max=high,
                    **field,
                    **potential,
                )
                for name, low, high in CONES
            ),
            made("field_aligned", field_aligned, moments=f"{base}.moments", **field),
            made("bi_maxwellian", bi_maxwellian_fit, vdf=vdf, **field, **potential),
            made("bi_kappa", bi_kappa_fit, vdf=vdf, **field, **potential),
            made("non_maxwellianity", non_maxwellianity, vdf=vdf, **field, **potential),
            made("energy_flux", energy_flux, moments=f"{base}.moments", **field),
            made("reduced_1d", reduced_1d, **grid),
            # 100 cells would make planes larger than the distribution itself (120 kB to 64 of FPI).
            made("reduced_2d", reduced_2d, bins=60, **grid),
            made("slices", slices, bins=60, transient=True, **grid),
            made("cartesian", cartesian, transient=True, **grid),
        ]
    found += angle_products(vdf, b=b, accumulation=accumulation)
    if b and instabilities:
        found.append(made("instabilities", instability_thresholds,
                          field_aligned=f"{base}.field_aligned", **field))  # fmt: skip
    return tuple(found)
