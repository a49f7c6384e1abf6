"""Polarization of waves: singular values of spectral matrices; and their Poynting flux."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..constants import VACUUM_PERMEABILITY
from ..datatypes import VectorSeries, WavePolarization, WavePoynting
from ..errors import DataTypeError
from ..kernels.polarization import polarizations
from ..model import Margin, recipe
from .waveforms import (
    FLAGS,
    Frames,
    Waveform,
    background,
    cyclotron_frequencies,
    frames_of,
    require_frame_of,
    spectral_matrices,
    waveform,
)

FEW = 5
"""Averaging fewer frames makes noise look polarized."""

_INCOMPLETE, _NO_FIELD, _FEW_FRAMES, _LOW = (1 << k for k in range(4))

_MICROWATTS = 1e-12 / VACUUM_PERMEABILITY * 1e6
"""mV m^-1 times nT over mu_0, in uW m^-2."""


@recipe(gives=WavePolarization, version=2)
def wave_polarization(
    wave: Annotated[VectorSeries, Margin("step"), Margin("reach")],
    b: Annotated[VectorSeries | None, Margin("step"), Margin("reach")] = None,
    *,
    samples: int = 256,
    step: str = "1s",
    reach: str = "10s",
) -> xr.Dataset:
    """Ellipticity, wave-normal angle [deg], planarity and more, (time, frequency_bin).

    With S the spectral matrix of `power_spectrum`, averaged over the frames of a step, and
    w1 >= w2 >= w3 the singular values of the six by three matrix [Re S; Im S]:

        ellipticity w2/w1 (0 linear, 1 circular);  planarity 1 - (w3/w1)^1/2
        degree of polarization [(3 tr S^2 - tr^2 S) / (2 tr^2 S)]^1/2

    The wave normal is the singular vector of w3. Handedness is the sign of Im(S) along b: +1
    turns with electrons (right-handed), -1 with ions. Without a background field handedness and
    wave-normal angle are NaN and `quality` says why. The sign of the wave normal cannot be told
    from B alone: its angle lies between 0 and 90 degrees. Where the wave is linear or unpolarized
    there is no wave normal: look at ellipticity and planarity first.

    Parameters
    ----------
    wave : VectorSeries
        Magnetic waveform, three components [nT].
    b : VectorSeries, optional
        Background field [nT], in the frame of the wave.
    samples, step, reach :
        As in `power_spectrum`. Averages of fewer than five frames are flagged: noise looks
        polarized in them, by 1/frames^1/2.

    Returns
    -------
    Dataset
        power [nT^2 Hz^-1], degree_of_polarization, ellipticity, planarity, handedness [1],
        wave_normal_angle [deg], frequency [Hz] (time, frequency_bin); frames, coverage, quality,
        and the cyclotron frequencies of electrons and protons [Hz] (time), NaN without b.

    Raises
    ------
    DataTypeError
        When the frames of wave and background differ.

    References
    ----------
    Santolik, O. et al. (2003), Radio Sci. 38, 1010, doi:10.1029/2000RS002523. Samson, J. C. and
    Olson, J. V. (1980), Geophys. J. R. astr. Soc. 61, 115.
    """
    frame = str(wave["vector"].attrs.get("frame", ""))
    if b is not None:
        require_frame_of(wave, b, "b")
    form = waveform(wave)
    frames = frames_of(form, form.whole, samples, step, reach)
    field = background(b, frames.time, step, reach)
    strength = np.sqrt((field**2).sum(axis=1))
    with np.errstate(invalid="ignore"):
        along = field / np.where(strength > 0, strength, np.nan)[:, None]
    names = ("power", *_POLARIZATION)
    found = {n: np.empty((frames.time.size, samples // 2), np.float32) for n in names}
    for records, matrix in spectral_matrices(form.values, frames):
        for name, values in zip(names, polarizations(matrix, along[records]), strict=True):
            found[name][records] = values
    flags = np.where(np.isfinite(along).all(axis=1), 0, _NO_FIELD) | _frame_flags(frames)
    units = wave["vector"].attrs.get("units", "1")
    about = {"power": (f"({units})^2 Hz^-1", "total power of the wave"), **_POLARIZATION}
    ds = _dataset(frames, {n: (found[n], *about[n]) for n in names}, flags)
    ds["frames"] = "time", frames.count, {"units": "1", "long_name": "frames averaged"}
    ds.attrs["frame"] = frame
    return ds.assign(cyclotron_frequencies(strength))


_POLARIZATION = {
    "degree_of_polarization": ("1", "degree of polarization"),
    "ellipticity": ("1", "ellipticity, ratio of the axes of polarization"),
    "planarity": ("1", "planarity of polarization"),
    "handedness": ("1", "handedness about the field: +1 right, -1 left"),
    "wave_normal_angle": ("deg", "angle between wave normal and field"),
}


@recipe(gives=WavePoynting, version=3)
def wave_poynting_flux(
    e: Annotated[VectorSeries, Margin("step"), Margin("reach")],
    wave: Annotated[VectorSeries, Margin("step"), Margin("reach")],
    b: Annotated[VectorSeries, Margin("step"), Margin("reach")],
    *,
    samples: int = 256,
    step: str = "1s",
    reach: str = "10s",
    elevation: float = 15.0,
) -> xr.Dataset:
    """Poynting flux of waves per frequency (time, frequency_bin, component) [uW m^-2 Hz^-1].

        S(f) = Re <E(f) x B*(f)> / mu_0

    with the spectra of `power_spectrum`. Where only two components of E were measured, the third
    follows from E . b = 0 with the background field, and records where the field is closer to
    the measured plane than `elevation` are NaN (quality `low_elevation`).

    Parameters
    ----------
    e : VectorSeries
        Electric waveform [mV m^-1]; a component that was not measured is NaN throughout. Sampled
        as the magnetic one, or put on its times by linear interpolation between neighbours (which
        lowers E by up to 10 % at a quarter of the sampling rate).
    wave, b : VectorSeries
        Magnetic waveform and background field [nT], in the frame of e.
    samples, step, reach :
        As in `power_spectrum`.
    elevation : float
        Least angle between the field and the measured plane of E [deg].

    Returns
    -------
    Dataset
        flux, and flux_parallel (time, frequency_bin): along the field where above zero, against it
        where below; frequency, coverage, quality, and the cyclotron frequencies of electrons and
        protons [Hz] (time).

    Raises
    ------
    DataTypeError
        When frames differ, or fewer than two components of E exist.

    References
    ----------
    Santolik, O. et al. (2010), J. Geophys. Res. 115, A00F13, doi:10.1029/2009JA015178.
    """
    frame = require_frame_of(wave, e, "e")
    require_frame_of(wave, b, "b")
    form = waveform(wave)
    electric = _on_times_of(form, waveform(e))
    lost = ~np.isfinite(electric).any(axis=0)
    if lost.sum() > 1 and form.time.size and np.isfinite(electric).any():
        raise DataTypeError("fewer than two components of the electric field", "e")
    usable = form.whole & np.isfinite(electric[:, ~lost]).all(axis=1)
    frames = frames_of(form, usable, samples, step, reach)
    field = background(b, frames.time, step, reach)
    strength = np.sqrt((field**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        along = field / np.where(strength > 0, strength, np.nan)[:, None]
    flux = np.empty((frames.time.size, samples // 2, 3), np.float32)
    flags = np.where(np.isfinite(along).all(axis=1), 0, _NO_FIELD) | _frame_flags(frames)
    third = np.flatnonzero(lost)
    for records, cross in spectral_matrices(np.nan_to_num(electric), frames, form.values):
        if third.size:
            cross[..., third[0], :] = _third(cross, along[records], int(third[0]))
        re = cross.real
        turned = [re[..., 1, 2] - re[..., 2, 1], re[..., 2, 0] - re[..., 0, 2],
                  re[..., 0, 1] - re[..., 1, 0]]  # fmt: skip
        flux[records] = _MICROWATTS * np.stack(turned, axis=-1)
    if third.size:
        with np.errstate(invalid="ignore"):
            low = ~(np.abs(along[:, third[0]]) >= np.sin(np.radians(elevation)))
        flux[low] = np.nan
        flags |= np.where(low & np.isfinite(along).all(axis=1), _LOW, 0)
    parallel = (flux * along[:, None]).sum(axis=-1).astype(np.float32)
    units, name = "uW m^-2 Hz^-1", "Poynting flux of waves"
    ds = _dataset(frames, {"flux_parallel": (parallel, units, f"{name} along the field")}, flags)
    about = {"units": units, "long_name": name, "frame": frame}
    ds["flux"] = ("time", "frequency_bin", "component"), flux, about
    return ds.assign(cyclotron_frequencies(strength)).assign_coords(component=["x", "y", "z"])


def _third(cross: np.ndarray, along: np.ndarray, k: int) -> np.ndarray:
    """Row k of <E_i B_j*> that makes E . b zero."""
    i, j = (k + 1) % 3, (k + 2) % 3
    with np.errstate(invalid="ignore", divide="ignore"):
        share = -along[:, [i, j]] / np.where(along[:, k] != 0, along[:, k], np.nan)[:, None]
    first, second = (share[:, n, None, None] for n in range(2))
    return first * cross[..., i, :] + second * cross[..., j, :]


def _on_times_of(form: Waveform, other: Waveform) -> np.ndarray:
    """Values of another waveform at the times of this one, NaN beside its gaps."""
    values = np.full((form.time.size, other.values.shape[1]), np.nan)
    if other.time.size < 2 or not form.time.size:
        return values
    right = np.clip(np.searchsorted(other.time, form.time), 0, other.time.size - 1)
    left = np.where(other.time[right] == form.time, right, np.maximum(right - 1, 0))
    space = other.time[right] - other.time[left]
    # Beside the first and the last sample there is one neighbour only to compare with.
    spacing = np.r_[np.inf, np.diff(other.time), np.inf]
    local = np.minimum(spacing[left], spacing[right + 1])
    near = (other.time[left] <= form.time) & (form.time <= other.time[right])
    near &= space <= 1.5 * local
    part = ((form.time - other.time[left]) / np.maximum(space, 1))[:, None]
    mean = other.values[left] * (1 - part) + other.values[right] * part
    values[near] = mean[near]
    return values


def _frame_flags(frames: Frames) -> np.ndarray:
    few = np.where(frames.count < FEW, _FEW_FRAMES, 0)
    return (np.where(frames.coverage < 1, _INCOMPLETE, 0) | few).astype(np.uint32)


def _dataset(
    frames: Frames, found: dict[str, tuple[np.ndarray, str, str]], flags: np.ndarray
) -> xr.Dataset:
    per = ("time", "frequency_bin")
    variables: dict[str, object] = {
        name: (per, values, {"units": units, "long_name": words})
        for name, (values, units, words) in found.items()
    }
    variables["frequency"] = per, frames.frequency, {"units": "Hz", "long_name": "frequency"}
    seen = {"units": "1", "long_name": "good frames among those that could be"}
    variables["coverage"] = "time", frames.coverage.astype(np.float32), seen
    variables["quality"] = "time", flags.astype(np.uint32), FLAGS.attrs
    return xr.Dataset(variables, {"time": frames.time.astype("datetime64[ns]")})
