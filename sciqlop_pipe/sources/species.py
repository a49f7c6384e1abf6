"""Particle species: what a distribution must say about its particles."""

from __future__ import annotations

from dataclasses import dataclass

from ..constants import ALPHA_MASS, ATOMIC_MASS, ELECTRON_MASS, PROTON_MASS


@dataclass(frozen=True, slots=True)
class Species:
    """A kind of particle: its name, mass [kg] and charge [e]."""

    name: str
    mass: float
    charge: float


PROTON = Species("H+", PROTON_MASS, 1.0)
ELECTRON = Species("e-", ELECTRON_MASS, -1.0)
ALPHA = Species("He++", ALPHA_MASS, 2.0)
HELIUM = Species("He+", ALPHA_MASS + ELECTRON_MASS, 1.0)
# Atomic weight of 16-O (AME 2020) less one electron.
OXYGEN = Species("O+", 15.994914619 * ATOMIC_MASS - ELECTRON_MASS, 1.0)
