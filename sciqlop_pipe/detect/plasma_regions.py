"""Six plasma regions from ion spectra, as labels and as stretches of time."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..catalog import event_id
from ..datatypes import EnergySpectrum, Events, Labels, PlasmaState
from ..errors import DataTypeError
from ..granule import DAY, MINUTE, SECOND, Interval, duration
from ..kernels.viterbi import best_path_of_any
from ..model import Margin, recipe
from ..store.records import Event
from . import drift, spectral
from .decoding import CERTAIN, CONTEXT, WINDOW, log_odds, runs
from .models import RegionModel

Array = NDArray[np.float64]

_SAME = SECOND  # spectrum and state this near in time are of one record
_GAP = MINUTE
_CADENCES = (2.5, 7.0)  # s; fluctuations at another cadence are other numbers


@recipe(gives=Labels, version=1, gaps_ok=True)
def plasma_regions(
    spectrum: EnergySpectrum,
    state: Annotated[PlasmaState, Margin("2min")],
    *,
    model: RegionModel,
) -> xr.Dataset:
    """Probability of each plasma region, (time, label) [1], from spectra, T and |B|.

    Where |B| is not known a variant of the model without it judges. `gap` is 1 where nothing can
    be said. `distance` is how far a record is from what the model has seen, in units of the
    distance that 1 % of its training set exceeds: above 1 the model extrapolates.

    Parameters
    ----------
    spectrum : EnergySpectrum
        Omnidirectional, of ions [eV cm^-2 s^-1 sr^-1 eV^-1], at a cadence near 4.5 s.
    state : PlasmaState
        density [cm^-3], temperature [eV], magnetic_field [nT], (time): levels from the record of
        the same time, fluctuations from 90 s before to 90 s after it.
    model : RegionModel
        On spectral features.

    Raises
    ------
    DataTypeError
        When the cadence is another: fluctuations would be other numbers.
    """
    time, features = features_of(spectrum, state)
    columns = [spectral.NAMES.index(f) for f in model.features]
    matrix = features[:, columns]
    probability = model.probability(matrix)
    units = {"units": "1"}
    return xr.Dataset(
        {
            "probability": (("time", "label"), probability.astype(np.float32),
                            units | {"long_name": "probability of the region"}),
            "gap": (("time",), (~np.isfinite(probability).all(axis=1)).astype(np.int8),
                    units | {"long_name": "record without information"}),
            "distance": (("time",), drift.distance(model, matrix).astype(np.float32),
                         units | {"long_name": "distance from the training set"}),
        },
        coords={"time": time.astype("datetime64[ns]"), "label": list(model.classes)},
        attrs={"model": model.content, "model_name": model.card.name},
    )  # fmt: skip


def features_of(spectrum: xr.Dataset, state: xr.Dataset) -> tuple[NDArray[np.int64], Array]:
    """Return the times [ns] that both have and the features, (record, feature) of `spectral.NAMES`.

    Parameters
    ----------
    spectrum : EnergySpectrum
        Omnidirectional, of ions [eV cm^-2 s^-1 sr^-1 eV^-1], at a cadence near 4.5 s.
    state : PlasmaState
        density [cm^-3], temperature [eV], magnetic_field [nT], (time), 90 s beyond at both ends.

    Raises
    ------
    DataTypeError
        When the cadence is another.
    """
    time, rows, at = _joined(spectrum, state)
    if time.size > 2:
        step = float(np.median(np.diff(time))) / SECOND
        if not _CADENCES[0] <= step <= _CADENCES[1]:
            raise DataTypeError(
                f"a record every {step:.3g} s, the model needs one every 4.5 s",
                "plasma_regions", "Average faster data first",
            )  # fmt: skip
    energy = spectrum["energy"].values.astype(np.float64)
    around = _around(state)
    spectra = spectral.Spectra(
        spectrum["spectrum"].transpose("time", "energy_bin").values[rows],
        energy if energy.ndim == 1 else energy[rows],
        around.temperature[at],
        around.magnetic_field[at],
    )
    return time, spectral.matrix(spectra, time, around)


def _around(state: xr.Dataset) -> spectral.Around:
    def values(name: str) -> Array:
        if name not in state:
            return np.full(state.sizes["time"], np.nan)
        return state[name].values.astype(np.float64)

    return spectral.Around(
        state["time"].values.astype("M8[ns]").astype(np.int64),
        values("density"), values("temperature"), values("magnetic_field"),
    )  # fmt: skip


def _joined(
    spectrum: xr.Dataset, state: xr.Dataset
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return times that both have, and which records of each."""
    a = spectrum["time"].values.astype("M8[ns]").astype(np.int64)
    b = state["time"].values.astype("M8[ns]").astype(np.int64)
    if not a.size or not b.size:
        none = np.zeros(0, np.int64)
        return none, none, none
    right = np.clip(np.searchsorted(b, a), 1, max(b.size - 1, 1))
    left = right - 1
    right = np.minimum(right, b.size - 1)
    nearest = np.where(np.abs(b[left] - a) <= np.abs(b[right] - a), left, right)
    rows = np.flatnonzero(np.abs(b[nearest] - a) <= _SAME)
    return a[rows], rows, nearest[rows]


