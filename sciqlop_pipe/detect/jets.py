"""Events: jets in the magnetosheath, against the solar wind or against their surroundings."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..constants import PROTON_MASS
from ..datatypes import EnergySpectrum, Events, Labels, Moments, PlasmaState, Position, VectorSeries
from ..errors import UsageError
from ..granule import MINUTE, SECOND, Interval, duration
from ..kernels.windows import means_around
from ..model import Margin, Without, recipe
from ..store.records import Event
from .describing import Detection, events, finite, inside, score, short, sides
from .series import (
    NO_FIELD,
    Array,
    Field,
    Ions,
    Times,
    edges_of,
    field_of,
    gap_fraction,
    ions_of,
    label_probability,
    nearest,
    place_of,
    require_cadence,
    stretches,
    sunward_ions,
    within,
)

KIND = "magnetosheath_jet"

SLOWEST = "10s"
"""Jets last tens of seconds: slower records miss them, or cannot tell their edges."""

_BESIDE = MINUTE  # length of the stretches before and after a jet
_GAP = 20 * SECOND  # longer spacings cut jets
_NPA = PROTON_MASS * 1e6 * 1e6 * 1e9  # n [cm^-3] V^2 [km^2/s^2] to [nPa], for protons
_NO_SPECTRUM = Without("hot plasma is told by its density alone")
_NO_POSITION = Without("jets of the flanks are let through")
_RAMP = 30 * SECOND  # from the solar wind, within which its pressure is no jet's
_LEAST_AROUND = 0.5  # part of the averaging time that must be magnetosheath


@recipe(gives=Events, version=1, gaps_ok=True)
def magnetosheath_jets(
    moments: Annotated[Moments, Margin("15min")],
    upstream: Annotated[Moments, Margin("20min")],
    spectrum: Annotated[EnergySpectrum | None, Margin("15min"), _NO_SPECTRUM] = None,
    position: Annotated[Position | None, Margin("15min"), _NO_POSITION] = None,
    b: Annotated[VectorSeries | None, Margin("15min"), NO_FIELD] = None,
    *,
    dataset: str,
    interval: Interval,
    peak: float = 0.5,
    edge: float = 0.25,
    cone: float = 30.0,
    average: str = "5min",
) -> tuple[Event, ...]:
    """Jets of the subsolar magnetosheath, measured against the solar wind, in time order.

    With r = n V_x^2 / (n_sw V_x,sw^2), the solar wind being the mean over `average` before:

    - the magnetosheath is where n > 2 n_sw and the ion energy flux at 1 keV is above that at
      10 keV, within `cone` of the line to the Sun;
    - a jet is a stretch with r > edge that somewhere has r > peak; its `time` is that of the
      highest r;
    - -V_x falls below half its value at that time within a minute before and after the stretch.

    Attributes: pressure_ratio, pressure [nPa] (n m V_x^2) at the time; duration [s];
    velocity_x [km/s] then; size [km], the length of plasma along x that passed; density, speed,
    temperature, magnetic_field during the jet, and before, after (a minute each) with jump;
    cone [deg] and distance [R_E]. `flags`: near_gap. `absent`: spectrum (the magnetosphere is
    told by its density alone), position (jets of the flanks are let through), b.

    Parameters
    ----------
    moments : Moments
        density [cm^-3], velocity [km/s] in a frame whose x points to the Sun; 10 s or faster.
    upstream : Moments
        Of the solar wind at the nose of the bow shock (OMNI), in GSE or GSM.
    spectrum : EnergySpectrum, optional
        Omnidirectional energy flux of the ions.
    position : Position, optional
        [km], with x to the Sun.
    b : VectorSeries, optional
        Magnetic field [nT], which only describes.
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    peak, edge : float
        Thresholds of r [1] (unconfirmed: no text of the paper was at hand).
    cone : float
        Largest angle to the line from the Earth to the Sun [deg] (unconfirmed).
    average : str
        Of the solar wind; at most 20 min (5 min: unconfirmed).

    Raises
    ------
    UsageError
        When records are slower than one in 10 s, or x does not point to the Sun.

    References
    ----------
    Plaschke, Hietala and Angelopoulos (2013), Ann. Geophys. 31, 1877,
    doi:10.5194/angeo-31-1877-2013.
    """
    ions = sunward_ions(moments, SLOWEST, "magnetosheath_jets")
    wind = ions_of(upstream)
    n_sw, p_sw = _upstream(wind, ions.time, duration(average))
    vx = ions.velocity[:, 0]
    sheath = ions.density > 2 * n_sw
    absent = [
        name for name, x in (("spectrum", spectrum), ("position", position), ("b", b)) if x is None
    ]
    if spectrum is not None:
        sheath &= _thermal(spectrum, ions.time)
    angle = distance = np.full(ions.time.size, np.nan)
    if position is not None:
        angle, distance = place_of(position, ions.time)
        sheath &= angle <= cone
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = ions.density * vx**2 / p_sw
    ratio = np.where(sheath & (vx < 0), ratio, 0.0)
    field = None if b is None else field_of(b)
    found = []
    for run in stretches(ratio > edge, ions.time, _GAP):
        top = run.start + int(np.argmax(ratio[run]))
        slow = _slows_down(ions.time, vx, run, top)
        if ratio[top] <= peak or slow is None:
            continue
        numbers = {
            "pressure_ratio": float(ratio[top]),
            "cone": float(angle[top]),
            "distance": float(distance[top]),
        }
        found.append(
            _jet(ions, field, run, top, ("x", vx), score(ratio[top] / peak, slow), numbers, absent)
        )
    return events(found, magnetosheath_jets, dataset, interval)


@recipe(gives=Events, version=2, gaps_ok=True)
def magnetosheath_jets_local(
    state: Annotated[PlasmaState, Margin("40min")],
    labels: Annotated[Labels, Margin("40min")],
    b: Annotated[VectorSeries | None, Margin("15min"), NO_FIELD] = None,
    *,
    dataset: str,
    interval: Interval,
    factor: float = 2.0,
    average: str = "20min",
) -> tuple[Event, ...]:
    """Jets of the magnetosheath, measured against the magnetosheath around them, in time order.

    A jet is a stretch where the dynamic pressure n m V^2 is above `factor` times its running mean
    over `average`, made of records of the magnetosheath alone. Records belong to it where its
    label has the highest probability; at least half of the averaging time must. A stretch within
    30 s of solar wind is the ramp of the bow shock, not a jet. No solar wind is
    needed, so that other missions, other planets and times without OMNI have jets too; but what
    they are compared with moves with the magnetosheath, and a boundary nearby leaves less of it.

    Attributes as those of `magnetosheath_jets`, along V instead of x: pressure_ratio is that to
    the mean. `sheath_probability` is the mean one of the magnetosheath during the jet.

    Parameters
    ----------
    state : PlasmaState
        density [cm^-3], velocity [km/s], 10 s or faster.
    labels : Labels
        probability (time, label) of magnetosphere, magnetosheath, solar wind.
    b : VectorSeries, optional
        Magnetic field [nT], which only describes.
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    factor : float
        [1]: 2 is an enhancement by 100 % of the mean (unconfirmed, as is `average`).
    average : str
        Length of the running mean, at most 1 h.

    Raises
    ------
    UsageError
        When records are slower than one in 10 s, or the average is longer than an hour.

    References
    ----------
    Archer and Horbury (2013), Ann. Geophys. 31, 319, doi:10.5194/angeo-31-319-2013.
    """
    length = duration(average)
    if length > 60 * MINUTE:
        raise UsageError(f"an average of {average} is longer than 1h", "magnetosheath_jets_local")
    ions = ions_of(state)
    require_cadence(ions.time, SLOWEST, "the plasma", "magnetosheath_jets_local")
    p_sheath = label_probability(labels, ions.time, "magnetosheath")
    pressure = ions.density * ions.speed**2
    sheath = p_sheath > 0
    mean, share = _running(ions.time, np.where(sheath, pressure, np.nan), length)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(sheath & (share >= _LEAST_AROUND), pressure / mean, 0.0)
    ratio = np.nan_to_num(ratio)
    field = None if b is None else field_of(b)
    absent = [] if b is not None else ["b"]
    found = []
    wind = label_probability(labels, ions.time, "solar_wind") > 0
    for run in stretches(ratio > factor, ions.time, _GAP):
        beside = Interval(int(ions.time[run.start]) - _RAMP, int(ions.time[run.stop - 1]) + _RAMP)
        if wind[within(ions.time, beside)].any():
            continue
        top = run.start + int(np.argmax(ratio[run]))
        numbers = {
            "pressure_ratio": float(ratio[top]),
            "sheath_probability": float(np.mean(p_sheath[run])),
        }
        along = ("", ions.speed)
        found.append(
            _jet(ions, field, run, top, along, score(ratio[top] / factor), numbers, absent)
        )
    return events(found, magnetosheath_jets_local, dataset, interval)


def _upstream(wind: Ions, at: Times, length: int) -> tuple[Array, Array]:
    """Return n [cm^-3] and n V_x^2 of the solar wind, means over `length` before each time."""
    centre, half = at - length // 2, length // 2
    n = means_around(wind.time, wind.density, centre, half)
    vx = means_around(wind.time, np.ascontiguousarray(wind.velocity[:, 0]), centre, half)
    return n, n * vx**2


def _thermal(spectrum: xr.Dataset, at: Times) -> NDArray[np.bool_]:
    """Tell where the energy flux at 1 keV is above that at 10 keV; true where it is not known."""
    time = spectrum["time"].values.astype(np.int64)
    if not time.size:
        return np.ones(at.size, bool)
    flux = spectrum["spectrum"].values.astype(np.float64)
    energy = np.broadcast_to(spectrum["energy"].values.astype(np.float64), flux.shape)
    near = nearest(time, at)
    rows = np.arange(time.size)

    def flux_at(ev: float) -> Array:
        distance = np.abs(np.log(np.where(energy > 0, energy, np.nan) / ev))
        return flux[rows, np.argmin(np.where(np.isfinite(distance), distance, np.inf), axis=1)]

    low, high = flux_at(1000.0)[near], flux_at(10_000.0)[near]
    known = np.isfinite(low) & np.isfinite(high) & (np.abs(time[near] - at) <= MINUTE)
    return ~known | (low > high)


def _slows_down(time: Times, vx: Array, run: slice, top: int) -> float | None:
    """Return by how much -V_x falls below half its peak on the poorer side, None where it does not.

    1 at half the peak, 2 at a quarter; at most 4.
    """
    least = []
    for low, high in ((time[run.start] - _BESIDE, time[run.start]),
                      (time[run.stop - 1] + 1, time[run.stop - 1] + 1 + _BESIDE)):  # fmt: skip
        part = within(time, Interval(int(low), int(high)))
        if part.stop == part.start:
            return None
        least.append(max(float((-vx[part]).min()), 1e-9))
    margin = float(-vx[top]) / 2 / max(least)
    return min(margin, 4.0) if margin > 1 else None


def _running(time: Times, x: Array, length: int) -> tuple[Array, Array]:
    """Return the running mean of what is finite, and the part of the time that it is made of."""
    half = length // 2
    mean = means_around(time, x, time, half)
    spacing = np.diff(time, prepend=time[:1]).astype(np.float64)
    spacing = np.minimum(np.where(spacing > 0, spacing, 0), _GAP)
    covered = np.where(np.isfinite(x), spacing, 0.0)
    share = means_around(time, covered, time, half)
    count = np.searchsorted(time, time + half) - np.searchsorted(time, time - half)
    return mean, np.nan_to_num(share) * count / length


def _jet(
    ions: Ions,
    field: Field | None,
    run: slice,
    top: int,
    along: tuple[str, Array],
    how_sure: float,
    numbers: dict[str, float],
    absent: list[str],
) -> Detection:
    """Return the event of a stretch of records; an edge is half way to the next record."""
    time, (axis, v) = ions.time, along
    start, stop, edge = edges_of(time, run, _GAP)
    span = Interval(start, stop)
    around = Interval(start - _BESIDE, stop + _BESIDE)
    gaps = gap_fraction(time, around)
    speed = np.abs(v[run])
    length = np.gradient(time[run] / SECOND) if run.stop - run.start > 1 else np.zeros(1)
    said = {
        **numbers,
        "pressure": float(ions.density[top] * v[top] ** 2 * _NPA),
        f"velocity_{axis}" if axis else "velocity": float(v[top]),
        "duration": round((stop - start) / SECOND, 1),
        "size": float((speed * length).sum()) if length.size > 1 else
        short(float(speed[0]) * (stop - start) / SECOND),
    }  # fmt: skip
    return Detection(
        KIND,
        start,
        stop,
        int(time[top]),
        edge,
        how_sure,
        (
            *finite(said),
            *inside(ions, field, span),
            *sides(ions, field, Interval(around.start, start), Interval(stop, around.stop)),
            ("gap_fraction", gaps),
        ),
        ("near_gap",) if gaps > 0.2 else (),
        tuple(absent),
    )
