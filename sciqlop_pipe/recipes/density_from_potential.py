"""Plasma density from the potential of the spacecraft, calibrated against moments."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import DensityFromPotential, Moments, PotentialCalibration, ScalarSeries
from ..granule import duration
from ..model import Margin, recipe
from ..quality import Flag, Flags
from .joining import joined

BINS = 24
"""Potentials are sorted into this many bins of equal population before the fit."""

LEAST = 200
"""Records that a calibration needs."""

FLAGS = Flags(
    "density from the potential",
    (
        Flag(0, "extrapolated", "potential outside the range of the calibration"),
        Flag(1, "scattered", "moments scatter by more than 50 % about the calibration"),
        Flag(2, "uncalibrated", "no calibration within reach"),
        Flag(3, "no_potential", "the potential is unknown"),
    ),
    source="recipes.density_from_potential",
)


@recipe(gives=PotentialCalibration, version=1)
def potential_calibration(
    moments: Annotated[Moments, Margin("window")],
    sc_pot: Annotated[ScalarSeries, Margin("window")],
    *,
    window: str = "6h",
    accumulation: str = "4s",
    reach: str = "10s",
) -> xr.Dataset:
    """Amplitudes a [cm^-3] and scales b [V] of n = sum a exp(-V/b), (time, term), per window.

    Windows are anchored to UTC; a calibration stands at the middle of its own, made from all
    records with a density, a potential (mean over the accumulation, or between near neighbours)
    and nothing from outside. Records are sorted into 24 bins of potential with as many records
    each; two terms are fitted to the medians of ln n there by least squares of relative
    deviations, scales on a grid of 48 from 0.2 to 200 V, amplitudes not negative. Nothing is
    random and nothing iterates.

    Parameters
    ----------
    moments : Moments
        density (time) [cm^-3], best of electrons.
    sc_pot : ScalarSeries
        Potential of the spacecraft [V], positive when it is.
    window : str
        Length of a window; must divide a day.
    accumulation, reach : str
        How long a record takes; how far apart potentials may be that are interpolated.

    Returns
    -------
    Dataset
        amplitude, scale (time, term: the steep one first); potential_min and _max (time) [V], what
        the fit has seen (1 to 99 %); residual, the median |ln n - ln fit| over 0.6745; records. NaN
        where there are less than 200 records.

    References
    ----------
    Pedersen, A. et al. (2008), J. Geophys. Res. 113, A07S33, doi:10.1029/2007JA012636.
    Andriopoulou, M. et al. (2018), J. Geophys. Res. Space Physics 123, 2620,
    doi:10.1002/2017JA024969 (MMS).
    """
    time = moments["time"].values.astype(np.int64)
    volts = joined(sc_pot["time"].values, sc_pot["value"].values, time, accumulation, reach)
    density = moments["density"].values.astype(np.float64)
    good = np.isfinite(volts) & (density > 0)
    length = duration(window)
    place = time // length
    found = np.unique(place)
    rows = np.full((found.size, 8), np.nan)
    for i, which in enumerate(found):
        use = good & (place == which)
        rows[i, 7] = use.sum()
        if rows[i, 7] >= LEAST:
            rows[i, :7] = _calibrate(volts[use], np.log(density[use]))
    t, tt = ("time",), ("time", "term")

    def about(units: str, words: str) -> dict[str, str]:
        return {"units": units, "long_name": words}

    return xr.Dataset(
        {
            "amplitude": (tt, rows[:, [0, 2]], about("cm^-3", "amplitude of an exponential")),
            "scale": (tt, rows[:, [1, 3]], about("V", "e-folding potential")),
            "potential_min": (t, rows[:, 4], about("V", "lowest potential of the calibration")),
            "potential_max": (t, rows[:, 5], about("V", "highest potential of the calibration")),
            "residual": (t, rows[:, 6], about("1", "scatter of ln n about the calibration")),
            "records": (t, rows[:, 7], about("1", "records of the calibration")),
        },
        {"time": (found * length + length // 2).astype("datetime64[ns]"), "term": [1, 2]},
        {"window": window},
    )


def _calibrate(volts: np.ndarray, log_n: np.ndarray) -> tuple[float, ...]:
    """a1, b1, a2, b2, lowest and highest potential, scatter, of records (n,)."""
    order = np.argsort(volts, kind="stable")
    parts = np.array_split(order, BINS)
    v = np.array([np.median(volts[p]) for p in parts])
    n = np.exp([np.median(log_n[p]) for p in parts])
    scales = np.geomspace(0.2, 200.0, 48)
    # Relative to n: the model divided by the medians should be 1.
    basis = np.exp(-(v - v[0]) / scales[:, None]) / n
    best = (np.inf, 0.0, scales[0], 0.0, scales[0])
    for i, one in enumerate(basis):
        for j in range(i, scales.size):
            a, c = _amplitudes(one, basis[j], same=i == j)
            miss = float(((a * one + c * basis[j] - 1) ** 2).sum())
            if miss < best[0] * (1 - 1e-9):
                best = (miss, a, scales[i], c, scales[j])
    _, a1, b1, a2, b2 = best
    a1, a2 = a1 * np.exp(v[0] / b1), a2 * np.exp(v[0] / b2)
    model = np.log(a1 * np.exp(-volts / b1) + a2 * np.exp(-volts / b2))
    low, high = np.quantile(volts, (0.01, 0.99))
    return a1, b1, a2, b2, low, high, float(np.median(np.abs(log_n - model)) / 0.6745)


def _amplitudes(one: np.ndarray, other: np.ndarray, *, same: bool) -> tuple[float, float]:
    """Least squares of a one + c other = 1 with a, c >= 0."""
    oo, cc, oc = one @ one, other @ other, one @ other
    o, c = one.sum(), other.sum()
    if not same:
        det = oo * cc - oc * oc
        if det > 1e-12 * oo * cc:
            x, y = (o * cc - c * oc) / det, (c * oo - o * oc) / det
            if x >= 0 and y >= 0:
                return x, y
    alone, beside = o / oo, c / cc
    return (alone, 0.0) if o * alone >= c * beside else (0.0, beside)


@recipe(gives=DensityFromPotential, version=2)
def density_from_potential(
    sc_pot: ScalarSeries,
    calibration: Annotated[PotentialCalibration, Margin("window")],
    *,
    window: str = "6h",
) -> xr.Dataset:
    """Density n = sum a exp(-V/b) [cm^-3], its relative error [1] and validity, (time).

    Parameters
    ----------
    sc_pot : ScalarSeries
        Potential of the spacecraft [V].
    calibration : PotentialCalibration
        A sample takes the calibration of the window it lies in.
    window : str
        Length of the windows of the calibration.

    Returns
    -------
    Dataset
        value, relative_error (the scatter of the calibration) and quality (time): extrapolated,
        scattered, uncalibrated or without a potential; the last two are NaN.

    References
    ----------
    See `potential_calibration`.
    """
    time, volts = sc_pot["time"].values.astype(np.int64), sc_pot["value"].values.astype(np.float64)
    known = np.isfinite(volts)
    length = duration(window)
    windows = calibration["time"].values.astype(np.int64) // length
    place = np.searchsorted(windows, time // length)
    inside = np.minimum(place, max(windows.size - 1, 0))
    have = np.zeros(time.size, bool)
    value = error = low = high = np.full(time.size, np.nan)
    if windows.size:
        have = windows[inside] == time // length
        a, b = (calibration[x].values[inside].astype(np.float64) for x in ("amplitude", "scale"))
        value = (a * np.exp(-volts[:, None] / b)).sum(axis=1)
        error, low, high = (
            calibration[x].values[inside].astype(np.float64)
            for x in ("residual", "potential_min", "potential_max")
        )
    have &= np.isfinite(error)
    value = np.where(known, value, np.nan)
    quality = np.where((volts < low) | (volts > high), 1, 0) | np.where(error > 0.5, 2, 0)
    quality = np.where(have, quality, 4) | np.where(known, 0, 8)
    return xr.Dataset(
        {
            "value": (("time",), np.where(have, value, np.nan).astype(np.float32),
                      {"units": "cm^-3", "long_name": "density from the spacecraft potential"}),
            "relative_error": (("time",), np.where(have, error, np.nan).astype(np.float32),
                               {"units": "1", "long_name": "scatter of the calibration"}),
            "quality": (("time",), quality.astype(np.uint32), FLAGS.attrs),
        },
        {"time": sc_pot["time"]},
    )  # fmt: skip