@recipe(gives=Events, version=1, gaps_ok=True)
def region_stretches(
    labels: Annotated[Labels, Margin("25h")],
    *,
    dataset: str,
    interval: Interval,
    dwell: str = "3min",
) -> tuple[Event, ...]:
    """Stretches of time in one plasma region that begin in the interval, in time order.

    The sequence of regions has the greatest sum of evidence less a price per change, so that an
    excursion counts when it is certain for `dwell`. Nothing reaches across a gap of a minute or
    across midnight UTC, so that it does not matter how a longer time is cut. Attributes:
    `probability`, mean of that of the region; `probability_min`; `extrapolated`, whether more than
    half of the records lie beyond what the model has seen; `distance`, the median of that; `model`.

    Parameters
    ----------
    labels : Labels
        probability (time, label), distance (time).
    dataset : str
        Name of the dataset of events; enters their ids.
    interval : Interval
        Events that start inside are returned.
    dwell : str
        How long a region must be seen to count, if certain at all times.
    """
    probability = labels["probability"].values.astype(np.float64)
    known = np.isfinite(probability).all(axis=1)
    time = labels["time"].values.astype("M8[ns]").astype(np.int64)[known]
    probability = probability[known]
    far = labels["distance"].values[known] if "distance" in labels else np.zeros(time.size)
    names = [str(n) for n in labels["label"].values]
    path = _decoded(time, probability, duration(dwell))
    cut = np.flatnonzero(
        (np.diff(time) > _GAP) | (np.diff(path) != 0) | (np.diff(time // DAY) != 0)
    ) + 1  # fmt: skip
    found = []
    edges = [0, *cut.tolist(), time.size]
    for first, stop in pairwise(edges):
        if stop - first < 2 or not interval.start <= time[first] < interval.stop:
            continue
        name, mine = names[path[first]], probability[first:stop, path[first]]
        attributes: tuple[tuple[str, Any], ...] = (
            ("probability", round(float(mine.mean()), 4)),
            ("probability_min", round(float(mine.min()), 4)),
            ("extrapolated", bool(np.mean(far[first:stop] > 1) > 0.5)),
            ("distance", round(float(np.median(far[first:stop])), 3)),
            ("model", str(labels.attrs.get("model", ""))),
        )
        start, end = int(time[first]), int(time[stop - 1])
        id_ = event_id(dataset, name, start, end, str(labels.attrs.get("model", "")))
        found.append(Event(id_, name, start, end, attributes))
    return tuple(found)


def _decoded(time: NDArray[np.int64], probability: Array, dwell: int) -> NDArray[np.int8]:
    """Return the region of each record, decoded in windows anchored to UTC."""
    path = np.full(time.size, -1, np.int8)
    if not time.size:
        return path
    for start in range(int(time[0]) // WINDOW * WINDOW, int(time[-1]) + 1, WINDOW):
        low, high = np.searchsorted(time, [start - CONTEXT, start + WINDOW + CONTEXT])
        seen = time[low:high]
        if not seen.size:
            continue
        decoded = np.empty(seen.size, np.int8)
        for run in runs(seen, _GAP):
            decoded[run] = best_path_of_any(
                log_odds(seen[run], probability[low:high][run]), CERTAIN * dwell / SECOND / 2
            )
        core = (seen >= start) & (seen < start + WINDOW)
        path[low:high][core] = decoded[core]
    return path
