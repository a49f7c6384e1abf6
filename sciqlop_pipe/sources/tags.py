"""Time tags with more to say than a constant shift: lengths per record, seconds since 1970."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .conventions import Shift, converted, require

if TYPE_CHECKING:
    from .cdf import CdfFile


@dataclass(frozen=True, slots=True)
class Lasting(Shift):
    """A tag at the start of an accumulation whose length the file tells, record by record.

    Parameters
    ----------
    duration : str
        The variable with the length of the accumulations, (n,) or one for all.
    declared : str
        Its unit, where the UNITS attribute is absent or one that is not known.
    """

    duration: str = ""
    declared: str = ""

    @property
    def latest(self) -> int:
        """How much later than its tag [ns] a centre may be: no accumulation lasts longer."""
        return 120 * 1_000_000_000

    def centre(self, cdf: CdfFile, name: str) -> np.ndarray:
        """Return the centre times (n,) as datetime64[ns]; NaT where the length is fill."""
        require(cdf, [self.duration])
        half = np.ravel(converted(cdf, self.duration, "s", self.declared)).astype(np.float64) / 2
        unknown = ~np.isfinite(half)
        shift = np.rint(np.where(unknown, 0, half) * 1e6).astype("m8[us]").astype("m8[ns]")
        times = cdf.times(name) + shift
        times[np.broadcast_to(unknown, times.shape)] = np.datetime64("NaT", "ns")
        return times


@dataclass(frozen=True, slots=True)
class UnixSeconds(Shift):
    """A tag in seconds since 1970 UTC (no leap seconds), a plain number to CDF.

    `ns` is how far the centre of the measurement lies after the tag [ns].
    """

    def centre(self, cdf: CdfFile, name: str) -> np.ndarray:
        """Return the centre times (n,) as datetime64[ns]; NaT for fill. Microseconds are kept."""
        seconds = np.ravel(np.asarray(cdf.values(name), np.float64))
        unknown = ~np.isfinite(seconds)
        # float64 holds today's seconds to 0.2 us: nanoseconds of it would be noise.
        times = np.rint(np.where(unknown, 0, seconds) * 1e6).astype("M8[us]").astype("M8[ns]")
        times += np.timedelta64(self.ns, "ns")
        times[unknown] = np.datetime64("NaT", "ns")
        return times
