"""Where events were: position, L and local time of the spacecraft at their middles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from ..constants import EARTH_RADIUS
from ..errors import DataTypeError, PipeError, UsageError
from ..granule import DAY, HOUR
from ..graph import Graph
from ..publish.levels import kind_of
from ..recipes.boundary_models import farris_russell_1994, shue_1998
from ..recipes.joining import nearby
from ..recipes.upstream import magnetic_location
from ..standard import is_overview
from ..store import Store
from ..store.records import Event
from .desk import EVER

MOST_PLACES = 2000
REACH = "2h"
"""Positions farther apart are not interpolated between: hourly ones are, a gap is not."""
AU = 149_597_870.7
FAR = 1.0e7
"""Beyond this distance [km] places are given in au, within it in radii of the Earth."""


@dataclass(frozen=True, slots=True)
class Places:
    """Rows (kind, start, x, y, z, l, mlt) in `units` of `frame`, read from `source`."""

    rows: pd.DataFrame
    frame: str
    units: str
    source: str
    events: int

    @property
    def earth(self) -> bool:
        """Whether L, local time and the model boundaries mean something there."""
        return self.units == "R_E"


def positions_of(store: Store, graph: Graph, catalog: str) -> list[str]:
    """Return the positions that a store has of the spacecraft of a catalog, the best first.

    GSM before GSE before any other, the same spacecraft by the first word of the name.
    """
    craft = catalog.split(".")[0]
    found = []
    for name in store.registry.datasets():
        if is_overview(name) or name.split(".")[0] != craft:
            continue
        declared = graph.nodes.get(name)
        kind = declared.gives.name if declared else kind_of(store, name, EVER)
        if kind == "Position":
            found.append(name)
    order = ("gsm", "gse", "")
    return sorted(found, key=lambda n: (next(k for k, w in enumerate(order) if w in n), n))


def places_of(store: Store, events: Sequence[Event], sources: Sequence[str]) -> Places:
    """Return where the middles of events were, by the first position that covers any of them.

    Parameters
    ----------
    store : Store
        Where to read.
    events : sequence of Event
        The first 2000 are taken; those that the position lacks are left out.
    sources : sequence of str
        Names of Positions [km].

    Raises
    ------
    UsageError
        When none covers any of the events.
    """
    for source in sources:
        found = _places(store, events, source)
        if found is not None:
            return found
    names = ", ".join(sources)
    raise UsageError(f"{names} cover none of these events", names, "Run one for their times")


def _places(store: Store, events: Sequence[Event], source: str) -> Places | None:
    taken = sorted(events[:MOST_PLACES], key=lambda e: e.start + e.stop)
    middle = np.array([(e.start + e.stop) // 2 for e in taken], np.int64)
    at = np.full((middle.size, 3), np.nan)
    frame = ""
    for day in np.unique(middle // DAY):
        mine = middle // DAY == day
        start = int(day) * DAY
        try:
            ds = store.read(source, start - HOUR, start + DAY + HOUR)[["position"]].load()
        except PipeError:
            continue
        if ds.sizes["time"]:
            frame = str(ds["position"].attrs["frame"])
            at[mine] = nearby(ds["time"].values, ds["position"].values, middle[mine], REACH)
    known = np.isfinite(at).all(1)
    if not known.any():
        return None
    near = float(np.nanmax(np.linalg.norm(at[known], axis=1))) < FAR
    unit, units = (EARTH_RADIUS, "R_E") if near else (AU, "au")
    rows = pd.DataFrame(at[known] / unit, columns=["x", "y", "z"])
    rows.insert(0, "kind", [e.kind for e, k in zip(taken, known, strict=True) if k])
    rows.insert(1, "start", middle[known].astype("datetime64[ns]"))
    rows["l"], rows["mlt"] = (
        _magnetic(middle[known], at[known], frame) if near else (np.nan, np.nan)
    )
    return Places(rows, frame, units, source, len(events))


def _magnetic(time: np.ndarray, at: np.ndarray, frame: str) -> tuple[np.ndarray, np.ndarray]:
    """L of the centred dipole and magnetic local time [h]; NaN for what is not round the Earth."""
    once, back = np.unique(time, return_inverse=True)
    first = np.searchsorted(time, once)
    position = xr.Dataset(
        {"position": (("time", "component"), at[first], {"units": "km", "frame": frame})},
        {"time": once.astype("datetime64[ns]"), "component": ["x", "y", "z"]},
    )
    try:
        made = magnetic_location(position)
    except DataTypeError:
        return np.full(time.size, np.nan), np.full(time.size, np.nan)
    return made["dipole_l"].values[back], made["magnetic_local_time"].values[back]


def boundaries(pressure: float = 2.0, mach: float = 8.0) -> pd.DataFrame:
    """Return model magnetopause and bow shock (name, x, rho) [R_E] for a usual solar wind, B_z = 0.

    Parameters
    ----------
    pressure, mach : float
        Dynamic pressure [nPa] and fast Mach number.
    """
    angle = np.radians(np.linspace(-125, 125, 201))
    zero = np.zeros(angle.size)
    pause = shue_1998(zero, zero + pressure, angle)
    nose = shue_1998(np.zeros(1), np.zeros(1) + pressure, np.zeros(1))
    shock = farris_russell_1994(zero + nose, zero + mach, angle)
    parts = [
        pd.DataFrame({"name": name, "x": r * np.cos(angle), "rho": r * np.sin(angle)})
        for name, r in (
            ("magnetopause (Shue 1998)", pause / EARTH_RADIUS),
            ("bow shock (Farris 1994)", shock / EARTH_RADIUS),
        )
    ]
    return pd.concat(parts, ignore_index=True)
