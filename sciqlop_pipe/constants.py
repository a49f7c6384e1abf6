"""Physical constants, CODATA 2022, SI. No dependency: kernels, recipes and missions share them."""

from __future__ import annotations

ELEMENTARY_CHARGE = 1.602176634e-19
"""Charge of a proton [C]; also one electronvolt in joules."""

SPEED_OF_LIGHT = 299_792_458.0
"""Speed of light in vacuum [m s^-1]."""

PROTON_MASS = 1.67262192595e-27
"""[kg]."""

ELECTRON_MASS = 9.1093837139e-31
"""[kg]."""

ALPHA_MASS = 6.6446573450e-27
"""Mass of the helium nucleus [kg]."""

ATOMIC_MASS = 1.66053906892e-27
"""Unified atomic mass unit [kg]."""

BOLTZMANN = 1.380649e-23
"""[J K^-1]."""

VACUUM_PERMEABILITY = 1.25663706127e-6
"""[N A^-2]."""

VACUUM_PERMITTIVITY = 8.8541878188e-12
"""[F m^-1]."""

EARTH_RADIUS = 6371.2
"""Mean radius of the Earth as magnetospheric work uses it [km]."""
