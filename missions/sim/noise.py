"""Randomness that depends on (seed, time) only: any piece of a simulation can be made alone.

Two kinds: smooth processes are sums of sines with seeded periods and phases; per-sample noise comes
from a counter-based generator, keyed by (seed, name, number of the sample).
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from sciqlop_pipe.granule import instant

ORIGIN = instant("2030-01-01")
"""Where the clocks of the simulation count from; any constant would do."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Harmonics:
    """A smooth stationary process of zero mean and unit variance: equal power per octave.

    Parameters
    ----------
    periods : tuple of float
        Periods of its sines [s].
    phases : tuple of float
        Their phases at `ORIGIN` [rad].
    """

    periods: tuple[float, ...]
    phases: tuple[float, ...]

    @classmethod
    def seeded(
        cls, seed: int, name: str, shortest: float, longest: float, count: int = 12
    ) -> Harmonics:
        """Return the process that belongs to a seed and a name.

        Parameters
        ----------
        seed : int
            Seed of the simulation.
        name : str
            What the process is for: other names give independent processes.
        shortest, longest : float
            Range of its periods [s].
        count : int
            Number of sines, one in each of as many equal logarithmic bands.
        """
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        place = (np.arange(count) + rng.random(count)) / count
        periods = shortest * (longest / shortest) ** place
        return cls(tuple(periods.tolist()), tuple((2 * np.pi * rng.random(count)).tolist()))

    def at(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the process at some times, (time) [1].

        Parameters
        ----------
        time : int64 array, (time)
            Nanoseconds since 1970 UTC.
        """
        seconds = np.ascontiguousarray(time - ORIGIN) * 1e-9
        frequencies = 1 / np.array(self.periods)
        total = _sum_of_sines(seconds, frequencies, np.array(self.phases) / (2 * np.pi))
        return total * math.sqrt(2 / len(self.periods))


@nb.njit(nogil=True, cache=True)
def _sum_of_sines(seconds, frequencies, phases):  # type: ignore[no-untyped-def]
    """Return the sum of sin(2 pi (f t + phase)), (time), to 1e-9.

    The sine is its series on a quarter turn, without a branch or a call: several samples at a time,
    and each the same whatever its neighbours (library sines on arrays promise neither).
    """
    total = np.zeros(seconds.size)
    for i in range(frequencies.size):
        for j in range(seconds.size):
            turns = seconds[j] * frequencies[i] + phases[i]
            x = turns - math.floor(turns + 0.5)
            folded = (0.5 if x > 0.0 else -0.5) - x
            z = 2.0 * math.pi * (folded if abs(x) > 0.25 else x)
            s = z * z
            p = 1 / 362_880 + s * (-1 / 39_916_800 + s * (1 / 6_227_020_800))
            p = 1.0 + s * (-1 / 6 + s * (1 / 120 + s * (-1 / 5_040 + s * p)))
            total[j] += z * p
    return total


def stream_key(seed: int, name: str) -> int:
    """Return the 64-bit key of a per-sample noise stream."""
    state = np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(1, np.uint64)
    return int(state[0])


@nb.njit(inline="always")
def next_uniform(state):  # type: ignore[no-untyped-def]
    """Return the following state and a uniform number in (0, 1), by splitmix64.

    Steele, Lea and Flood, OOPSLA 2014, doi:10.1145/2660193.2660195.
    """
    state = np.uint64(state + _GOLDEN)
    z = state
    z = np.uint64((z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9))
    z = np.uint64((z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB))
    z = z ^ (z >> np.uint64(31))
    return state, (np.float64(z >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)


@nb.njit(inline="always")
def stream_start(key, number):  # type: ignore[no-untyped-def]
    """Return the state from which the noise of sample `number` is drawn."""
    z = np.uint64(np.uint64(key) ^ np.uint64(np.uint64(number) * np.uint64(0xD1342543DE82EF95)))
    z = np.uint64((z ^ (z >> np.uint64(32))) * np.uint64(0xDABA0B6EB09322E3))
    return np.uint64(z ^ (z >> np.uint64(29)))


@nb.njit
def normal_quantile(p):  # type: ignore[no-untyped-def]
    """Return the standard normal deviate of a probability, to 1e-7: PPND7 of Wichura (1988).

    Algorithm AS 241, Applied Statistics 37, 477-484.
    """
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = ((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179
        return q * top / (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0)
    r = math.sqrt(-math.log(min(p, 1.0 - p)))
    if r <= 5.0:
        r -= 1.6
        top = ((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777
        z = top / ((0.12021132975 * r + 0.73700164250) * r + 1.0)
    else:
        r -= 5.0
        top = ((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150
        z = top / ((0.012258202635 * r + 0.24197894225) * r + 1.0)
    return math.copysign(z, q)


@nb.njit(nogil=True, cache=True)
def gaussian(key, numbers, columns):  # type: ignore[no-untyped-def]
    """Return standard normal noise, (sample, column).

    Parameters
    ----------
    key : uint64
        From `stream_key`.
    numbers : int64 array, (sample)
        Absolute numbers of the samples: the noise of one depends on nothing else.
    columns : int
        Independent values per sample.
    """
    out = np.empty((numbers.size, columns))
    for i in range(numbers.size):
        state = stream_start(key, numbers[i])
        for j in range(columns):
            state, u = next_uniform(state)
            out[i, j] = normal_quantile(u)
    return out
