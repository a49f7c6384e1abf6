"""Detectors by rule, and how they find their inputs: by name and DataType, not by mission.

A detector is a recipe of Events. What it needs is written in its signature; a place (the solar
wind, the surroundings of the Earth) has a tuple of detectors that make sense there, and every one
whose inputs a mission has is declared. What an optional input that is missing would have added is
said by the detector itself (`Without`), and shown by `sciqlop-pipe graph` and `search`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..model import Dataset, Recipe, product
from .diffusion import electron_diffusion_regions
from .exhausts import reconnection_exhausts
from .flows import bursty_bulk_flows, high_speed_streams, magnetopause_flows
from .jets import magnetosheath_jets, magnetosheath_jets_local
from .novelty import unusual_plasma
from .ropes import flux_ropes
from .sheets import current_sheets, discontinuities
from .shocks import interplanetary_shocks
from .slams import slams
from .tail import dipolarization_fronts, dipolarizations

ANYWHERE = (current_sheets, flux_ropes, reconnection_exhausts)
"""Detectors that make sense in any plasma; they want a field, or moments, of some seconds."""

SOLAR_WIND = (interplanetary_shocks, discontinuities, high_speed_streams, *ANYWHERE)
"""Detectors that make sense in the solar wind, far from planets."""

NEAR_EARTH = (
    magnetosheath_jets,
    magnetosheath_jets_local,
    magnetopause_flows,
    dipolarization_fronts,
    dipolarizations,
    bursty_bulk_flows,
    slams,
    electron_diffusion_regions,
    unusual_plasma,
    *ANYWHERE,
)
"""Detectors that make sense between the foreshock and the tail."""

GRANULES = {high_speed_streams.name: "month"}
"""Where a detector looks over a week, a day would be read fifteen times."""


def detector_products(
    name: str, detectors: Iterable[Recipe], *, params: Mapping[str, Any] | None = None,
    **datasets: str,
) -> tuple[Dataset, ...]:  # fmt: skip
    """Return the events NAME.DETECTOR of all detectors whose required inputs are among datasets.

    Parameters
    ----------
    name : str
        What they are called after.
    detectors : iterable of Recipe
        `SOLAR_WIND`, `NEAR_EARTH`, or some of one's own.
    params : mapping, optional
        Values of params, for the detectors that have them.
    **datasets : str
        Names of datasets by argument: `moments`, `b`, `upstream`, `spectrum`, `position`, `state`,
        `labels` ... Those that no detector takes are left alone, empty ones are absent.
    """
    have = {k: v for k, v in datasets.items() if v}
    made = []
    for recipe in detectors:
        takes = {i.name: have[i.name] for i in recipe.takes if i.name in have}
        if all(i.name in takes for i in recipe.takes if i.required):
            wanted = {p.name for p in recipe.params}
            values = {k: v for k, v in (params or {}).items() if k in wanted}
            given: dict[str, Any] = {**takes, **values, "granule": GRANULES.get(recipe.name, "1d")}
            made.append(product(f"{name}.{recipe.name}", recipe, **given))
    return tuple(made)


def solar_wind_events(
    name: str,
    *,
    moments: str = "",
    b: str = "",
    fast_moments: str = "",
    fast_b: str = "",
    lag: str = "1s",
) -> tuple[Dataset, ...]:
    """Return the events of a spacecraft in the solar wind, `NAME.interplanetary_shocks` and so on.

    Parameters
    ----------
    name : str
        What they are called after.
    moments : str
        Density, velocity, temperature of the ions, a record in 2 min or faster.
    b : str
        Magnetic field in the frame of the velocity, likewise.
    fast_moments : str
        Moments of 10 s or faster in the frame of the field, for exhausts.
    fast_b : str
        Magnetic field of 4 s or faster, for sheets, discontinuities, ropes.
    lag : str
        Of current sheets; at least the time between two records of `fast_b`.
    """
    turning = (discontinuities, current_sheets, flux_ropes)
    return (
        *detector_products(name, (interplanetary_shocks, high_speed_streams), moments=moments, b=b),
        *detector_products(name, turning, moments=moments, b=fast_b, params=_sheets(lag)),
        *detector_products(name, (reconnection_exhausts,), moments=fast_moments, b=fast_b or b),
    )


def near_earth_events(
    name: str,
    *,
    moments: str,
    state: str = "",
    labels: str = "",
    b: str = "",
    fast_b: str = "",
    b_gsm: str = "",
    fast_b_gsm: str = "",
    upstream: str = "",
    spectrum: str = "",
    position: str = "",
    lag: str = "1s",
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
    fast_b : str
        Magnetic field of 1 s or faster, for current sheets, ropes and SLAMS, in the frame of the
        moments for exhausts.
    b_gsm, fast_b_gsm : str
        Magnetic field in GSM for the tail: 12 s or faster, 4 Hz or faster.
    upstream : str
        Moments of the solar wind at the bow shock's nose (OMNI).
    spectrum : str
        Omnidirectional energy flux of the ions.
    position : str
        Where the spacecraft is.
    lag : str
        Of current sheets.
    """
    around: dict[str, Any] = {
        "moments": moments,
        "state": state,
        "labels": labels,
        "position": position,
    }
    plasma = (magnetosheath_jets, magnetosheath_jets_local, magnetopause_flows, bursty_bulk_flows,
              unusual_plasma)  # fmt: skip
    return (
        *detector_products(name, plasma, b=b, upstream=upstream, spectrum=spectrum, **around),
        *detector_products(name, (dipolarizations,), b=b_gsm, **around),
        *detector_products(name, (dipolarization_fronts,), b=fast_b_gsm, **around),
        *detector_products(name, (slams, *ANYWHERE), b=fast_b, params=_sheets(lag), **around),
    )


def _sheets(lag: str) -> Mapping[str, Any]:
    return {"lag": lag}
