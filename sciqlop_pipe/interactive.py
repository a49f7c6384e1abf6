"""What a person sees of a distribution at one time or over an interval, straight from the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from .errors import UsageError
from .granule import DAY, Interval, duration, instant, iso
from .recipes.averages import mean_over
from .recipes.fused import fused
from .recipes.reduced import reduced_1d, reduced_2d
from .recipes.rotations import rotate_distribution, rotate_moments
from .recipes.slices import slices
from .store import Store

ALL = "36500d"
"""One window for everything: longer than any look."""

AXES = ("field", "instrument", "turned")
FAR = DAY // 24
"""How far beyond a stretch an attitude is read [ns]: its samples may be minutes apart."""

REMEMBERED = 50
"""Distributions that a session keeps in memory between looks, 7 MB of FPI with errors."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look shows. Datasets have one record, the mean over the distributions in it.

    `planes` are Reduced2D or Slices, `cuts` f (time, plane, v1) of these planes along their first
    axis through the middle of the second, `line` is Reduced1D along b (or x), `pitch_angles` is
    None without a field; `moments` and `spectrum` are those of every distribution, `count` how many
    they are.
    """

    planes: xr.Dataset
    cuts: xr.Dataset
    line: xr.Dataset
    pitch_angles: xr.Dataset | None
    moments: xr.Dataset
    spectrum: xr.Dataset
    count: int


class Session:
    """A distribution of a store that is kept open, and what goes with it.

    Parameters
    ----------
    store : Store
        Where it is.
    dataset : str
        Name of a VDF.
    b : str
        Name of the magnetic field in its frame; axes are field-aligned with it, otherwise those of
        the frame.
    attitude : str
        Name of an Attitude that turns its frame into another one, for looks with `turned`.
    within : Interval, optional
        Where looks are taken: nothing else is read.
    accumulation, reach : str
        As in the recipes.
    """

    def __init__(
        self,
        store: Store,
        dataset: str,
        b: str = "",
        *,
        attitude: str = "",
        within: Interval | None = None,
        accumulation: str = "150ms",
        reach: str = "2s",
    ) -> None:
        self.name = dataset
        self.field_times: dict[str, Any] = {"accumulation": accumulation, "reach": reach}
        ends = (None, None) if within is None else (within.start, within.stop)
        pad = duration(reach) + duration(accumulation)
        wide = (None, None) if within is None else (within.start - pad, within.stop + pad)
        far = (None, None) if within is None else (within.start - FAR, within.stop + FAR)
        self._vdf = store.read(dataset, *ends)
        self._times = self._vdf["time"].values.astype("datetime64[ns]").astype(np.int64)
        self._b = store.read(b, *wide).load() if b else None
        self._attitude = store.read(attitude, *far).load() if attitude else None
        self._last: tuple[tuple[int, int], xr.Dataset] | None = None

    @property
    def times(self) -> np.ndarray:
        """Return the times (time,) of its distributions [ns since 1970 UTC]."""
        return self._times

    @property
    def turned_to(self) -> str:
        """Return the other frame of the attitude, '' without one."""
        if self._attitude is None:
            return ""
        ends = [str(self._attitude.attrs[k]) for k in ("from_frame", "to_frame")]
        mine = str(self._vdf.attrs["frame"])
        return next((e for e in ends if e != mine), "")

    def distributions(self, start: Any, stop: Any = None) -> xr.Dataset:
        """Return the distributions in [start, stop), or the one nearest to start, in memory.

        Raises
        ------
        UsageError
            When there is none.
        """
        begin = instant(start)
        if stop is None:
            rows = [int(np.argmin(np.abs(self._times - begin)))] if self._times.size else []
        else:
            low, high = np.searchsorted(self._times, [begin, instant(stop)])
            rows = list(range(int(low), int(high)))
        if not rows:
            raise UsageError(
                f"there is no distribution at {iso(begin)}", self.name, "Take a longer interval"
            )
        ends = (rows[0], rows[-1] + 1)
        kept = self._last
        if kept is None or kept[0] != ends:
            kept = (ends, self._vdf.isel(time=slice(*ends)).load())
            self._last = kept if ends[1] - ends[0] <= REMEMBERED else None
        return kept[1]

    def look(
        self,
        start: Any,
        stop: Any = None,
        *,
        v_max: float = 2500.0,
        bins: int = 100,
        sliced: bool = False,
        axes: str = "",
        bulk: bool = False,
    ) -> Look:
        """Return planes, cuts, a line, pitch angles and moments at a time or over [start, stop).

        Parameters
        ----------
        start, stop : time
            UTC. Without stop the distribution nearest to start.
        v_max, bins : float, int
            The grid, as in `reduced_2d`.
        sliced : bool
            Slices instead of reduced planes.
        axes : str
            Those of the planes: "field" (along b), "instrument" (of the distribution's frame),
            "turned" (of the other frame of the attitude); along b where there is one by default.
        bulk : bool
            The origin moves with the bulk velocity of every distribution.

        Raises
        ------
        UsageError
            When there is no distribution, or not what the axes need.
        """
        axes = axes or ("instrument" if self._b is None else "field")
        if axes not in AXES:
            raise UsageError(f"'{axes}' are no axes", self.name, f"One of {', '.join(AXES)}")
        if (axes == "field" and self._b is None) or (axes == "turned" and self._attitude is None):
            wanted = "a magnetic field" if axes == "field" else "an attitude"
            raise UsageError(f"axes '{axes}' need {wanted} in its frame", self.name)
        vdf = self.distributions(start, stop)
        whole = fused(vdf, self._b, **self.field_times)
        b, seen, origin = self._b if axes == "field" else None, vdf, whole.moments
        if axes == "turned":
            seen = rotate_distribution(vdf, self._attitude)
            origin = rotate_moments(whole.moments, self._attitude) if bulk else origin
        grid: dict[str, Any] = {"v_max": v_max, "bins": bins, **self.field_times}
        if bulk:
            grid["bulk"] = origin
        every = (slices if sliced else reduced_2d)(seen, b, **grid)
        planes = mean_over(every, ALL)
        line = mean_over(reduced_1d(seen, b, **grid), ALL)
        middle = planes.sizes["v2"] // 2
        cuts = (
            planes[["f"]]
            .isel(v2=[(planes.sizes["v2"] - 1) // 2, middle])
            .mean("v2", keep_attrs=True)
        )
        angles = whole.pitch_angles
        if angles is not None:
            angles = angles.mean("time", keep_attrs=True, skipna=True).expand_dims(
                time=planes["time"].values
            )
        moments, spectrum = whole.moments, whole.energy_spectrum
        return Look(planes, cuts, line, angles, moments, spectrum, vdf.sizes["time"])


def look(
    store: Store, dataset: str, start: Any, stop: Any = None, *, b: str = "", **options: Any
) -> Look:
    """Return one look at a distribution; a `Session` keeps it open for the next one.

    Parameters
    ----------
    store, dataset, b
        As for `Session`.
    start, stop, **options
        As for `Session.look`.
    """
    return Session(store, dataset, b).look(start, stop, **options)
