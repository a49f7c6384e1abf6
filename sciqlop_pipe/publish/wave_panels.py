"""Rows for waves: spectra under their characteristic frequencies, polarization, Poynting flux."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..granule import Interval
from .anything import Drawn, spectrogram
from .painters import Spectrogram
from .raster import broken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHARACTERISTIC = {
    "electron_cyclotron_frequency": "$f_{ce}$",
    "lower_hybrid_frequency": "$f_{lh}$",
    "proton_cyclotron_frequency": "$f_{cp}$",
    "plasma_frequency": "$f_{pe}$",
}

POLARIZED = 0.6
"""Degree of polarization below which a wave normal means nothing."""


@dataclass(frozen=True, slots=True)
class Overlaid:
    """A spectrogram with lines of frequency (time) over it, each with a word at its end."""

    below: Spectrogram
    lines: tuple[tuple[str, np.ndarray], ...]

    def __call__(self, ax: Axes, interval: Interval) -> None:
        """Draw both; a line outside of the axis, or in a gap, is not there."""
        self.below(ax, interval)
        low, high = ax.get_ylim()
        for word, values in self.lines:
            at, inside = broken(
                self.below.time, np.where((values >= low) & (values <= high), values, np.nan)
            )
            time = at.astype("datetime64[ns]")
            known = np.flatnonzero(np.isfinite(inside))
            if not known.size:
                continue
            ax.plot(time, inside, color="white", lw=2.2, zorder=2)
            ax.plot(time, inside, color="black", lw=1.0, zorder=2.1)
            ax.annotate(
                word, (time[known[-1]], inside[known[-1]]), xytext=(4, 0), va="center",
                textcoords="offset points", fontsize=9, annotation_clip=False,
                bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8},
            )  # fmt: skip


def wave_spectrum(ds: xr.Dataset) -> list[Drawn]:
    """Return the total power with the characteristic frequencies that lie in its range."""
    return [_overlaid(ds, spectrogram(ds, "total", "frequency_bin"))]


def wave_polarization(ds: xr.Dataset) -> list[Drawn]:
    """Return power, degree, ellipticity with the sign of its handedness, wave-normal angle.

    The last two only where the degree of polarization is above 0.6.
    """
    polarized = ds["degree_of_polarization"] > POLARIZED
    known = np.isfinite(ds["handedness"])
    sign = xr.where(known & (ds["handedness"] != 0), ds["handedness"], 1.0)
    words = "ellipticity, positive right-handed" if bool(known.any()) else "ellipticity, unsigned"
    more = ds.assign(
        ellipticity=(ds["ellipticity"] * sign).where(polarized).assign_attrs(
            units="1", long_name=f"{words} (degree of polarization above {POLARIZED})"
        ),
        wave_normal_angle=ds["wave_normal_angle"].where(polarized).assign_attrs(
            ds["wave_normal_angle"].attrs
        ),
    )  # fmt: skip
    names = ["power", "degree_of_polarization", "ellipticity"]
    names += ["wave_normal_angle"] if bool(known.any()) else []
    signed = bool(known.any())
    bounds = {"degree_of_polarization": (0.0, 1.0), "wave_normal_angle": (0.0, 90.0),
              "ellipticity": (-1.0 if signed else 0.0, 1.0)}  # fmt: skip
    return [
        _overlaid(more, _between(spectrogram(more, name, "frequency_bin"), bounds.get(name)))
        for name in names
    ]


def wave_poynting(ds: xr.Dataset) -> list[Drawn]:
    """Return the Poynting flux along the field with the cyclotron frequencies."""
    return [_overlaid(ds, spectrogram(ds, "flux_parallel", "frequency_bin"))]


def _between(found: Drawn, bounds: tuple[float, float] | None) -> Drawn:
    """Give the colours the bounds of what is drawn, so that pictures can be compared."""
    if bounds is None or not isinstance(found.paint, Spectrogram):
        return found
    scale = "signed" if bounds[0] < 0 else "linear"
    return replace(found, paint=replace(found.paint, bounds=bounds, scale=scale))


def _overlaid(ds: xr.Dataset, found: Drawn) -> Drawn:
    lines = tuple(
        (w, np.asarray(ds[n].values))
        for n, w in CHARACTERISTIC.items()
        if n in ds and np.isfinite(ds[n].values).any()
    )
    if not lines or not isinstance(found.paint, Spectrogram):
        return found
    return replace(found, paint=Overlaid(found.paint, lines))
