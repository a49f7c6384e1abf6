"""Power spectra of waveforms: by windowed transforms, and by Morlet wavelets."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import Moments, VectorSeries, WaveSpectrum
from ..errors import UsageError
from ..granule import DAY, duration
from ..kernels.waveforms import even_runs, wavelet_powers
from ..model import Margin, recipe
from .joining import joined
from .waveforms import (
    FLAGS,
    REGULAR,
    Frequencies,
    Waveform,
    background,
    cyclotron_frequencies,
    frames_of,
    plasma_frequencies,
    spectral_matrices,
    waveform,
)

DENSITY_REACH = "1min"
"""How far from a spectrum its density may have been measured."""

OMEGA = 6.0
"""Centre of the Morlet wavelet, in radians per width: about six oscillations under it."""

SUPPORT = 4.0
"""Widths at which the wavelet is cut off: e^-8 of its peak."""


@recipe(gives=WaveSpectrum, version=2)
def power_spectrum(
    wave: Annotated[VectorSeries, Margin("step"), Margin("reach")],
    b: Annotated[VectorSeries | None, Margin("step"), Margin("reach")] = None,
    moments: Annotated[Moments | None, Margin("step"), Margin(DENSITY_REACH)] = None,
    *,
    samples: int = 256,
    step: str = "1s",
    reach: str = "10s",
) -> xr.Dataset:
    """Power spectral density (time, frequency_bin, component) and its sum, [units^2 Hz^-1].

        P_i(f) = 2 dt / sum(w^2) < |FFT(w x_i)|^2 >

    averaged over half-overlapping Hann-windowed frames that begin within a step (Welch 1967):
    white noise of variance s^2 gives P = 2 s^2 dt, and the sum of P df is the variance. Linear
    trends are removed frame by frame. Frames that hold a gap, fill or a change of rate are left
    out, and `coverage` is the part that remains; a step without any good frame has no record.

    Parameters
    ----------
    wave : VectorSeries
        The waveform (time, component), any units. A component that was not measured is NaN, and
        `total` is the sum of those that were.
    b : VectorSeries, optional
        Background field [nT], in any frame: gives the cyclotron frequencies.
    moments : Moments, optional
        With b, its density gives plasma and lower hybrid frequencies (charge neutrality taken
        for granted).
    samples : int
        Samples of a frame: frequencies are multiples of rate/samples, up to half the rate.
    step : str
        Length of a record, counted in UTC.
    reach : str
        Frames that last longer are left out; a background sample may be as far away.

    Returns
    -------
    Dataset
        power, total, frequency (time, frequency_bin) [Hz], coverage (time); the characteristic
        frequencies (time) [Hz], NaN without their inputs. Time is the mean centre of the frames.

    Raises
    ------
    UsageError
        For an odd number of samples or fewer than 8.

    References
    ----------
    Welch, P. D. (1967), IEEE Trans. Audio Electroacoust. 15, 70.
    """
    form = waveform(wave)
    frames = frames_of(form, form.measured, samples, step, reach)
    power = np.empty((frames.time.size, samples // 2, form.values.shape[1]), np.float32)
    for records, matrix in spectral_matrices(form.values, frames):
        power[records] = np.einsum("rfii->rfi", matrix).real
    ds = _dataset(wave, frames.time, power, frames.frequency, frames.coverage)
    ds.attrs["method"] = f"{samples} samples, Hann window, half overlap"
    flags = (frames.coverage < 1).astype(np.uint32)
    ds = ds.assign(_beside(b, moments, frames.time, step, reach))
    return ds.assign(quality=("time", flags, FLAGS.attrs))


@recipe(gives=WaveSpectrum, version=2)
def wavelet_spectrum(
    wave: Annotated[VectorSeries, Margin("step"), Margin("reach")],
    b: Annotated[VectorSeries | None, Margin("step"), Margin("reach")] = None,
    moments: Annotated[Moments | None, Margin("step"), Margin(DENSITY_REACH)] = None,
    *,
    f_min: float = 0.1,
    f_max: float = 1000.0,
    per_octave: int = 4,
    step: str = "1s",
    reach: str = "40s",
) -> xr.Dataset:
    """Power spectral density by Morlet wavelets (time, frequency_bin, component) [units^2 Hz^-1].

        W(f, t) = integral of x(t') psi*((t' - t)/s) dt',  psi(u) = exp(i w0 u - u^2/2), w0 = 6

    with s = w0/2 pi f, normalised so that white noise of one-sided density P gives P. |W|^2 is
    the mean over the step, taken every width s; the wavelet is cut off at four widths, so that
    a gap is felt no farther: where the wavelet would touch one, or the end of what was sampled,
    there is NaN, and `coverage` (time, frequency_bin) says how much of the step remains. Flagged
    are steps of which some frequency lacks a part, those beyond the sampling aside.

    Parameters
    ----------
    wave : VectorSeries
        The waveform (time, component), any units.
    b, moments : optional
        As in `power_spectrum`.
    f_min, f_max : float
        Lowest and highest frequency [Hz]. Those above 0.4 of the sampling rate are NaN.
    per_octave : int
        Frequencies per factor of two.
    step : str
        Length of a record, counted in UTC; must divide a day. Time is its middle.
    reach : str
        Half the length of the longest wavelet: 4 w0/(2 pi f_min) must fit.

    Raises
    ------
    UsageError
        When the lowest frequency does not fit in reach, the step does not divide a day, or the
        range of frequencies is empty.

    References
    ----------
    Torrence, C. and Compo, G. P. (1998), Bull. Am. Meteorol. Soc. 79, 61.
    """
    frequency = _octaves(f_min, f_max, per_octave)
    if SUPPORT * OMEGA / (2 * np.pi * f_min) * 1e9 > duration(reach):
        raise UsageError(
            f"a wavelet of {f_min:g} Hz reaches {SUPPORT * OMEGA / (2 * np.pi * f_min):.3g} s",
            "wavelet_spectrum",
            f"Raise f_min, or reach from {reach}",
        )
    if DAY % duration(step):
        raise UsageError(f"step={step} does not divide a day", "wavelet_spectrum", "Take 1s, 4s...")
    form = waveform(wave)
    steps = np.unique(form.time // duration(step))
    shape = (steps.size, frequency.size, form.values.shape[1])
    power, coverage = np.full(shape, np.nan, np.float32), np.zeros(shape[:2], np.float32)
    run = even_runs(form.time, form.measured, REGULAR)
    if form.time.size > 1:
        for k, f in enumerate(frequency):
            power[:, k], coverage[:, k] = _wavelet(form, run, f, steps, duration(step))
    time = steps * duration(step) + duration(step) // 2
    ds = _dataset(wave, time, power, frequency, coverage)
    ds.attrs["method"] = f"Morlet wavelet, w0 = {OMEGA:g}"
    flags = _incomplete(coverage).astype(np.uint32)
    ds = ds.assign(_beside(b, moments, time, step, reach))
    return ds.assign(quality=("time", flags, FLAGS.attrs))


def _incomplete(coverage: np.ndarray) -> np.ndarray:
    """Tell which steps lack a part (step), of coverage (step, frequency).

    The shortest wavelets fit wherever any does, so frequencies above all that were seen are those
    that the sampling rate does not reach: nothing is missing there.
    """
    seen = coverage > 0
    reached = np.flip(np.maximum.accumulate(np.flip(seen, axis=1), axis=1), axis=1)
    return np.asarray((reached & (coverage < 1)).any(axis=1) | ~seen.any(axis=1))


def _octaves(f_min: float, f_max: float, per_octave: int) -> np.ndarray:
    if not 0 < f_min < f_max or per_octave < 1:
        raise UsageError(
            f"frequencies from {f_min:g} to {f_max:g} Hz, {per_octave} per octave",
            "wavelet_spectrum", "Take 0 < f_min < f_max and at least one per octave",
        )  # fmt: skip
    return f_min * 2 ** (np.arange(1 + int(per_octave * np.log2(f_max / f_min))) / per_octave)


def _wavelet(
    form: Waveform, run: np.ndarray, f: float, steps: np.ndarray, step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean power (step, component) and coverage (step) at one frequency."""
    width = OMEGA / (2 * np.pi * f)
    points = max(int(np.ceil(step / (width * 1e9))), 1)
    want = ((steps[:, None] + (np.arange(points) + 0.5) / points) * step).astype(np.int64).ravel()
    centre = np.clip(np.searchsorted(form.time, want), 0, form.time.size - 1)
    period = _periods(form.time, centre)
    # Digits: windows of one rate share a wavelet, and which one does not depend on the others.
    period = np.where(np.abs(form.time[centre] - want) <= 2e9 * period, period, np.nan)
    found = np.full((want.size, form.values.shape[1]), np.nan)
    for dt in np.unique(period[np.isfinite(period)]):
        if f > 0.4 / dt:
            continue
        mine = np.flatnonzero(period == dt)
        half = int(np.ceil(SUPPORT * width / dt))
        kernel = _morlet(width, dt, half)
        found[mine] = wavelet_powers(form.values, run, centre[mine], half, kernel)
    mean = found.reshape(steps.size, points, -1)
    known = np.isfinite(mean)
    count, total = known.sum(axis=1), np.where(known, mean, 0).sum(axis=1)
    return total / np.where(count > 0, count, np.nan), known.any(axis=2).sum(axis=1) / points


