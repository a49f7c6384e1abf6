"""Panels: which rows a dataset of each DataType is drawn as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..constants import ELEMENTARY_CHARGE
from ..errors import PipeError
from ..granule import Interval
from ..kernels.energies import geometric_edges
from ..quality import FLAGS_MISSING
from ..recipes.spectra import energy_spectrum
from .analysis_panels import connection, upstream, variance
from .anything import COMPONENTS, Drawn, drawn
from .field_panels import correlations, shocks, structure_functions
from .painters import (
    BLUE,
    INK,
    RED,
    Flags,
    Line,
    Lines,
    Regions,
    Spectrogram,
    no_data,
)
from .snapshots import Snapshots
from .tetrahedron_panels import nulls, shape
from .wave_panels import wave_polarization, wave_poynting, wave_spectrum
from .words import axes_of, label, long_name, ns, pretty

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SYMBOLS = {"nT": "B", "km s^-1": "V", "mV m^-1": "E", "nA m^-2": "J", "km": "R"}
TALL, LOW, SQUARE = 188, 104, 204
FLAG = 9
MOST_FLAGS = 8


@dataclass(frozen=True, slots=True)
class Panel:
    """A dataset to draw: its name, the name of its DataType, and what it holds (in memory)."""

    name: str
    datatype: str
    ds: xr.Dataset


@dataclass(frozen=True, slots=True)
class Row:
    """One pair of axes of a picture.

    `name` is dataset/variable, `title` stands above, `height` and `above` (free space)
    are in pixels, `paint` draws into axes that already have their limits in time.
    """

    name: str
    title: str
    paint: Callable[[Axes, Interval], None]
    height: int = TALL
    above: int = 24


def rows(panel: Panel) -> tuple[Row, ...]:
    """Return the rows that show a dataset, a strip of its quality flags last where any is set.

    Raises
    ------
    PipeError
        When its DataType has no panel.
    """
    if not panel.ds.sizes.get("time"):
        return (Row(f"{panel.name}/", "", no_data, LOW),)
    found = _ROWS.get(panel.datatype, _anything)(panel)
    if not found:
        raise PipeError(
            f"a {panel.datatype} holds nothing that can be drawn against time", panel.name,
            "Draw a product of this dataset",
        )  # fmt: skip
    return (*found, *_quality(panel))


def _anything(panel: Panel) -> tuple[Row, ...]:
    """Return rows for a DataType that has none of its own."""
    return _named(panel, drawn(panel.ds))


def _named(panel: Panel, every: Sequence[Drawn]) -> tuple[Row, ...]:
    return tuple(
        Row(f"{panel.name}/{d.variable}", d.title, d.paint, SQUARE if d.tall else TALL)
        for d in every
    )


# -- lines ----------------------------------------------------------------------------------


def spans_a_decade(*values: np.ndarray) -> bool:
    """Tell whether values are positive throughout and spread over more than a factor of ten."""
    every = np.concatenate([np.ravel(v) for v in values])
    every = every[np.isfinite(every)]
    return bool(every.size and every.min() > 0 and every.max() > 10 * every.min())


def scalars(panel: Panel, variables: Sequence[str], symbol: str, words: Sequence[str] = ()) -> Row:
    """Return a row with variables (time,) of the same units; the title is that of the first."""
    ds = panel.ds
    words = words or [""] * len(variables)
    colours = (INK, BLUE, RED)
    values = [np.asarray(ds[v].values, np.float64) for v in variables]
    lines = tuple(
        Line(v, word, colour, _beside(ds, name, "min"), _beside(ds, name, "max"))
        for v, name, word, colour in zip(values, variables, words, colours, strict=False)
    )
    paint = Lines(ns(ds), lines, label(symbol, ds[variables[0]]), spans_a_decade(*values))
    return Row(f"{panel.name}/{variables[0]}", long_name(panel.ds, variables[0]), paint)


def vector(panel: Panel, variable: str, *, magnitude: bool, scale: float = 1.0) -> Row:
    """Return a row with the components of a variable (time, component)."""
    array = panel.ds[variable]
    values = np.asarray(array.values, np.float64) / scale
    low, high = (_beside(panel.ds, variable, which, scale) for which in ("min", "max"))
    axes = axes_of(array)
    symbol = SYMBOLS.get(array.attrs.get("units", ""), variable[:1].upper())
    lines = [
        Line(
            values[:, k],
            f"${symbol}_{{{axis}}}$",
            colour,
            None if low is None else low[:, k],
            None if high is None else high[:, k],
        )
        for k, axis, colour in zip(range(values.shape[1]), axes, COMPONENTS, strict=False)
    ]
    # The magnitude of a mean is not the mean of the magnitude.
    if magnitude and low is None:
        lines.insert(0, Line(np.sqrt((values**2).sum(1)), f"$|{symbol}|$"))
    frame = str(array.attrs.get("frame", ""))
    text = label(f"${symbol}$  {frame}".strip(), array, scale)
    paint = Lines(ns(panel.ds), tuple(lines), text)
    return Row(f"{panel.name}/{variable}", long_name(panel.ds, variable), paint)


def _beside(ds: xr.Dataset, variable: str, which: str, scale: float = 1.0) -> np.ndarray | None:
    """Return the extremes of a variable where the dataset is an overview that has them."""
    name = f"{variable}_{which}"
    return np.asarray(ds[name].values, np.float64) / scale if name in ds else None


# -- each DataType ---------------------------------------------------------------------------


def _spectrum(panel: Panel) -> tuple[Row, ...]:
    spectrum, energy = panel.ds["spectrum"], panel.ds["energy"]
    lower, upper = (np.log(e) for e in geometric_edges(np.atleast_2d(energy.values)))
    if not np.isfinite(lower).any():
        return (Row(f"{panel.name}/spectrum", "", no_data, LOW),)
    values = np.asarray(spectrum.values, np.float64)
    units = f"[{pretty(str(spectrum.attrs.get('units', '')))}]"
    paint = Spectrogram(ns(panel.ds), values, lower, upper, label("$E$", energy), units)
    return (Row(f"{panel.name}/spectrum", long_name(panel.ds, "spectrum"), paint, TALL + 16),)


def _pitch_angles(panel: Panel) -> tuple[Row, ...]:
    """Return the differential energy flux against pitch angle, its mean over ln E."""
    ds = panel.ds
    energy = np.atleast_2d(np.asarray(ds["energy"].values, np.float64))
    per_charge = (energy * (ELEMENTARY_CHARGE / float(ds.attrs["mass"]))) ** 2
    flux = 2e-4 * per_charge[:, None] * np.asarray(ds["f"].values, np.float64)
    known = np.isfinite(flux)
    count = known.sum(2)
    mean = np.where(known, flux, 0.0).sum(2) / np.where(count > 0, count, np.nan)
    edges = np.linspace(0, 180, mean.shape[1] + 1)[None]
    text = label(r"$\alpha$", ds["pitch_angle"])
    units = f"[{pretty('eV / (cm^2 s sr eV)')}]"
    paint = Spectrogram(ns(ds), mean, edges[:, :-1], edges[:, 1:], text, units, False)
    attrs = {"long_name": f"{ds.attrs['species']} mean differential energy flux"}
    titled = ds.assign(f=ds["f"].assign_attrs(attrs))
    return (Row(f"{panel.name}/f", long_name(titled, "f"), paint),)


def _reduced_2d(panel: Panel) -> tuple[Row, ...]:
    ds = panel.ds
    planes = [str(p).replace("_", ", ") for p in ds["plane"].values]
    return tuple(
        Row(f"{panel.name}/f/{plane}", f"{long_name(ds, 'f')} ({plane})",
            Snapshots.of(ds, "f", k), SQUARE)
        for k, plane in enumerate(planes)
    )  # fmt: skip


def _vdf(panel: Panel) -> tuple[Row, ...]:
    """Return the omnidirectional flux: what a distribution looks like in time."""
    return _spectrum(Panel(panel.name, panel.datatype, energy_spectrum(panel.ds)))


def _errors(panel: Panel) -> tuple[Row, ...]:
    """Return the errors of n, V and T, and the limits with one count in every empty bin."""
    words = ["error", "limit"]
    found = [scalars(panel, ["density_error", "density_limit"], "$\\sigma_n$", words)]
    found.append(vector(panel, "velocity_error", magnitude=False))
    pair = ["temperature_error", "temperature_limit"]
    return (*found, scalars(panel, pair, "$\\sigma_T$", words))


def _field_aligned(panel: Panel) -> tuple[Row, ...]:
    words = [r"$T_\parallel$", r"$T_\perp$"]
    return (
        scalars(panel, ["temperature_parallel", "temperature_perpendicular"], "$T$", words),
        scalars(panel, ["anisotropy"], r"$T_\perp/T_\parallel$"),
        scalars(panel, ["agyrotropy"], r"$\sqrt{Q}$"),
    )


def _labels(panel: Panel) -> tuple[Row, ...]:
    array = panel.ds["probability"].transpose("time", "label")
    names = array["label"].values if "label" in array.coords else range(array.sizes["label"])
    values = np.asarray(array.values, np.float64)
    paint = Regions(ns(panel.ds), values, tuple(str(n) for n in names))
    return (Row(f"{panel.name}/probability", long_name(panel.ds, "probability"), paint, LOW),)


def _moments(panel: Panel) -> tuple[Row, ...]:
    found = [
        scalars(panel, ["density"], "$n$"),
        vector(panel, "velocity", magnitude=False),
    ]
    words = {"temperature": "$T$", "temperature_parallel": r"$T_\parallel$",
             "temperature_perpendicular": r"$T_\perp$"}  # fmt: skip
    if there := [v for v in words if v in panel.ds]:
        legend = [words[v] for v in there] if len(there) > 1 else [""]
        found.append(scalars(panel, there, "$T$", legend))
    return tuple(found)


def _state(panel: Panel) -> tuple[Row, ...]:
    found = [
        scalars(panel, ["density"], "$n$"),
        vector(panel, "velocity", magnitude=True),
        scalars(panel, ["temperature"], "$T$"),
    ]
    if "magnetic_field" in panel.ds:
        found.append(scalars(panel, ["magnetic_field"], "$|B|$"))
    return tuple(found)


def _overview(panel: Panel) -> tuple[Row, ...]:
    """Return the rows of what an overview is of: the means, extremes behind them."""
    means = [str(v) for v in panel.ds.data_vars if str(v).endswith("_mean")]
    ds = panel.ds.rename({v: v.removesuffix("_mean") for v in means})
    for datatype, variables in _OVERVIEW_OF.items():
        if all(v in ds for v in variables):
            return _ROWS[datatype](Panel(panel.name, datatype, ds))
    raise PipeError(
        "this overview is not of anything that has a panel", panel.name,
        f"A quicklook draws {', '.join(_ROWS)}",
    )  # fmt: skip


def _vector(panel: Panel) -> tuple[Row, ...]:
    return (vector(panel, "vector", magnitude=panel.ds.sizes.get("component", 3) > 1),)


def _scalar(panel: Panel) -> tuple[Row, ...]:
    return (scalars(panel, ["value"], ""),)


def _position(panel: Panel) -> tuple[Row, ...]:
    far = np.nanmax(np.abs(panel.ds["position"].values), initial=0.0)
    scale = 1e6 if far >= 1e7 else 1e3 if far >= 1e4 else 1.0
    return (vector(panel, "position", magnitude=True, scale=scale),)


_ROWS: dict[str, Callable[[Panel], tuple[Row, ...]]] = {
    "VectorSeries": _vector,
    "ScalarSeries": _scalar,
    "Moments": _moments,
    "EnergySpectrum": _spectrum,
    "PitchAngle": _pitch_angles,
    "FieldAligned": _field_aligned,
    "Reduced2D": _reduced_2d,
    "MomentErrors": _errors,
    "VDF": _vdf,
    "PlasmaState": _state,
    "Labels": _labels,
    "Position": _position,
    "WaveSpectrum": lambda panel: _named(panel, wave_spectrum(panel.ds)),
    "WavePolarization": lambda panel: _named(panel, wave_polarization(panel.ds)),
    "WavePoynting": lambda panel: _named(panel, wave_poynting(panel.ds)),
    "StructureFunctions": lambda panel: _named(panel, structure_functions(panel.ds)),
    "MomentCorrelations": lambda panel: _named(panel, correlations(panel.ds)),
    "ShockSeries": lambda panel: _named(panel, shocks(panel.ds)),
    "VarianceAnalysis": lambda panel: _named(panel, variance(panel.ds)),
    "Upstream": lambda panel: _named(panel, upstream(panel.ds)),
    "SolarConnection": lambda panel: _named(panel, connection(panel.ds)),
    "MagneticNull": lambda panel: _named(panel, nulls(panel.ds)),
    "TetrahedronShape": lambda panel: _named(panel, shape(panel.ds)),
    "Overview": _overview,
}

#: By which variables the subject of an overview is known.
_OVERVIEW_OF: dict[str, tuple[str, ...]] = {
    "PlasmaState": ("density", "velocity", "speed", "temperature"),
    "Moments": ("density", "velocity"),
    "EnergySpectrum": ("spectrum", "energy"),
    "VectorSeries": ("vector",),
    "ScalarSeries": ("value",),
    "Position": ("position",),
}


# -- quality ---------------------------------------------------------------------------------


def _quality(panel: Panel) -> tuple[Row, ...]:
    """Return a strip with a line per quality bit that is set, the most frequent ones."""
    if "quality" not in panel.ds:
        return ()
    array = panel.ds["quality"]
    words = np.asarray(array.values).astype(np.int64)
    bits = flags_set(words)
    if not bits:
        return ()
    shown, left = bits[:MOST_FLAGS], len(bits) - MOST_FLAGS
    known, masking = flag_names(array), int(array.attrs.get("masking", 0))
    names = [known.get(bit, f"bit{bit}").replace("_", " ") for bit in shown]
    if left > 0:
        names[-1] += f" (+{left} more)"
    states = np.stack([(words >> bit & 1).astype(np.float64) for bit in shown], -1)
    paint = Flags(ns(panel.ds), states, tuple(names), tuple(bool(masking >> b & 1) for b in shown))
    return (Row(f"{panel.name}/quality", "", paint, FLAG * len(shown) + 2, 6),)


def flags_set(words: np.ndarray) -> list[int]:
    """Return the bits that are set anywhere, the most frequent first."""
    often = [(int(np.count_nonzero(words >> bit & 1)), bit) for bit in range(32)]
    return [bit for count, bit in sorted(often, key=lambda o: (-o[0], o[1])) if count]


def flag_names(array: xr.DataArray) -> dict[int, str]:
    """Return the name of each bit, from the CF attributes of a flag word."""
    masks = np.atleast_1d(array.attrs.get("flag_masks", []))
    names = str(array.attrs.get("flag_meanings", "")).split()
    known = {int(m).bit_length() - 1: n for m, n in zip(masks, names, strict=False)}
    return {FLAGS_MISSING: "flags_missing"} | known
