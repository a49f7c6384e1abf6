"""Detectors by rule, and how they find their inputs: by name and DataType, not by mission.

A detector is a recipe of Events. What it needs is written in its signature; a place (the solar
wind, the surroundings of the Earth) has a tuple of detectors that make sense there, and every one
whose inputs a mission has is declared. What an optional input that is missing would have added is
said by the detector itself (`Without`), and shown by `sciqlop-pipe graph` and `search`.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..model import Dataset, Recipe, product
from .jets import magnetosheath_jets, magnetosheath_jets_local
from .shocks import interplanetary_shocks

SOLAR_WIND = (interplanetary_shocks,)
"""Detectors that make sense in the solar wind, far from planets."""

NEAR_EARTH = (magnetosheath_jets, magnetosheath_jets_local)
"""Detectors that make sense between the bow shock and the tail."""

GRANULE = "1d"


def detector_products(
    name: str, detectors: Iterable[Recipe], *, granule: str = GRANULE, **datasets: str
) -> tuple[Dataset, ...]:
    """Return the events NAME.DETECTOR of all detectors whose required inputs are among datasets.

    Parameters
    ----------
    name : str
        What they are called after.
    detectors : iterable of Recipe
        `SOLAR_WIND`, `NEAR_EARTH`, or some of one's own.
    granule : str
        Length of the pieces.
    **datasets : str
        Names of datasets by argument: `moments`, `b`, `upstream`, `spectrum`, `position`, `state`,
        `labels` ... Those that no detector takes are left alone, empty ones are absent.
    """
    have = {k: v for k, v in datasets.items() if v}
    made = []
    for recipe in detectors:
        takes = {i.name: have[i.name] for i in recipe.takes if i.name in have}
        if all(i.name in takes for i in recipe.takes if i.required):
            made.append(product(f"{name}.{recipe.name}", recipe, granule=granule, **takes))
    return tuple(made)


def solar_wind_events(name: str, *, moments: str = "", b: str = "") -> tuple[Dataset, ...]:
    """Return the events of a spacecraft in the solar wind, `NAME.interplanetary_shocks` and so on.

    Parameters
    ----------
    name : str
        What they are called after.
    moments : str
        Density, velocity, temperature of the ions.
    b : str
        Magnetic field, in the frame of the velocity.
    """
    return detector_products(name, SOLAR_WIND, moments=moments, b=b)


def near_earth_events(
    name: str,
    *,
    moments: str,
    state: str = "",
    labels: str = "",
    b: str = "",
    upstream: str = "",
    spectrum: str = "",
    position: str = "",
) -> tuple[Dataset, ...]:
    """Return the events of a spacecraft near the Earth, `NAME.magnetosheath_jets` and so on.

    Parameters
    ----------
    name : str
        What they are called after.
    moments : str
        Density, velocity, temperature of the ions.
    state, labels : str
        Plasma state and region labels, as `boundary_products` calls them.
    b : str
        Magnetic field.
    upstream : str
        Moments of the solar wind at the bow shock's nose (OMNI).
    spectrum : str
        Omnidirectional energy flux of the ions.
    position : str
        Where the spacecraft is.
    """
    return detector_products(
        name,
        NEAR_EARTH,
        moments=moments,
        state=state,
        labels=labels,
        b=b,
        upstream=upstream,
        spectrum=spectrum,
        position=position,
    )
