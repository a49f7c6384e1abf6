"""What follows from the ions near the Earth: plasma state, regions, boundaries, events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import Dataset, product
from ..recipes.plasma_state import plasma_state
from ..standard.particles import particle_products
from .crossings import boundary_crossings
from .detectors import near_earth_events, solar_wind_events
from .regions import region_labels

BURST: Mapping[str, Any] = {"cadence_s": 1, "dwell": "10s"}
"""What bursts of a minute or two want of `boundary_products`."""


def ion_products(
    vdf: str,
    *,
    b: str = "",
    field: str = "",
    upstream: str = "",
    position: str = "",
    cadence_s: int = 4,
    dwell: str = "90s",
    **how: Any,
) -> tuple[Dataset, ...]:
    """Return everything that follows from a distribution of ions near the Earth, named after it.

    These are `particle_products` and, of its moments, `boundary_products` and the events of
    `near_earth_events`. In the solar wind far from the Earth call `solar_wind_products`, for
    electrons and heavy ions `particle_products` alone.

    Parameters
    ----------
    vdf : str
        Name of the distribution, `mission.instrument.mode.vdf`.
    b : str
        Magnetic field in the frame of the distribution.
    field : str
        Magnetic field for the boundaries, in a frame whose axes mean something outside of the
        spacecraft (GSE); `b` when empty.
    upstream, position : str
        As `near_earth_events` takes them.
    cadence_s, dwell
        As `boundary_products` takes them.
    **how
        As `particle_products` takes it.
    """
    base = vdf.rpartition(".")[0]
    return (
        *particle_products(vdf, b=b, **how),
        *boundary_products(
            base, moments=f"{base}.moments", b=field or b, cadence_s=cadence_s, dwell=dwell
        ),
        *near_earth_events(
            base,
            moments=f"{base}.moments",
            state=f"{base}.plasma_state",
            labels=f"{base}.region_labels",
            b=field or b,
            upstream=upstream,
            spectrum=f"{base}.energy_spectrum",
            position=position,
        ),
    )


def solar_wind_products(
    vdf: str, *, b: str, cadence_s: int = 4, lag: str = "1s", **how: Any
) -> tuple[Dataset, ...]:
    """Return everything that follows from a distribution of solar wind ions, named after it.

    These are `particle_products` and, of its moments, the plasma state and the events of
    `solar_wind_events`.

    Parameters
    ----------
    vdf : str
        Name of the distribution, `mission.instrument.mode.vdf`.
    b : str
        Magnetic field in the frame of the distribution.
    cadence_s : int
        Of `plasma_state`.
    lag : str
        As `solar_wind_events` takes it.
    **how
        As `particle_products` takes it.
    """
    base = vdf.rpartition(".")[0]
    ions = f"{base}.moments"
    state = product(f"{base}.plasma_state", plasma_state, moments=ions, b=b, cadence_s=cadence_s)
    return (
        *particle_products(vdf, b=b, **how),
        state,
        *solar_wind_events(base, moments=ions, b=b, fast_moments=ions, fast_b=b, lag=lag),
    )


def boundary_products(
    name: str, *, moments: str, b: str = "", cadence_s: int = 4, dwell: str = "90s"
) -> tuple[Dataset, ...]:
    """Return plasma state, region labels and boundary crossings, named NAME.plasma_state and so on.

    Parameters
    ----------
    name : str
        What they are called after.
    moments : str
        Moments of the ions: n, V, T.
    b : str
        Magnetic field, where the mission has it; days without do without.
    cadence_s, dwell
        Of `plasma_state` and `boundary_crossings`: where a region is seen for seconds only, a
        crossing needs the values of `BURST`.
    """
    state, labels = f"{name}.plasma_state", f"{name}.region_labels"
    field: dict[str, Any] = {"b": b} if b else {}
    return (
        product(state, plasma_state, moments=moments, cadence_s=cadence_s, **field),
        product(labels, region_labels, state=state, model="regions"),
        product(
            f"{name}.boundary_crossings",
            boundary_crossings,
            labels=labels,
            state=state,
            granule="1d",
            dwell=dwell,
            **field,
        ),
    )
