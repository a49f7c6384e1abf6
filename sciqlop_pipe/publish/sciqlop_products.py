"""Products with knobs for SciQLOP: computed from what a store has, with the params a person turns.

Nothing here needs SciQLOP: a product is a path, a kind, its knobs and a function of time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from ..errors import PipeError, UnknownName, UsageError
from ..granule import SECOND, Interval, datetime64, duration
from ..graph import Graph
from ..recipes.angle_spectra import angle_spectrum, particle_spectrum, pitch_angle_spectrum
from ..recipes.angles import azimuthal_distribution, polar_distribution
from ..recipes.coordinates import in_frame
from ..recipes.pitch import pitch_angle_distribution
from ..recipes.spectra import energy_spectrum
from ..store import Store
from .levels import kind_of

#: More distributions than this at once are not computed while somebody drags a plot.
MOST = 4000
FRAMES = ("GSE", "GSM", "SM", "GEO", "MAG", "GEI", "J2000", "HEE", "HEEQ", "HCI", "HAE")
Quantity = Literal["def", "dpf", "f"]
Frame = Literal["GSE", "GSM", "SM", "GEO", "MAG", "GEI", "J2000", "HEE", "HEEQ", "HCI", "HAE"]
Angle = Literal["theta", "phi"]

Knobs = Mapping[str, tuple[Any, Any, Mapping[str, Any]]]


@dataclass(frozen=True)
class Drawn:
    """What a product is at some times [s since 1970 UTC]: values, and the axis of a spectrogram."""

    time: np.ndarray
    values: np.ndarray
    units: str
    axis: np.ndarray | None = None
    axis_name: str = ""
    axis_units: str = ""
    logarithmic: bool = False


@dataclass(frozen=True)
class KnobProduct:
    """One product: where it hangs in the tree, what it is, its knobs, and how it is computed.

    `knobs` are name: (type, default, limits); `compute` takes start and stop [s since 1970 UTC] and
    the knobs, and returns None without data.
    """

    path: str
    kind: Literal["Spectrogram", "Vector"]
    knobs: Knobs
    compute: Callable[..., Drawn | None]
    labels: tuple[str, ...] = ()


_ENERGIES: Knobs = {
    "energy_min": (float, 0.0, {"ge": 0.0, "le": 1e7}),
    "energy_max": (float, 1e6, {"ge": 0.0, "le": 1e7}),
}


def products(address: str, store: Store, graph: Graph) -> Iterator[KnobProduct]:
    """Yield the products with knobs that a store has the inputs of.

    Parameters
    ----------
    address : str
        Of the store, which is opened anew for every request: they come from several threads.
    store, graph
        What there is, and what is made of what.
    """
    there = store.registry.datasets()
    for name in there:
        kind = kind_of(store, name, Interval(0, 1))
        at = "//".join(["pipe with knobs", *name.split(".")])
        if kind == "VDF":
            yield KnobProduct(
                f"{at}//energy spectrum", "Spectrogram", {"quantity": (Quantity, "def", {})},
                _Energy(address, name),
            )  # fmt: skip
            yield KnobProduct(
                f"{at}//angle spectrum", "Spectrogram",
                {"angle": (Angle, "theta", {}), "bins": (int, 16, {"ge": 2, "le": 180}),
                 "quantity": (Quantity, "def", {}), **_ENERGIES},
                _Angles(address, name),
            )  # fmt: skip
            if field := _field(graph, name, there):
                yield KnobProduct(
                    f"{at}//pitch angles", "Spectrogram",
                    {"bins": (int, 18, {"ge": 2, "le": 180}), "quantity": (Quantity, "def", {}),
                     **_ENERGIES},
                    _PitchAngles(address, name, field),
                )  # fmt: skip
        elif kind == "VectorSeries" and _turns(store, name):
            yield KnobProduct(
                f"{at}//in frame", "Vector", {"frame": (Frame, "GSM", {})},
                _Turned(address, name), ("x", "y", "z"),
            )  # fmt: skip


def _field(graph: Graph, vdf: str, there: list[str]) -> str:
    """Return the field that the declared pitch angles of a distribution use, where it is there."""
    for node in graph.nodes.values():
        if node.recipe is not None and node.recipe.name == "pitch_angle_distribution":
            inputs = dict(node.inputs)
            if inputs.get("vdf") == vdf and inputs.get("b") in there:
                return inputs["b"]
    return ""


def _turns(store: Store, name: str) -> bool:
    """Tell whether a vector is in a frame that it can be turned from."""
    rows = [r for r in store.registry.current(name) if r.layout]
    if not rows:
        return False
    layout = store.registry.layout(rows[-1].layout or "")
    vector = next((v for v in layout.variables if v.name == "vector"), None)
    return vector is not None and dict(vector.attrs).get("frame") in FRAMES


@dataclass(frozen=True)
class _Reader:
    """Reads a dataset of a store for a request."""

    address: str
    dataset: str

    def read(self, start: float, stop: float, name: str = "", pad: str = "0s") -> xr.Dataset | None:
        more = duration(pad)
        ends = round(start * SECOND) - more, round(stop * SECOND) + more
        with Store.open(self.address, read_only=True) as store:
            try:
                lazy = store.read(name or self.dataset, *(datetime64(t) for t in ends))
            except UnknownName:
                return None
            if "f" in lazy and lazy.sizes["time"] > MOST:
                raise UsageError(
                    f"{lazy.sizes['time']} distributions are too many at once", self.dataset,
                    f"Zoom in to {MOST}, or look at the declared spectrum",
                )  # fmt: skip
            return lazy.load() if lazy.sizes["time"] else None


class _Energy(_Reader):
    def __call__(self, start: float, stop: float, *, quantity: str = "def") -> Drawn | None:
        vdf = self.read(start, stop)
        if vdf is None:
            return None
        ds = particle_spectrum(energy_spectrum(vdf), quantity=quantity)
        return _spectrogram(ds, "spectrum", ds["energy"])


class _Angles(_Reader):
    def __call__(
        self, start: float, stop: float, *, angle: str = "theta", bins: int = 16,
        quantity: str = "def", energy_min: float = 0.0, energy_max: float = 1e6,
    ) -> Drawn | None:  # fmt: skip
        vdf = self.read(start, stop)
        if vdf is None:
            return None
        make = polar_distribution if angle == "theta" else azimuthal_distribution
        ds = angle_spectrum(
            make(vdf, bins=bins), quantity=quantity, energy_min=energy_min, energy_max=energy_max
        )
        return _spectrogram(ds, "spectrum", ds["angle"])


@dataclass(frozen=True)
class _PitchAngles(_Reader):
    field: str = ""

    def __call__(
        self, start: float, stop: float, *, bins: int = 18, quantity: str = "def",
        energy_min: float = 0.0, energy_max: float = 1e6,
    ) -> Drawn | None:  # fmt: skip
        vdf = self.read(start, stop)
        b = self.read(start, stop, self.field, "5s")
        if vdf is None or b is None:
            return None
        ds = pitch_angle_spectrum(
            pitch_angle_distribution(vdf, b, bins=bins),
            quantity=quantity, energy_min=energy_min, energy_max=energy_max,
        )  # fmt: skip
        return _spectrogram(ds, "spectrum", ds["angle"])


class _Turned(_Reader):
    def __call__(self, start: float, stop: float, *, frame: str = "GSM") -> Drawn | None:
        ds = self.read(start, stop)
        if ds is None:
            return None
        turned = ds if ds["vector"].attrs["frame"] == frame else in_frame(ds, frame=frame)
        vector = turned["vector"]
        values = np.asarray(vector.values, np.float64)
        return Drawn(seconds(turned), values, str(vector.attrs["units"]))


def _spectrogram(ds: xr.Dataset, variable: str, axis: xr.DataArray) -> Drawn:
    """Return a spectrogram as SciQLOP draws it: its axis rises, NaN is nothing."""
    values = np.asarray(ds[variable].values, np.float64)
    places = np.asarray(axis.values, np.float64)
    if places.shape[-1] > 1 and np.nanmean(np.diff(places, axis=-1)) < 0:
        places, values = places[..., ::-1], values[..., ::-1]
    return Drawn(
        seconds(ds), np.ascontiguousarray(values), str(ds[variable].attrs.get("units", "")),
        np.ascontiguousarray(places), str(axis.attrs.get("long_name", axis.name)),
        str(axis.attrs.get("units", "")), axis.attrs.get("units") == "eV",
    )  # fmt: skip


def seconds(ds: xr.Dataset) -> np.ndarray:
    """Return the times (time,) in seconds since 1970 UTC."""
    at: np.ndarray = ds["time"].values.astype("datetime64[ns]").astype(np.int64) / SECOND
    return at


def quiet(product: KnobProduct, tell: Callable[[str], None]) -> Callable[..., Drawn | None]:
    """Return a product's function that tells a refusal instead of raising it."""

    def compute(start: float, stop: float, **knobs: Any) -> Drawn | None:
        try:
            return product.compute(start, stop, **knobs)
        except PipeError as error:
            tell(str(error))
            return None

    return compute
