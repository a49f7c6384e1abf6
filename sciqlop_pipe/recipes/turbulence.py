"""Fluctuations: PVI, structure functions, Elsasser variables, cross-helicity."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import Alfvenicity, Moments, ScalarSeries, StructureFunctions, VectorSeries
from ..errors import UsageError
from ..granule import duration
from ..kernels.windows import means_around
from ..model import Margin, recipe
from .joining import ascending, counts
from .plasma import alfven_velocity, plasma_of
from .stretches import windows

ORDERS = (1, 2, 3, 4)


def increments(
    time: np.ndarray, values: np.ndarray, lag: str, tolerance: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """Centres (pair,) [ns] and differences (pair, component) of records that are a lag apart.

    Two records make a pair when their distance is the lag within `tolerance` of it: pairs across
    a gap are not made up, and nothing is interpolated.

    Parameters
    ----------
    time : ndarray int64 (record)
        [ns].
    values : ndarray (record, component)
        Of any unit.
    lag : str
        Duration.
    tolerance : float
        Part of the lag.
    """
    want, time = duration(lag), ascending(time, "increments")
    after = np.searchsorted(time, time + want)
    after = np.clip(after, 0, max(time.size - 1, 0))
    before = np.maximum(after - 1, 0)
    nearer = np.where(
        np.abs(time[before] - time - want) < np.abs(time[after] - time - want), before, after
    )
    pair = (np.abs(time[nearer] - time - want) <= tolerance * want) & (
        nearer > np.arange(time.size)
    )
    centre = time[pair] + (time[nearer[pair]] - time[pair]) // 2
    return centre, values[nearer[pair]] - values[pair]


@recipe(gives=ScalarSeries, version=2)
def pvi(
    b: Annotated[VectorSeries, Margin("lag"), Margin("average")],
    *,
    lag: str = "1s",
    average: str = "5min",
) -> xr.Dataset:
    """Partial variance of increments (time) [1], at the middle of each pair of records.

        PVI = |dB| / sqrt(<|dB|^2>),  dB = B(t + lag) - B(t)

    The mean runs over `average` around each pair; `count` (time) says over how many pairs: fewer
    beside gaps. Pairs span the lag within a tenth of it.

    Parameters
    ----------
    b : VectorSeries
        Any vector.
    lag, average : str
        Durations.

    Raises
    ------
    UsageError
        When the average is no longer than the lag.

    References
    ----------
    Greco et al. (2008), Geophys. Res. Lett. 35, L19111, doi:10.1029/2008GL035454.
    """
    if duration(average) <= duration(lag):
        raise UsageError(f"an average of {average} is no longer than the lag of {lag}", "pvi")
    time = b["time"].values.astype(np.int64)
    centre, change = increments(time, np.asarray(b["vector"].values, np.float64), lag)
    square = (change**2).sum(axis=1)
    mean = means_around(centre, square, centre, duration(average) // 2)
    count = counts(centre, np.isfinite(square), centre, average)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.sqrt(square / np.where(mean > 0, mean, np.nan))
    strictly = np.r_[True, np.diff(centre) > 0][: centre.size]
    attrs = {"units": "1", "long_name": f"partial variance of increments, lag {lag}"}
    return xr.Dataset(
        {
            "value": (("time",), value[strictly], attrs),
            "count": (("time",), count[strictly], {"units": "1", "long_name": "pairs in the mean"}),
        },
        {"time": centre[strictly].astype("datetime64[ns]")},
    )


@recipe(gives=StructureFunctions, version=1)
def structure_functions(
    b: Annotated[VectorSeries, Margin("window")],
    *,
    window: str = "10min",
    step: str = "5min",
    shortest: str = "1s",
    lags: int = 8,
) -> xr.Dataset:
    """<|dB|^p> (time, order, lag) for p = 1 to 4, and flatness (time, lag), per window.

        dB = B(t + lag) - B(t),  flatness = <|dB|^4> / <|dB|^2>^2

    Lags double from the shortest on; those beyond a quarter of the window are NaN.

    Parameters
    ----------
    b : VectorSeries
        Any vector.
    window, step, shortest : str
        Length of windows, time between their centres, shortest lag.
    lags : int
        How many lags.

    References
    ----------
    Frisch (1995), Turbulence, chapter 8; Bruno and Carbone (2013), Living Rev. Sol. Phys. 10, 2,
    doi:10.12942/lrsp-2013-2.
    """
    time = b["time"].values.astype(np.int64)
    values = np.asarray(b["vector"].values, np.float64)
    found = windows(time, window, step)
    base = duration(shortest)
    structure = np.full((found.centre.size, len(ORDERS), lags), np.nan)
    count = np.zeros((found.centre.size, lags), np.int64)
    half = duration(window) // 2
    for k in range(lags):
        lag = base * 2**k
        if lag > half // 2:
            break
        centre, change = increments(time, values, f"{lag}ns")
        size = np.linalg.norm(change, axis=1)
        first = np.searchsorted(centre, found.centre - half + lag // 2)
        last = np.searchsorted(centre, found.centre + half - lag // 2)
        for w, (i, j) in enumerate(zip(first, last, strict=True)):
            inside = size[i:j]
            inside = inside[np.isfinite(inside)]
            count[w, k] = inside.size
            if inside.size:
                structure[w, :, k] = [float(np.mean(inside**p)) for p in ORDERS]
    with np.errstate(divide="ignore", invalid="ignore"):
        flatness = structure[:, 3] / structure[:, 1] ** 2
    units = str(b["vector"].attrs["units"])
    return xr.Dataset(
        {
            "structure": (("time", "order", "lag"), structure,
                          {"units": f"{units}^order", "long_name": "structure function"}),
            "flatness": (("time", "lag"), flatness, {"units": "1", "long_name": "flatness"}),
            "count": (("time", "lag"), count, {"units": "1", "long_name": "pairs"}),
            "lag_seconds": (("lag",), base * 2.0 ** np.arange(lags) * 1e-9,
                            {"units": "s", "long_name": "lag"}),
        },
        {"time": found.time, "order": list(ORDERS)},
        {"window": window},
    )  # fmt: skip


@recipe(gives=Alfvenicity, version=1)
def alfvenicity(
    moments: Annotated[Moments, Margin("window")],
    b: Annotated[VectorSeries, Margin("window"), Margin("accumulation"), Margin("reach")],
    *,
    window: str = "30min",
    step: str = "1min",
    accumulation: str = "150ms",
    reach: str = "2s",
    mass_per_ion: float = 1.0,
) -> xr.Dataset:
    """Elsasser amplitudes (time, component) [km/s], cross-helicity, residual energy (time) [1].

        z+- = dV +- dB/sqrt(mu0 <n> m),  dX = X - <X> over the window
        sigma_c = (<z+^2> - <z-^2>) / (<z+^2> + <z-^2>),  sigma_r = (<dV^2> - <dB^2>) / (sum)

    One record per window, centred on full steps of UTC. z_plus and z_minus are root mean squares
    by component. The sign is that of B: z+ travels against B.

    Parameters
    ----------
    moments : Moments
        density, velocity.
    b : VectorSeries
        Magnetic field [nT] in their frame.
    window, step, accumulation, reach : str
        Length of windows, time between their centres; as of `joining.joined`.
    mass_per_ion : float
        Mean mass per ion, in masses of the species.

    Raises
    ------
    DataTypeError
        When the frames differ.

    References
    ----------
    Bruno and Carbone (2013), Living Rev. Sol. Phys. 10, 2, doi:10.12942/lrsp-2013-2, section 3.1.
    """
    plasma = plasma_of(moments, b, accumulation, reach, mass_per_ion)
    found = windows(plasma.time, window, step)
    n = found.centre.size
    plus, minus = np.full((n, 3), np.nan), np.full((n, 3), np.nan)
    sigma, count = np.full((n, 3), np.nan), np.zeros(n, np.int64)
    whole = plasma.whole
    for w, (i, j) in enumerate(zip(found.first, found.last, strict=True)):
        use = np.flatnonzero(whole[i:j]) + i
        count[w] = use.size
        if use.size < 8:
            continue
        density = np.full(use.size, plasma.density[use].mean())
        v = plasma.velocity[use] - plasma.velocity[use].mean(axis=0)
        a = alfven_velocity(plasma.b[use] - plasma.b[use].mean(axis=0), density, plasma.mass)
        zp, zm = ((v + a) ** 2).mean(axis=0), ((v - a) ** 2).mean(axis=0)
        plus[w], minus[w] = np.sqrt(zp), np.sqrt(zm)
        kinetic, magnetic = (v**2).sum(axis=1).mean(), (a**2).sum(axis=1).mean()
        if kinetic + magnetic > 0:
            sigma[w, 0] = (zp.sum() - zm.sum()) / (zp.sum() + zm.sum())
            sigma[w, 1] = (kinetic - magnetic) / (kinetic + magnetic)
            sigma[w, 2] = kinetic / magnetic if magnetic > 0 else np.nan
    t, tc = ("time",), ("time", "component")
    speed = {"units": "km s^-1", "frame": plasma.frame}
    return xr.Dataset(
        {
            "z_plus": (tc, plus, speed | {"long_name": "z+, root mean square"}),
            "z_minus": (tc, minus, speed | {"long_name": "z-, root mean square"}),
            "cross_helicity": (t, sigma[:, 0], {"units": "1", "long_name": "cross-helicity"}),
            "residual_energy": (t, sigma[:, 1], {"units": "1", "long_name": "residual energy"}),
            "alfven_ratio": (t, sigma[:, 2], {"units": "1", "long_name": "Alfven ratio"}),
            "count": (t, count, {"units": "1", "long_name": "records"}),
        },
        {"time": found.time, "component": ["x", "y", "z"]},
        {"species": moments.attrs["species"], "window": window},
    )