def _periods(time: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Sampling period around samples [s], to three digits."""
    before, after = np.maximum(centre - 1, 0), np.minimum(centre + 1, time.size - 1)
    period = (time[after] - time[before]) / np.maximum(after - before, 1) * 1e-9
    return np.exp(np.round(np.log(period), 3))


def _morlet(width: float, dt: float, half: int) -> np.ndarray:
    """Conjugate wavelet on its samples, normalised to unit response to white noise."""
    u = np.arange(-half, half + 1) * dt / width
    kernel = np.exp(-1j * OMEGA * u - 0.5 * u**2)
    # One-sided density P: samples of variance P/2dt; the mean of |sum k x|^2 is P/2dt sum |k|^2.
    return kernel * np.sqrt(2 * dt / (np.abs(kernel) ** 2).sum())


def _dataset(
    wave: xr.Dataset, time: np.ndarray, power: np.ndarray, frequency: np.ndarray, seen: np.ndarray
) -> xr.Dataset:
    about = wave["vector"].attrs
    units = f"({about.get('units', '1')})^2 Hz^-1"
    name = about.get("long_name", "wave")
    per = ("time", "frequency_bin")
    coords: dict[str, object] = {"time": time.astype("datetime64[ns]")}
    if "component" in wave.coords:
        coords["component"] = wave["component"].values
    measured = np.where(np.isfinite(power), power, 0).sum(axis=2)
    total = np.where(np.isfinite(power).any(axis=2), measured, np.nan).astype(np.float32)
    return xr.Dataset(
        {
            "power": ((*per, "component"), power,
                      {"units": units, "long_name": f"power of {name}",
                       "frame": about.get("frame", "")}),
            "total": (per, total, {"units": units, "long_name": f"total power of {name}"}),
            "frequency": (per[2 - frequency.ndim :], frequency.astype(np.float64),
                          {"units": "Hz", "long_name": "frequency"}),
            "coverage": (per[: seen.ndim], seen.astype(np.float32),
                         {"units": "1", "long_name": "part of the step that was measured"}),
        },
        coords,
    )  # fmt: skip


def _beside(
    b: xr.Dataset | None, moments: xr.Dataset | None, time: np.ndarray, step: str, reach: str
) -> Frequencies:
    """Characteristic frequencies; NaN without what they need, so that hours with it join."""
    strength = np.sqrt((background(b, time, step, reach) ** 2).sum(axis=1))
    density = np.full(time.size, np.nan)
    if moments is not None:
        values = np.asarray(moments["density"].values, np.float64)
        density = joined(moments["time"].values, values, time, step, DENSITY_REACH)
    return cyclotron_frequencies(strength) | plasma_frequencies(strength, density)
