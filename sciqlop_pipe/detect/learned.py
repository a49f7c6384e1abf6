"""Events of any kind that a list has taught, by the door of the rules."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import xarray as xr

from ..datatypes import Events, Moments, VectorSeries
from ..errors import UsageError
from ..granule import SECOND, Interval, duration
from ..model import Dataset, Margin, Without, product, recipe
from ..store.records import Event
from . import binned
from .describing import Detection, events, inside, short, sides
from .event_model import EventModel, Found
from .model_files import ModelError
from .series import field_of, gap_fraction, ions_of

_NO_PLASMA = Without("judged by the field alone, if the model has learned to")
_NO_FIELD = Without("judged by the plasma alone, if the model has learned to")
_SLOWER = 1.5  # bins may be this much shorter than the spacing of the records
_MANY_GAPS = 0.2
_STUCK = 20


@recipe(gives=Events, version=1, gaps_ok=True)
def learned_events(
    moments: Annotated[Moments | None, Margin("reach"), _NO_PLASMA] = None,
    b: Annotated[VectorSeries | None, Margin("reach"), _NO_FIELD] = None,
    *,
    dataset: str,
    interval: Interval,
    model: EventModel,
    reach: str = "1h",
) -> tuple[Event, ...]:
    """Events like those of a list that a model was trained on, that begin in the interval.

    Moments and field are averaged in bins; a regression gives each bin a probability from levels,
    contrasts with the surroundings, restlessness and turns of vectors (`binned`); stretches above a
    threshold are events. Attributes:

    - `probability`: that it is one of those that were listed, calibrated on groups left out;
    - `score`: mean probability of its bins; `time`: of the bin where that is highest;
    - `start_uncertainty`, `stop_uncertainty` [s]; `uncertainty` is the longer one;
    - density, speed, temperature, magnetic_field: medians during it, before, after (half its length
      each), and jump;
    - `distance` of its median bin from the training set, `extrapolated` where that is above 1;
    - `gap_fraction`; `flags`: near_gap, extrapolated, constant (an input did not change for a
      while, and was not used there); `absent`; `detector`; `model`: its hash.

    Parameters
    ----------
    moments : Moments, optional
        density [cm^-3], velocity [km/s], temperature [eV].
    b : VectorSeries, optional
        Magnetic field [nT].
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    model : EventModel
        Trained by `sciqlop-pipe train DATASET --labels ...`.
    reach : str
        How far beyond a granule the inputs are read; the model says how far it must be.

    Raises
    ------
    ModelError
        When the model is of another sort, or was trained on inputs that are not bound.
    UsageError
        When `reach` is too short, or the data are slower than the model's bins.
    """
    if not isinstance(model, EventModel):
        raise ModelError("the model is none of events that were learned from a list", dataset,
                         "Promote one that 'sciqlop-pipe train' made from a list")  # fmt: skip
    if duration(reach) < model.cutting.reach:
        raise UsageError(
            f"reach='{reach}', the model looks {model.cutting.reach / SECOND:g} s far", dataset,
            "Declare the dataset with a longer reach",
        )  # fmt: skip
    usable, constant = without_constants({"moments": moments, "b": b})
    series = series_for(model, usable["moments"], usable["b"], dataset)
    ions = None if moments is None else ions_of(moments)
    field = None if b is None else field_of(b)
    absent = tuple(k for k, v in usable.items() if v is None)

    def described(f: Found) -> Detection:
        span = Interval(f.start, f.stop)
        half = (f.stop - f.start) // 2
        time = series.time[np.isfinite(series.speed) | np.isfinite(series.strength)]
        gaps = gap_fraction(time, Interval(span.start - half, span.stop + half))
        far = bool(f.distance > 1)
        numbers: tuple[tuple[str, Any], ...] = (
            ("start_uncertainty", f.start_uncertainty / SECOND),
            ("stop_uncertainty", f.stop_uncertainty / SECOND),
            *inside(ions, field, span),
            *sides(ions, field, Interval(f.start - half, f.start), Interval(f.stop, f.stop + half)),
            ("gap_fraction", gaps),
            ("extrapolated", far),
            ("distance", short(f.distance) if np.isfinite(f.distance) else None),
        )
        flags = (*("near_gap",) * (gaps > _MANY_GAPS), *("extrapolated",) * far,
                 *("constant",) * bool(constant))  # fmt: skip
        longer = max(f.start_uncertainty, f.stop_uncertainty)
        return Detection(model.kind, f.start, f.stop, f.peak, longer, short(f.mean), numbers, flags,
                         absent, short(f.probability))  # fmt: skip

    found = [described(f) for f in model.find(series) if interval.start <= f.start < interval.stop]
    return events(found, learned_events, dataset, interval, model.content)


def learned_products(
    name: str, *, model: str, moments: str = "", b: str = "", reach: str = "1h", granule: str = "1d"
) -> tuple[Dataset, ...]:
    """Return the dataset of events NAME that a model finds once it was trained and promoted.

    Parameters
    ----------
    name : str
        Of the dataset.
    model : str
        Name of the trained model.
    moments, b : str
        Names of datasets; one of them at least.
    reach : str
        How far beyond a granule it may look: some six times the longest event.
    granule : str
        Length of its pieces.
    """
    inputs = {k: v for k, v in (("moments", moments), ("b", b)) if v}
    given: dict[str, Any] = {"granule": granule, "model": model, "reach": reach, **inputs}
    return (product(name, learned_events, **given),)


def without_constants(
    inputs: dict[str, xr.Dataset | None],
) -> tuple[dict[str, xr.Dataset | None], tuple[str, ...]]:
    """Return inputs without stretches that never change, and the names of those that had some.

    Twenty records in a row with the same vector, or the same density, are no measurement.

    Parameters
    ----------
    inputs : dict of Dataset or None
        Moments and field by argument; one that never changes at all becomes None.
    """
    kept, constant = dict(inputs), []
    for name, ds in inputs.items():
        if ds is None or ds.sizes["time"] < _STUCK:
            continue
        columns = [ds[v].transpose("time", ...).values for v in ("vector", "density", "velocity")
                   if v in ds]  # fmt: skip
        stuck = np.any([_stuck(c.reshape(len(c), -1)) for c in columns], axis=0)
        if stuck.any():
            constant.append(name)
            kept[name] = None if stuck.all() else ds.isel(time=np.flatnonzero(~stuck))
    return kept, tuple(constant)


def _stuck(values: np.ndarray) -> np.ndarray:
    """Return which records are the same as their neighbours for _STUCK in a row."""
    same = np.r_[False, (values[1:] == values[:-1]).all(axis=1), False]
    edges = np.flatnonzero(np.diff(same.astype(np.int8)))
    found = np.zeros(len(values), bool)
    for first, stop in edges.reshape(-1, 2).tolist():
        if stop - first + 1 >= _STUCK:
            found[first : stop + 1] = True
    return found


def series_for(
    model: EventModel, moments: xr.Dataset | None, b: xr.Dataset | None, where: str
) -> binned.Binned:
    """Return inputs in the bins of a model.

    Raises
    ------
    ModelError
        When the model has learned from inputs that are not bound.
    UsageError
        When the records are slower than its bins.
    """
    have = {"plasma_field": moments is not None and b is not None, "plasma": moments is not None,
            "field": b is not None}  # fmt: skip
    known = [v.name for v in model.points.variants]
    if (moments is not None or b is not None) and not any(have.get(v, False) for v in known):
        raise ModelError(
            f"the model was trained with {' or '.join(known)}, here is "
            f"{'plasma' if moments is not None else 'field'} alone", where,
            "Bind what it needs, or train it again without",
        )  # fmt: skip
    every = binned.cadence_of(moments, b)
    if every > _SLOWER * model.cutting.step:
        raise UsageError(
            f"a record every {every / SECOND:g} s, the model needs one every "
            f"{model.cutting.step / SECOND:g} s", where, "Give faster data, or train on these",
        )  # fmt: skip
    return binned.binned(moments, b, model.cutting.step)
