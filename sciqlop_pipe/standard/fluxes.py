"""What follows from intensities per pitch angle."""

from __future__ import annotations

from ..model import Dataset, product
from ..recipes.pitch_flux import omnidirectional_spectrum


def flux_products(flux: str) -> tuple[Dataset, ...]:
    """Return the products of an intensity per pitch angle, named after it.

    Parameters
    ----------
    flux : str
        Name of the dataset, `mission.instrument.species.pad_flux`.
    """
    base = flux.rpartition(".")[0]
    return (product(f"{base}.energy_spectrum", omnidirectional_spectrum, flux=flux),)
