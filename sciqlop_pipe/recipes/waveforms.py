"""Waveforms cut into frames, their spectral matrices, and what is around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..constants import (
    ELECTRON_MASS,
    ELEMENTARY_CHARGE,
    PROTON_MASS,
    VACUUM_PERMITTIVITY,
)
from ..errors import DataTypeError, UsageError
from ..granule import duration
from ..kernels.polarization import mean_products
from ..kernels.waveforms import regular_frames
from ..quality import Flag, Flags
from .joining import joined

Frequencies = dict[str, tuple[str, np.ndarray, dict[str, str]]]
"""Variables (time) [Hz] by name, as xarray takes them."""

REGULAR = 0.02
"""How far a spacing of samples may be from the mean of its frame, relative."""

_BLOCK = 64
"""Records whose frames are transformed at once."""

FLAGS = Flags(
    "waves",
    (
        Flag(0, "frames_missing", "some frames have gaps, fill or a change of rate: left out"),
        Flag(1, "no_background_field", "no background field: nothing that refers to it"),
        Flag(2, "few_frames", "fewer than 5 frames averaged: polarization looks too pure"),
        Flag(3, "low_elevation", "field too near to the spin plane for E . B = 0"),
    ),
    source="recipes.waveforms",
)


@dataclass(frozen=True, slots=True)
class Waveform:
    """Samples of a vector: `time` (sample) [ns], ascending, and `values` (sample, component)."""

    time: np.ndarray
    values: np.ndarray

    @property
    def whole(self) -> np.ndarray:
        """Return which samples have all components, (sample)."""
        return np.isfinite(self.values).all(axis=1)

    @property
    def measured(self) -> np.ndarray:
        """Return which components each sample has, as bits, (sample)."""
        return (np.isfinite(self.values) << np.arange(self.values.shape[1])).sum(axis=1)


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of a waveform, grouped in records.

    `first` (frame): their first samples; `start` (record): the first frame of each record, with
    one more for the end; `period` (record) [s]; `time` (record) [ns], the mean of the frames'
    centres; `coverage` (record): good frames among those that could be.
    """

    samples: int
    first: np.ndarray
    start: np.ndarray
    period: np.ndarray
    time: np.ndarray
    coverage: np.ndarray

    @property
    def count(self) -> np.ndarray:
        """Return how many frames each record has."""
        return np.diff(self.start)

    @property
    def frequency(self) -> np.ndarray:
        """Return the frequencies (record, frequency_bin) [Hz], without zero."""
        harmonics = np.arange(1, self.samples // 2 + 1)
        return harmonics / (self.samples * self.period[:, None])


def waveform(series: xr.Dataset) -> Waveform:
    """Return the samples of a VectorSeries, sorted in time; of equal times the first is kept."""
    time = series["time"].values.astype("datetime64[ns]").astype(np.int64)
    values = np.asarray(series["vector"].transpose("time", "component").values, np.float64)
    if time.size > 1 and (np.diff(time) <= 0).any():
        time, kept = np.unique(time, return_index=True)
        values = values[kept]
    return Waveform(time, np.ascontiguousarray(values))


def frames_of(wave: Waveform, measured: np.ndarray, samples: int, step: str, reach: str) -> Frames:
    """Cut a waveform into half-overlapping frames, grouped by steps of UTC.

    Frames with a gap, fill, or a change of rate are left out, never bridged.

    Parameters
    ----------
    wave : Waveform
        The samples.
    measured : ndarray of bool or bits (sample,)
        Which of them count; bits that change within a frame spoil it.
    samples : int
        Samples of a frame, even.
    step : str
        Length of a record.
    reach : str
        Frames that last longer are left out: so far a recipe sees beyond its granule.

    Raises
    ------
    UsageError
        For a frame of fewer than 8 samples or an odd number of them.
    """
    if samples < 8 or samples % 2:
        raise UsageError(f"frames of {samples} samples", "samples", "Take an even number from 8 up")
    first, number, possible = regular_frames(
        wave.time, measured, samples, duration(step), duration(reach), REGULAR
    )
    lasting = wave.time[first + samples - 1] - wave.time[first]
    opening = np.r_[True, np.diff(number) > 0][: first.size]
    # A record has one rate: that of its first frame.
    leader = np.maximum.accumulate(np.where(opening, np.arange(first.size), 0))
    same = np.abs(lasting - lasting[leader]) <= REGULAR * lasting[leader]
    first, number, possible, lasting = (a[same] for a in (first, number, possible, lasting))
    opening = np.flatnonzero(np.r_[True, np.diff(number) > 0][: first.size])
    count = np.diff(np.r_[opening, first.size])
    if not first.size:
        none = np.zeros(0)
        return Frames(samples, first, np.zeros(1, np.int64), none, none.astype(np.int64), none)
    period = np.add.reduceat(lasting, opening) / (count * (samples - 1) * 1e9)
    centre = wave.time[first] + lasting // 2
    since = centre - np.repeat(centre[opening], count)
    time = centre[opening] + np.add.reduceat(since, opening) // count
    return Frames(
        samples, first, np.r_[opening, first.size], period, time, count / possible[opening]
    )


def spectral_matrices(
    wave: np.ndarray, frames: Frames, other: np.ndarray | None = None
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield records and their one-sided spectral matrices <A_i B_j*>.

    Linear trends are removed from each frame, a Hann window is laid over it, and the products of
    the transforms are averaged over the frames of a record (Welch 1967). The transform is that of
    exp(-i omega t): a field turning from x to y has Im <A_x A_y*> > 0.

    Parameters
    ----------
    wave : ndarray (sample, component)
        A.
    frames : Frames
        Where its frames are.
    other : ndarray (sample, component), optional
        B, sampled at the same times; A itself when absent.

    Yields
    ------
    records : slice
    matrix : ndarray complex128 (record, frequency_bin, component, component)
        [units of A times units of B, per Hz].
    """
    window = np.hanning(frames.samples + 1)[:-1]
    sides = np.full(frames.samples // 2, 2.0)
    sides[-1] = 1.0  # the Nyquist frequency has one side only
    for begin in range(0, frames.time.size, _BLOCK):
        records = slice(begin, min(begin + _BLOCK, frames.time.size))
        start = frames.start[records.start : records.stop + 1]
        at = frames.first[start[0] : start[-1], None] + np.arange(frames.samples)
        a = _transforms(wave[at], window)
        b = a if other is None else _transforms(other[at], window)
        scale = frames.period[records] / (frames.count[records] * (window**2).sum())
        yield records, mean_products(a, b, start - start[0], scale[:, None] * sides)


def _transforms(x: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Return transforms (frame, frequency, component) of frames (frame, sample, component)."""
    at = np.arange(x.shape[1]) - 0.5 * (x.shape[1] - 1)
    x = x - x.mean(axis=1, keepdims=True)
    slope = (x * at[:, None]).sum(axis=1, keepdims=True) / (at**2).sum()
    x = (x - slope * at[:, None]) * window[:, None]
    return np.fft.rfft(x, axis=1)[:, 1:]


def background(b: xr.Dataset | None, time: np.ndarray, step: str, reach: str) -> np.ndarray:
    """Mean field around each time (time, 3) [nT], NaN where it is unknown.

    Parameters
    ----------
    b : Dataset or None
        VectorSeries [nT].
    time : ndarray of int64 (time,)
        [ns].
    step : str
        Averaged over so long, centred.
    reach : str
        Without a sample there: interpolated between two that are no farther apart.
    """
    if b is None:
        return np.full((time.size, 3), np.nan)
    field = waveform(b)
    return joined(field.time, field.values, time, step, reach)


def require_frame_of(wave: xr.Dataset, b: xr.Dataset, what: str) -> str:
    """Return the frame of a wave; refuse a second field that is in another one.

    Raises
    ------
    DataTypeError
        When the frames differ.
    """
    mine, other = (str(x["vector"].attrs.get("frame", "")) for x in (wave, b))
    if mine != other:
        raise DataTypeError(f"the wave is in {mine}, {what} in {other}", what,
                            "Rotate one of them into the frame of the other")  # fmt: skip
    return mine


def cyclotron_frequencies(strength: np.ndarray) -> Frequencies:
    """Cyclotron frequencies (time) [Hz] of electrons and protons, of |B| (time) [nT], by name.

        f_ce = eB/2 pi m_e,  f_cp = eB/2 pi m_p

    References
    ----------
    NRL Plasma Formulary (2019), p. 28.
    """
    ce = ELEMENTARY_CHARGE * strength * 1e-9 / (2 * np.pi * ELECTRON_MASS)
    cp = ce * (ELECTRON_MASS / PROTON_MASS)
    return {
        "electron_cyclotron_frequency": _frequency(ce, "electron cyclotron frequency"),
        "proton_cyclotron_frequency": _frequency(cp, "proton cyclotron frequency"),
    }


def plasma_frequencies(strength: np.ndarray, density: np.ndarray) -> Frequencies:
    """Plasma and lower hybrid frequency (time) [Hz], of |B| [nT] and electron density [cm^-3].

        f_pe = (n e^2/eps0 m_e)^1/2 / 2 pi,  f_lh = [ (f_ce f_cp)^-1 + f_pp^-2 ]^-1/2

    References
    ----------
    NRL Plasma Formulary (2019), p. 28; Stix, T. H. (1992), Waves in Plasmas, section 2-3.
    """
    ce, cp = (values for _, values, _ in cyclotron_frequencies(strength).values())
    squared = np.where(density > 0, density, np.nan) * 1e6 * ELEMENTARY_CHARGE**2
    pe = np.sqrt(squared / (VACUUM_PERMITTIVITY * ELECTRON_MASS)) / (2 * np.pi)
    pp = pe * np.sqrt(ELECTRON_MASS / PROTON_MASS)
    with np.errstate(divide="ignore"):
        lower = 1 / np.sqrt(1 / (ce * cp) + 1 / pp**2)
    return {
        "plasma_frequency": _frequency(pe, "electron plasma frequency"),
        "lower_hybrid_frequency": _frequency(lower, "lower hybrid frequency"),
    }


def _frequency(values: np.ndarray, words: str) -> tuple[str, np.ndarray, dict[str, str]]:
    return "time", values, {"units": "Hz", "long_name": words}
