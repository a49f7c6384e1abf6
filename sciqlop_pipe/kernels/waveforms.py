"""Frames of evenly sampled waveforms, and convolution with a wavelet."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def regular_frames(time, measured, samples, step, longest, tolerance):
    """Half-overlapping frames of evenly spaced measured samples, by steps of UTC.

    In each step [k step, (k + 1) step) frames begin at its first sample and then at every
    `samples // 2`-th one: where they lie depends on nothing outside the step.

    Parameters
    ----------
    time : ndarray int64 (sample)
        Ascending [ns].
    measured : ndarray (sample)
        Which components a sample has, as bits; 0 for none. It must not change within a frame.
    samples, step : int
        Samples of a frame; length of a step [ns].
    longest : int
        A frame that lasts longer is none [ns].
    tolerance : float
        How far a spacing may be from the mean of its frame, relative.

    Returns
    -------
    first : ndarray int64 (frame)
        First sample of each good frame.
    number : ndarray int64 (frame)
        Step it begins in.
    possible : ndarray int64 (frame)
        Frames that begin in that step, good or not.
    """
    hop = max(samples // 2, 1)
    room = time.size // hop + 2
    room += min((time[-1] - time[0]) // step + 1, time.size) if time.size else 0
    first = np.empty(room, np.int64)
    number = np.empty(room, np.int64)
    possible = np.empty(room, np.int64)
    found, i = 0, 0
    while i < time.size:
        k = time[i] // step
        stop = (k + 1) * step
        mine, count, j = found, 0, i
        while j < time.size and time[j] < stop:
            count += 1
            if _regular(time, measured, j, samples, longest, tolerance):
                first[found] = j
                number[found] = k
                found += 1
            j += hop
        possible[mine:found] = count
        while i < time.size and time[i] < stop:
            i += 1
    return first[:found], number[:found], possible[:found]


@njit(nogil=True, cache=True, inline="always")
def _regular(time, measured, j, samples, longest, tolerance):
    last = j + samples - 1
    if last >= time.size or time[last] - time[j] > longest or not measured[j]:
        return False
    mean = (time[last] - time[j]) / (samples - 1)
    for i in range(j + 1, last + 1):
        if measured[i] != measured[j] or abs(time[i] - time[i - 1] - mean) > tolerance * mean:
            return False
    return True


@njit(nogil=True, cache=True)
def even_runs(time, measured, tolerance):
    """Number of the evenly sampled run that each sample belongs to, -1 where nothing is measured.

    A run ends where a spacing differs from the one before by more than `tolerance`, relative, and
    where other components are measured.

    Parameters
    ----------
    time : ndarray int64 (sample)
        Ascending [ns].
    measured : ndarray (sample)
        Which components a sample has, as bits; 0 for none.
    tolerance : float
        Relative.
    """
    run = np.full(time.size, -1, np.int64)
    current = 0
    for i in range(time.size):
        if not measured[i]:
            current += 1
            continue
        if i > 0 and measured[i] != measured[i - 1]:
            current += 1
        if i > 1 and run[i - 1] == current and run[i - 2] == current:
            before, here = time[i - 1] - time[i - 2], time[i] - time[i - 1]
            if abs(here - before) > tolerance * before:
                current += 1
        elif i > 0 and run[i - 1] == current and i + 1 < time.size:
            # The second sample of a run: a gap before it shows against the spacing after it.
            here, after = time[i] - time[i - 1], time[i + 1] - time[i]
            if here - after > tolerance * after:
                current += 1
        run[i] = current
    return run


@njit(nogil=True, cache=True)
def wavelet_powers(x, run, centre, half, kernel):
    """Sum over columns of |x convolved with a wavelet|^2 at some samples; NaN where runs end.

    Parameters
    ----------
    x : ndarray float64 (sample, column)
        The waveform.
    run : ndarray int64 (sample)
        Numbers of evenly sampled runs.
    centre : ndarray int64 (record)
        Samples that the wavelet is centred on.
    half : int
        Samples on either side.
    kernel : ndarray complex128 (2 half + 1)
        Complex conjugate of the wavelet times the sampling period.

    Returns
    -------
    power : ndarray float64 (record, column)
        Squared modulus.
    """
    columns = x.shape[1]
    power = np.full((centre.size, columns), np.nan)
    real, imaginary = kernel.real.copy(), kernel.imag.copy()
    for r in range(centre.size):
        low, high = centre[r] - half, centre[r] + half
        if low < 0 or high >= run.size or run[centre[r]] < 0:
            continue
        if run[low] != run[centre[r]] or run[high] != run[centre[r]]:
            continue
        for c in range(columns):
            a, b = 0.0, 0.0
            for i in range(kernel.size):
                a += x[low + i, c] * real[i]
                b += x[low + i, c] * imaginary[i]
            power[r, c] = a * a + b * b
    return power


@njit(nogil=True, cache=True)
def smoothed(time, x, half, longest):
    """Hann-weighted means over [t - half, t + half] of each sample; NaN beside gaps.

    Parameters
    ----------
    time : ndarray int64 (sample)
        Ascending [ns].
    x : ndarray float64 (sample, column)
        Values; one NaN inside the window makes the mean NaN.
    half : int
        Half the width [ns]: the weight is 1 + cos(pi (t' - t)/half).
    longest : int
        A window with a spacing longer than this, or that ends short of `half`, gives NaN [ns].
    """
    n, columns = x.shape
    out = np.full((n, columns), np.nan)
    low = 0
    for i in range(n):
        while time[low] < time[i] - half:
            low += 1
        if time[low] - (time[i] - half) > longest:
            continue
        total = np.zeros(columns)
        weights = 0.0
        j, whole = low, True
        while j < n and time[j] <= time[i] + half:
            if j > low and time[j] - time[j - 1] > longest:
                whole = False
                break
            w = 1.0 + np.cos(np.pi * (time[j] - time[i]) / half)
            weights += w
            for c in range(columns):
                total[c] += w * x[j, c]
            j += 1
        if whole and time[j - 1] >= time[i] + half - longest:
            for c in range(columns):
                out[i, c] = total[c] / weights
    return out
