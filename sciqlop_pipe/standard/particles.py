"""What follows from a distribution: moments, spectra, pitch angles, reduced distributions."""

from __future__ import annotations

from typing import Any

from ..model import Dataset, Recipe, product
from ..recipes.field_aligned import field_aligned
from ..recipes.moment_errors import moment_errors
from ..recipes.moments import moments
from ..recipes.pitch import pitch_angle_distribution
from ..recipes.reduced import reduced_1d, reduced_2d
from ..recipes.spectra import energy_spectrum


def particle_products(
    vdf: str,
    *,
    b: str = "",
    sc_pot: str = "",
    accumulation: str = "150ms",
    v_max: float = 2500.0,
    errors: bool = False,
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
        found.append(made("moment_errors", moment_errors, vdf=vdf))
    if b:
        field = {"b": b, "accumulation": accumulation}
        grid = {"vdf": vdf, "v_max": v_max, **field}
        found += [
            made("pitch_angles", pitch_angle_distribution, vdf=vdf, **field),
            made("field_aligned", field_aligned, moments=f"{base}.moments", **field),
            made("reduced_1d", reduced_1d, **grid),
            made("reduced_2d", reduced_2d, **grid),
        ]
    return tuple(found)
