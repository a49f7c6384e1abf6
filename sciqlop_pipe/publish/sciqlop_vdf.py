"""Our store as a source of the SciQLOP VDF viewer, which is not needed to import this.

The viewer (nicolasaunai/sciqlop-vdf 0.3) takes any object with `name`, `get(start, stop)` and
`cadence()`, and from `get` any object with the attributes of its VDFBatch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import xarray as xr

from ..errors import DataTypeError, UsageError
from ..granule import Interval, duration
from ..graph import Graph
from ..recipes.joining import joined
from ..recipes.vdf import angle_table, distributions
from ..store import Store
from .levels import kind_of

AMU = 1.66053906892e-27
"""Atomic mass constant [kg], CODATA 2022."""


@dataclass(frozen=True)
class Batch:
    """Distributions in the shape of the viewer's VDFBatch.

    f (time, phi, theta, energy) [s^3 km^-6]; energy (time, energy) [eV]; theta, phi (time, bin)
    [deg] of the velocity; b (time, 3) [nT] and v_bulk (time, 3) [km/s] in the native frame.
    """

    time: np.ndarray
    f: np.ndarray
    energy: np.ndarray
    theta: np.ndarray
    phi: np.ndarray
    mass_amu: float
    charge: int
    native_frame: str
    rotations: Mapping[str, np.ndarray] = field(default_factory=dict)
    b: np.ndarray | None = None
    v_bulk: np.ndarray | None = None
    one_count: np.ndarray | None = None
    label: str = ""

    def __len__(self) -> int:
        return int(self.time.shape[0])

    @property
    def time_s(self) -> np.ndarray:
        """Return the times in seconds since 1970 UTC."""
        return self.time.astype("datetime64[ns]").astype(np.int64) / 1e9


def batch_of(
    vdf: xr.Dataset,
    *,
    b: xr.Dataset | None = None,
    bulk: xr.Dataset | None = None,
    label: str = "",
    accumulation: str = "150ms",
    reach: str = "2s",
) -> Batch:
    """Return a VDF dataset as the viewer takes it.

    Parameters
    ----------
    vdf : Dataset
        On a grid whose azimuths depend on rows and colatitudes on columns only.
    b, bulk : Dataset, optional
        Magnetic field and moments in its frame: means over the accumulation of each distribution,
        between near records where none is in it, NaN beyond their ends and in gaps.
    label : str
        What the viewer calls it.
    accumulation, reach : str
        How long a distribution takes; how far apart records may be that are interpolated.

    Raises
    ------
    DataTypeError
        For a list of directions, or angles that depend on energy: the viewer has no place for them.
    """
    phi, theta = (angle_table(vdf, n) for n in ("phi", "theta"))
    if "phi_bin" not in vdf["f"].dims or max(*phi.shape[2:], *theta.shape[3:], theta.shape[1]) > 1:
        raise DataTypeError(
            "the directions are no grid of azimuths and colatitudes",
            label or "VDF",
            "The viewer shows grids only",
        )
    times, view = vdf.sizes["time"], distributions(vdf)
    one_count = None
    if "f_error" in vdf:
        f, error = (np.asarray(vdf[n].values, np.float64) for n in ("f", "f_error"))
        with np.errstate(invalid="ignore", divide="ignore"):
            one_count = 1e18 * np.where((f > 0) & (error > 0), error**2 / f, np.nan)
    return Batch(
        vdf["time"].values.astype("datetime64[ns]"),
        1e18 * np.asarray(vdf["f"].values, np.float64),
        _every(view.energy, times),
        _every(theta[:, 0, :, 0], times),
        _every(phi[:, :, 0, 0], times),
        float(vdf.attrs["mass"]) / AMU,
        round(float(vdf.attrs["charge"])),
        str(vdf.attrs["frame"]),
        b=None if b is None else _at(b["vector"], vdf, accumulation, reach),
        v_bulk=None if bulk is None else _at(bulk["velocity"], vdf, accumulation, reach),
        one_count=one_count,
        label=label,
    )


def _every(table: np.ndarray, times: int) -> np.ndarray:
    return np.array(np.broadcast_to(table, (times, table.shape[-1])))


def _at(vector: xr.DataArray, vdf: xr.Dataset, accumulation: str, reach: str) -> np.ndarray:
    at, want = (d["time"].values.astype("datetime64[ns]") for d in (vector, vdf))
    return joined(at, vector.values, want, accumulation, reach)


@dataclass(frozen=True)
class StoreSource:
    """A VDF of a store in the shape of the viewer's VDFSource.

    Parameters
    ----------
    store : Store
        Where it is.
    dataset, b, moments : str
        Names of the VDF and, where there are, of the field and the moments in its frame.
    accumulation, reach : str
        As in `batch_of`.
    """

    store: Store
    dataset: str
    b: str = ""
    moments: str = ""
    accumulation: str = "150ms"
    reach: str = "2s"

    @property
    def name(self) -> str:
        """Return what the viewer lists it as."""
        return self.dataset

    def get(self, start: float, stop: float) -> Batch:
        """Return the distributions between two times [s since 1970 UTC].

        Raises
        ------
        UsageError
            When there is none.
        """
        ends = [np.datetime64(round(t * 1e9), "ns") for t in (start, stop)]
        vdf = self.store.read(self.dataset, *ends).load()
        if not vdf.sizes["time"]:
            raise UsageError("there is no distribution in this range", self.dataset)
        pad = np.timedelta64(max(duration(self.reach), duration(self.accumulation)), "ns")
        b, bulk = (
            self.store.read(name, ends[0] - pad, ends[1] + pad).load() if name else None
            for name in (self.b, self.moments)
        )
        return batch_of(
            vdf,
            b=b,
            bulk=bulk,
            label=self.dataset,
            accumulation=self.accumulation,
            reach=self.reach,
        )

    def cadence(self) -> float:
        """Return the median time between distributions [s]."""
        steps = np.diff(self.store.read(self.dataset)["time"].values[:1000])
        return float(np.median(steps) / np.timedelta64(1, "s")) if steps.size else float("nan")


def sources(store: Store) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Yield (key, label, group, tags) of every distribution of a store, for the viewer's list."""
    for name in store.registry.datasets():
        if kind_of(store, name, Interval(0, 1)) == "VDF":
            craft, *rest = name.split(".")
            tags = tuple(part.upper() for part in (craft, *rest[:-1]))
            yield name, f"{' '.join(tags)} {rest[-1] if rest else ''}".strip(), "SciQLOP Pipe", tags


def source_of(address: str, graph: Graph, name: str) -> StoreSource:
    """Return a distribution as a source, with the field and moments in its frame where known."""
    store = Store.open(address, read_only=True)
    there = set(store.registry.datasets())
    b = moments = ""
    for node in graph.nodes.values():
        inputs = dict(node.inputs)
        if inputs.get("vdf") != name or node.recipe is None:
            continue
        if node.recipe.name == "pitch_angle_distribution" and inputs.get("b") in there:
            b = inputs["b"]
        if node.recipe.name == "moments" and node.name in there:
            moments = node.name
    return StoreSource(store, name, b, moments)


def register() -> None:
    """Add the distributions of the configured store to the viewer (`sciqlop_vdf.sources`)."""
    from sciqlop_vdf.registry import register_source

    from .speasy_provider import configured

    address, _ = configured()
    if "://" in address:
        return
    graph = Graph.discover()
    with Store.open(address, read_only=True) as store:
        for key, label, group, tags in sources(store):
            register_source(
                f"pipe/{key}", label, partial(source_of, address, graph, key), group, tags
            )
