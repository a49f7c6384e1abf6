"""What follows from a DataType for every mission, without naming it one by one."""

from __future__ import annotations

from .overviews import LEVELS, is_overview, with_standard_products
from .particles import particle_products

__all__ = ["LEVELS", "is_overview", "particle_products", "with_standard_products"]
