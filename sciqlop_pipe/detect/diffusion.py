"""Events: candidates for electron diffusion regions of reconnection."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import Events, FieldAligned, ScalarSeries, VectorSeries
from ..granule import MINUTE, SECOND, Interval
from ..kernels.windows import medians_between
from ..model import Margin, Without, recipe
from ..recipes.joining import joined
from ..store.records import Event
from .describing import Detection, events, finite, score, sides
from .series import edges_of, field_of, require_cadence, stretches, within

_GAP = SECOND
_AROUND = 30 * SECOND


@recipe(gives=Events, version=1, gaps_ok=True)
def electron_diffusion_regions(
    electrons: Annotated[FieldAligned, Margin("2min")],
    b: Annotated[VectorSeries, Margin("2min")],
    conversion: Annotated[
        ScalarSeries | None, Margin("2min"), Without("it is not asked whether J.E' is positive")
    ] = None,
    *,
    dataset: str,
    interval: Interval,
    agyrotropy: float = 0.1,
    above: float = 2.0,
    weak: float = 0.7,
    power: float = 1.0,
) -> tuple[Event, ...]:
    """Candidates for electron diffusion regions, for people to look at, in time order.

    Two or more records within which the agyrotropy sqrt(Q) of electrons exceeds `agyrotropy` and
    `above` times its median within 30 s, while |B| is below `weak` times its median within 30 s;
    with `conversion`, J.E' reaches `power` in them. Few counts make electrons look agyrotropic:
    where the magnetosphere is thin these are mostly noise.

    Attributes: agyrotropy (the largest) and its ratio to the surroundings, field_ratio,
    j_dot_e [nW m^-3] (the largest), duration [s], magnetic_field before, after and jump.

    Parameters
    ----------
    electrons : FieldAligned
        agyrotropy [1]; a record in 0.2 s or faster.
    b : VectorSeries
        Magnetic field [nT].
    conversion : ScalarSeries, optional
        J . E' of four spacecraft.
    dataset : str
        Name of the dataset of events.
    interval : Interval
        Events that start inside are returned.
    agyrotropy, above, weak : float
        [1] (agyrotropy: of the size that Swisdak 2016 finds in simulations, unconfirmed; the
        others ours).
    power : float
        [nW m^-3] (ours).

    Raises
    ------
    UsageError
        When the electrons are slower than a record in 0.2 s: the regions pass in less.

    References
    ----------
    Burch et al. (2016), Science 352, aaf2939, doi:10.1126/science.aaf2939; Swisdak (2016),
    Geophys. Res. Lett. 43, 43, doi:10.1002/2015GL066980; Webster et al. (2018), J. Geophys. Res.
    123, 4858, doi:10.1029/2018JA025245.
    """
    field = field_of(b)
    time = electrons["time"].values.astype(np.int64)
    require_cadence(time, "200ms", "the electrons", "electron_diffusion_regions")
    q = electrons["agyrotropy"].values.astype(np.float64)
    keep = np.isfinite(q) & (q >= 0) & (q <= 1)
    time, q = time[keep], q[keep]
    if not (time.size and field.time.size):
        return ()
    strength = joined(field.time, field.strength, time, "30ms", "1s")
    columns = np.column_stack((q, strength))
    clock = np.unique(time // SECOND) * SECOND
    around, _ = medians_between(time, columns, clock, -_AROUND, _AROUND, 10)
    usual = around[np.searchsorted(clock, time, side="right") - 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio, field_ratio = q / usual[:, 0], strength / usual[:, 1]
        good = (q > agyrotropy) & (ratio > above) & (field_ratio < weak)
    found = []
    for run in stretches(good, time, _GAP):
        start, stop, edge = edges_of(time, run, _GAP)
        top = run.start + int(np.argmax(q[run]))
        margins = [float(q[top]) / agyrotropy, float(ratio[top]) / above]
        work = float("nan")
        if conversion is not None:
            work = _largest(conversion, Interval(start - SECOND, stop + SECOND))
            margins.append(work / power)
        if run.stop - run.start < 2 or (conversion is not None and not work >= power):
            continue
        numbers = {"agyrotropy": float(q[top]), "agyrotropy_ratio": float(ratio[top]),
                   "field_ratio": float(np.nanmin(field_ratio[run])), "j_dot_e": work,
                   "duration": (stop - start) / SECOND}  # fmt: skip
        found.append(
            Detection(
                "edr_candidate", start, stop, int(time[top]), edge, score(*margins),
                (
                    *finite(numbers),
                    *sides(None, field, Interval(start - MINUTE // 6, start),
                           Interval(stop, stop + MINUTE // 6))[-3:],
                ),
                (),
                () if conversion is not None else ("conversion",),
            )
        )  # fmt: skip
    return events(found, electron_diffusion_regions, dataset, interval)


def _largest(conversion: xr.Dataset, span: Interval) -> float:
    """Return the largest J . E' in a span [nW m^-3], NaN without records."""
    time = conversion["time"].values.astype(np.int64)
    values = conversion["value"].values.astype(np.float64)[within(time, span)]
    known = values[np.isfinite(values)]
    return float(known.max()) if known.size else float("nan")
