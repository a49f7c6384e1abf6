"""What follows from a DataType for every mission, without naming it one by one."""

from __future__ import annotations

from .angles import energy_products, rotated_products
from .fields import (
    drift_products,
    field_products,
    heliospheric_products,
    plasma_products,
    position_products,
    tetrahedron_products,
)
from .fluxes import flux_products
from .overviews import LEVELS, is_overview, with_standard_products
from .particles import particle_products
from .waves import wave_products

__all__ = [
    "LEVELS",
    "drift_products",
    "energy_products",
    "field_products",
    "flux_products",
    "heliospheric_products",
    "is_overview",
    "particle_products",
    "plasma_products",
    "position_products",
    "rotated_products",
    "tetrahedron_products",
    "wave_products",
    "with_standard_products",
]
