"""Interplanetary coronal mass ejections (their magnetic obstacles) in hourly solar wind."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from ..catalog import event_id
from ..datatypes import Events, Moments, ScalarSeries, VectorSeries
from ..granule import Interval
from ..model import Margin, recipe
from ..store.records import Event
from .hourly import Hours, hours
from .icme_model import KIND, Found, IcmeModel


@recipe(gives=Events, version=1, gaps_ok=True)
def icmes(
    plasma: Annotated[Moments, Margin("92d")],
    b: Annotated[VectorSeries, Margin("92d")],
    strength: Annotated[ScalarSeries | None, Margin("92d")] = None,
    spread: Annotated[ScalarSeries | None, Margin("92d")] = None,
    alpha: Annotated[ScalarSeries | None, Margin("92d")] = None,
    *,
    dataset: str,
    interval: Interval,
    model: IcmeModel,
) -> tuple[Event, ...]:
    """Magnetic obstacles of ICMEs that begin in the interval, in time order.

    A regression gives each hour a probability, a forest gives intervals the overlap that they would
    have with a true event, the best that do not overlap are taken (`obstacles`). Sheaths are no
    part of them. Attributes:

    - `probability`: that it overlaps an event of the lists the model learned from, calibrated;
    - `overlap`: expected intersection over union with that event;
    - `start_uncertainty`, `stop_uncertainty` [h]: how long the probability of the hours takes from
      0.2 to 0.8;
    - `magnetic_field` [nT], `density` [cm^-3], `speed` [km/s], `temperature` [eV]: medians;
      `..._before`, of the 12 h before, and `..._jump`, the difference;
    - `gap_fraction`: part of the hours without field or plasma;
    - `extrapolated`: whether its median hour is farther from the training set than 95 % of what
      that has; `distance`, in that unit; `model`: hash of the model.

    Parameters
    ----------
    plasma : Moments
        density [cm^-3], velocity [km/s], temperature [eV], hourly.
    b : VectorSeries
        Magnetic field [nT], hourly means, GSE.
    strength, spread, alpha : ScalarSeries, optional
        Mean |B| [nT], spread of B within the hour [nT], alphas over protons [1].
    dataset : str
        Name of the dataset of events; enters their ids.
    interval : Interval
        Events that start inside are returned.
    model : IcmeModel
        Trained.

    Raises
    ------
    DataTypeError
        When the series are not hourly.
    """
    series = hours(plasma, b, strength, spread, alpha)
    absent = [
        name for name, ds in (("strength", strength), ("spread", spread), ("alpha", alpha))
        if ds is None
    ]  # fmt: skip
    return tuple(
        event(series, found, dataset, model.content, absent)
        for found in model.find(series)
        if interval.start <= found.start < interval.stop
    )


def event(
    series: Hours, found: Found, dataset: str, content: str, absent: list[str] | None = None
) -> Event:
    """Return an event with what describes it.

    Parameters
    ----------
    series : Hours
        Where it was found.
    found : Found
        What the model gave.
    dataset : str
        Name of the dataset of events.
    content : str
        Hash of the model.
    absent : list of str, optional
        Inputs that were not there.
    """
    inside, before = slice(found.first, found.last), slice(max(found.first - 12, 0), found.first)
    numbers: list[tuple[str, Any]] = []
    columns = (
        ("magnetic_field", series.strength),
        ("density", series.density),
        ("speed", np.sqrt((series.velocity**2).sum(axis=1))),
        ("temperature", series.temperature),
    )
    for name, column in columns:
        now, then = _median(column[inside]), _median(column[before])
        jump = None if now is None or then is None else round(now - then, 4)
        numbers += [(name, now), (f"{name}_before", then), (f"{name}_jump", jump)]
    dark = ~(np.isfinite(series.strength[inside]) & np.isfinite(columns[2][1][inside]))
    distance = round(found.distance, 3) if np.isfinite(found.distance) else None
    attributes = (
        ("probability", round(found.probability, 4)),
        ("overlap", round(found.overlap, 4)),
        ("start_uncertainty", found.start_uncertainty),
        ("stop_uncertainty", found.stop_uncertainty),
        *numbers,
        ("gap_fraction", round(float(dark.mean()), 4)),
        ("extrapolated", bool(found.distance > 1)),
        ("distance", distance),
        ("absent", ", ".join(absent or [])),
        ("model", content),
    )
    name = event_id(dataset, KIND, found.start, found.stop, content)
    return Event(name, KIND, found.start, found.stop, attributes)


def _median(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(np.median(known)), 4) if known.size else None
