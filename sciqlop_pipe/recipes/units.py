"""The three ways to state how many particles there are: f, DEF and DPF.

    J = v^2 f / m = 2 E f / m^2        differential particle flux (DPF), per unit energy
    J_E = E J = 2 E^2 f / m^2          differential energy flux (DEF)

E in joules, CODATA constants. These are the non-relativistic relations, by which instruments state
f, so that converting f of an archive gives back the flux that was measured, at any energy. The true
density in velocity space is f times `relativistic_factor`: 1.29 for electrons of 30 keV.

References: Paschmann, G. et al. (1998), in: Analysis Methods for Multi-Spacecraft Data, ISSI SR-001
chapter 5; CODATA 2022.
"""

from __future__ import annotations

import numpy as np

from ..constants import ELEMENTARY_CHARGE, SPEED_OF_LIGHT
from ..errors import UsageError, near

UNITS = {
    "f": "s^3 m^-6",
    "def": "eV cm^-2 s^-1 sr^-1 eV^-1",
    "dpf": "cm^-2 s^-1 sr^-1 eV^-1",
}
WORDS = {
    "f": "distribution function",
    "def": "differential energy flux",
    "dpf": "differential particle flux",
}


def per_f(quantity: str, energy: np.ndarray, mass: float) -> np.ndarray:
    """What f [s^3 m^-6] is multiplied with to become a quantity, of the shape of `energy`.

    Parameters
    ----------
    quantity : str
        "f", "def" [eV cm^-2 s^-1 sr^-1 eV^-1] or "dpf" [cm^-2 s^-1 sr^-1 eV^-1].
    energy : ndarray
        [eV], of the particle (not per charge).
    mass : float
        [kg].

    Raises
    ------
    UsageError
        For another quantity.
    """
    if quantity not in UNITS:
        raise UsageError(
            f"'{quantity}' is no quantity of a spectrum",
            "quantity",
            near(quantity, UNITS) or f"Take one of: {', '.join(UNITS)}",
        )
    energy = np.asarray(energy, np.float64)
    if quantity == "f":
        return np.ones_like(energy)
    joule = ELEMENTARY_CHARGE
    # Per m^2 to per cm^2; the eV of DEF cancel.
    dpf = 2e-4 * joule * joule * energy / mass**2
    return dpf * energy if quantity == "def" else dpf


def converted(
    values: np.ndarray, energy: np.ndarray, mass: float, source: str, target: str
) -> np.ndarray:
    """One quantity as another one, float64 of the shape that `values` and `energy` broadcast to.

    Parameters
    ----------
    values : ndarray (..., energy)
        In the unit of `source`, see `UNITS`.
    energy : ndarray
        [eV], of the particle.
    mass : float
        [kg].
    source, target : str
        "f", "def" or "dpf".
    """
    factor = per_f(target, energy, mass) / per_f(source, energy, mass)
    return np.asarray(values, np.float64) * factor


def relativistic_factor(energy: np.ndarray, mass: float) -> np.ndarray:
    """The density in velocity space over f of the non-relativistic relation, 2 g^5/(g + 1).

    With g = 1 + E/(m c^2): J = v^2 f_v dv/dE, dE/dv = m v g^3 and v^2 = (2E/m) (g + 1)/(2 g^2).

    Parameters
    ----------
    energy : ndarray
        [eV].
    mass : float
        [kg].

    References
    ----------
    Jackson, J. D. (1999), Classical Electrodynamics, chapter 11: E = (g - 1) m c^2.
    """
    g = 1 + ELEMENTARY_CHARGE * np.asarray(energy, np.float64) / (mass * SPEED_OF_LIGHT**2)
    return 2 * g**5 / (g + 1)
