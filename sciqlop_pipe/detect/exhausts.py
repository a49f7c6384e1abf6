"""Events: exhausts of magnetic reconnection, between two rotations of the field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from ..datatypes import Events, Moments, VectorSeries
from ..granule import MINUTE, SECOND, Interval
from ..kernels.windows import medians_between
from ..model import Margin, recipe
from ..recipes.joining import joined
from ..recipes.plasma import alfven_velocity, mass_of
from ..recipes.rays import require_same_frame
from ..store.records import Event
from .describing import Detection, events, finite, inside, score, sides, vector_numbers
from .series import Array, Field, Ions, Times, best_of, field_of, ions_of, require_cadence, within

WIDTHS = (15, 30, 60, 120, 240)
"""Half widths of exhausts that are looked for [s]."""

_STEP = 5 * SECOND
_LEAST = 3


@recipe(gives=Events, version=1, gaps_ok=True)
def reconnection_exhausts(
    moments: Annotated[Moments, Margin("20min")],
    b: Annotated[VectorSeries, Margin("20min")],
    *,
    dataset: str,
    interval: Interval,
    shear: float = 45.0,
    low: float = 0.5,
    high: float = 1.2,
    correlation: float = 0.7,
    significance: float = 2.0,
    mass_per_ion: float = 1.0,
) -> tuple[Event, ...]:
    """Exhausts of magnetic reconnection between two rotations of the field, in time order.

    Let L be the direction in which the field changes from before to after (15 s to 4 min,
    whatever fits best), where the fields are at least `shear` apart. In an exhaust V_L changes to
    a jet and back, while V_A,L = B_L/sqrt(mu0 n m) changes from one side to the middle and on: V
    and V_A change alike at one edge and oppositely at the other. Asked for are, at both edges,

        low <= |dV_L / dV_A,L| <= high, of opposite signs,

    correlations of V_L and B_L of opposite signs and of size `correlation`, and a jet of
    `significance` times the scatter of V_L on both sides.

    Attributes: jet [km/s] (V_L in the middle over the mean of both sides), slope_before,
    slope_after, correlation_before, correlation_after [1], shear [deg], width [s], `direction` (L),
    and density, speed, temperature, magnetic_field before, after, jump and inside.

    Parameters
    ----------
    moments : Moments
        density [cm^-3], velocity [km/s]; a record in 10 s or faster.
    b : VectorSeries
        Magnetic field [nT] in their frame.
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    shear : float
        [deg] (ours).
    low, high : float
        Slopes [1] (unconfirmed); slow shocks make the jet slower than V_A.
    correlation, significance : float
        [1] (ours).
    mass_per_ion : float
        In masses of the species.

    Raises
    ------
    UsageError
        When records are slower than one in 10 s.
    DataTypeError
        When the frames differ.

    References
    ----------
    Gosling, Skoug, McComas and Smith (2005), J. Geophys. Res. 110, A01107,
    doi:10.1029/2004JA010809; Gosling and Szabo (2008), J. Geophys. Res. 113, A10103,
    doi:10.1029/2008JA013473; Paschmann et al. (1986), J. Geophys. Res. 91, 11099,
    doi:10.1029/JA091iA10p11099.
    """
    ions, field = ions_of(moments), field_of(b)
    require_cadence(ions.time, "10s", "the plasma", "reconnection_exhausts")
    require_same_frame(ions.frame, b)
    magnetic = joined(field.time, field.vector, ions.time, "4s", "20s")
    alfven = alfven_velocity(magnetic, ions.density, mass_of(moments, mass_per_ion))
    known = np.isfinite(alfven).all(axis=1)
    limits = (shear, low, high, correlation, significance)
    tried = _Exhausts(
        ions.time[known], ions.velocity[known], alfven[known], magnetic[known], limits
    )
    best = tried.best(interval.padded(10 * MINUTE))
    found = [_described(e, ions, field) for e in best]
    return events(found, reconnection_exhausts, dataset, interval)


@dataclass(frozen=True, slots=True)
class _Exhaust:
    """A candidate: middle and half width [ns], jet [km/s] along a unit vector, both edges."""

    time: int
    width: int
    jet: float
    axis: Array
    slopes: tuple[float, ...]
    correlations: tuple[float, ...]
    shear: float
    margins: tuple[float, ...]


class _Exhausts:
    """The search for exhausts in records of V, V_A and B on one clock, each (time, 3)."""

    def __init__(
        self, time: Times, v: Array, alfven: Array, b: Array, limits: tuple[float, ...]
    ) -> None:
        self.time, self.v, self.alfven, self.b = time, v, alfven, b
        self.shear, self.low, self.high, self.correlation, self.significance = limits

    def best(self, span: Interval) -> list[_Exhaust]:
        """Return the best exhaust of every stretch, over all widths."""
        if not self.time.size:
            return []
        first = max(span.start, int(self.time[0])) // _STEP
        last = min(span.stop, int(self.time[-1])) // _STEP
        centre = np.arange(first, last + 1, dtype=np.int64) * _STEP
        found = [e for width in WIDTHS for e in self._of_width(centre, width * SECOND)]
        found.sort(key=lambda e: (e.time, e.width))
        time = np.array([e.time for e in found], np.int64)
        # Where the weakest criterion is the same, the clearer jet is the better one.
        rank = np.array([score(*e.margins) + 1e-3 * min(e.margins[0], 100.0) for e in found])
        return [found[k] for k in best_of(time, rank, 4 * MINUTE)]

    def _of_width(self, centre: Times, half: int) -> list[_Exhaust]:
        columns = np.concatenate([self.v, self.alfven, self.b], axis=1)
        spans = ((-2 * half, -half), (-half // 2, half // 2), (half, 2 * half))
        medians, scatters = zip(
            *(medians_between(self.time, columns, centre, a, z, _LEAST) for a, z in spans),
            strict=True,
        )
        before, middle, after = medians
        turn = after[:, 6:] - before[:, 6:]
        size = np.linalg.norm(turn, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            axis = turn / size[:, None]
            cosine = (before[:, 6:] * after[:, 6:]).sum(axis=1)
            cosine /= np.linalg.norm(before[:, 6:], axis=1) * np.linalg.norm(after[:, 6:], axis=1)
            angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))

            def along(x: Array) -> Array:
                return (x * axis).sum(axis=1)

            v = [along(m[:, :3]) for m in (before, middle, after)]
            a = [along(m[:, 3:6]) for m in (before, middle, after)]
            slopes = (v[1] - v[0]) / (a[1] - a[0]), (v[2] - v[1]) / (a[2] - a[1])
            jet = v[1] - 0.5 * (v[0] + v[2])
            noise = np.sqrt(0.5 * sum((s[:, :3] ** 2).sum(axis=1) / 3 for s in scatters[::2]))
            good = (angle >= self.shear) & (slopes[0] * slopes[1] < 0)
            for s in slopes:
                good &= (np.abs(s) >= self.low) & (np.abs(s) <= self.high)
            margin = np.abs(jet) / np.maximum(noise, 1e-9) / self.significance
            good &= margin >= 1
        found = []
        for k in np.flatnonzero(good).tolist():
            t = int(centre[k])
            r = tuple(
                self._correlation(*s, axis[k]) for s in ((t - 2 * half, t), (t, t + 2 * half))
            )
            if r[0] * r[1] < 0 and min(abs(r[0]), abs(r[1])) >= self.correlation:
                slope = float(slopes[0][k]), float(slopes[1][k])
                margins = self._margins(float(margin[k]), float(angle[k]), slope, r)
                found.append(
                    _Exhaust(t, half, float(jet[k]), axis[k], slope, r, float(angle[k]), margins)
                )
        return found

    def _margins(
        self, jet: float, angle: float, slope: tuple[float, ...], r: tuple[float, ...]
    ) -> tuple[float, ...]:
        return (jet, angle / self.shear, min(map(abs, slope)) / self.low,
                min(map(abs, r)) / self.correlation)  # fmt: skip

    def _correlation(self, start: int, stop: int, axis: Array) -> float:
        part = within(self.time, Interval(start, stop))
        v, b = self.v[part] @ axis, self.b[part] @ axis
        if v.size < 2 * _LEAST or not (v.std() > 0 and b.std() > 0):
            return 0.0
        return float(np.corrcoef(v, b)[0, 1])


def _described(e: _Exhaust, ions: Ions, field: Field) -> Detection:
    start, stop = e.time - e.width, e.time + e.width
    numbers = {"jet": e.jet, "slope_before": e.slopes[0], "slope_after": e.slopes[1],
               "correlation_before": e.correlations[0], "correlation_after": e.correlations[1],
               "shear": e.shear, "width": 2 * e.width / SECOND}  # fmt: skip
    return Detection(
        "reconnection_exhaust", start, stop, e.time, e.width // 2, score(*e.margins),
        (
            *finite(numbers),
            *vector_numbers("direction", e.axis, field.frame),
            *inside(ions, field, Interval(start, stop)),
            *sides(ions, field, Interval(start - e.width, start), Interval(stop, stop + e.width)),
        ),
    )  # fmt: skip
