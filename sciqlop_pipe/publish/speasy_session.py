"""What the speasy provider does: an inventory from descriptions, variables from records."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from speasy.core.datetime_range import DateTimeRange
from speasy.core.inventory.indexes import (
    CatalogIndex,
    DatasetIndex,
    ParameterIndex,
    SpeasyIndex,
    TimetableIndex,
)
from speasy.products import (
    Catalog,
    DataContainer,
    Event,
    SpeasyVariable,
    TimeTable,
    VariableAxis,
    VariableTimeAxis,
)

from ..errors import PipeError, UnknownName, UsageError, near
from ..granule import SECOND, Interval, instant
from .hapi import times
from .hapi.encode import Block
from .places import Local, Place, open_place

log = logging.getLogger(__name__)
PROVIDER = "pipe"
TIMETABLE = "timetable"
#: Options of speasy that mean nothing here, and are not mistakes.
_IGNORED = {
    "disable_proxy",
    "disable_cache",
    "prefer_cache",
    "force_refresh",
    "extra_http_headers",
    "progress",
    "product_inputs",
    "if_newer_than",
}


class Session:
    """A place that is kept open, and what it had when it was opened.

    Parameters
    ----------
    address : str
        A folder or a HAPI address.
    compute : bool
        Whether to make what a store lacks.
    """

    def __init__(self, address: str, *, compute: bool = True) -> None:
        self.address = address
        self._infos: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        try:
            self.place: Place = open_place(address, compute=compute)
            self._infos = dict(self.place.infos())
        except PipeError as error:
            log.warning("pipe: %s; set [PIPE] address in speasy's configuration", error)

    def close(self) -> None:
        """Commit what was made, and close the store."""
        place = getattr(self, "place", None)
        if isinstance(place, Local):
            if place.maker is not None:
                place.maker.close()
            place.store.close()

    def inventory(self, root: SpeasyIndex) -> SpeasyIndex:
        """Return the root with a branch per mission, and catalogs and timetables beside them."""
        for name, info in self._infos.items():
            if info.get("x_type") == "Events":
                _add_events(root, name, info)
                continue
            *path, last = name.split(".")
            at = root
            for depth, word in enumerate(path):
                at = _child(at, word, ".".join(path[: depth + 1]))
            _put(at, last, _dataset(name, last, info))
        return root

    def get(self, uid: str, start: Any, stop: Any, options: Mapping[str, Any]) -> Any:
        """Return a variable, a catalog or a timetable; None where there are no data.

        Raises
        ------
        UnknownName
            When there is no such product.
        """
        if odd := sorted(set(options) - _IGNORED):
            raise TypeError(f"pipe does not know the option '{odd[0]}'")
        name, _, variable = uid.partition("/")
        info = self._info(name)
        events = info.get("x_type") == "Events"
        if not events and (start is None or stop is None):
            raise UsageError("the interval is missing", uid, "Give a start and a stop")
        interval = _whole(info) if events else _inside(info, start, stop)
        if interval is None:
            return None
        if info.get("x_promised"):  # it is made now, and can be described
            info = self.place.made(name, interval)
            with self._lock:
                self._infos[name] = info
        if events:
            return self._events(name, info, variable)
        variable = variable or _main(info)
        return self._variable(name, info, variable, interval)

    def _info(self, name: str) -> dict[str, Any]:
        with self._lock:
            info = self._infos.get(name)
        if info is None:
            info = self.place.info(name) if hasattr(self, "place") else None
            if info is None:
                raise UnknownName(f"there is no '{name}'", self.address, near(name, self._infos))
            with self._lock:
                self._infos[name] = info
        return info

    def _variable(
        self, name: str, info: Mapping[str, Any], variable: str, interval: Interval
    ) -> SpeasyVariable | None:
        known = {p["name"]: p for p in info["parameters"][1:]}
        if variable not in known:
            raise UnknownName(
                f"'{name}' has no variable '{variable}'", self.address,
                near(variable, known) or f"It has {', '.join(known)}",
            )  # fmt: skip
        tables = [b["centers"] for b in known[variable].get("bins", ())]
        wanted = {variable, *(t for t in tables if isinstance(t, str))}
        names = [n for n in known if n in wanted]
        parameters, block = self.place.read(name, names, interval)
        if not len(block):
            return None
        return variable_of({p["name"]: p for p in parameters}, variable, block)

    def _events(self, name: str, info: Mapping[str, Any], what: str) -> Catalog | TimeTable:
        names = [p["name"] for p in info["parameters"][1:]]
        parameters, block = self.place.read(name, names, _whole(info))
        kinds = {p["name"]: p["type"] for p in parameters}
        ends = block.columns["stop"]
        spans = [(_utc(a), _utc(b)) for a, b in zip(block.time, ends, strict=True)]
        about = {"description": info.get("description", ""), "dataset": name}
        if what == TIMETABLE:
            return TimeTable(name, about, [DateTimeRange(a, b) for a, b in spans])
        keys = [k for k in block.columns if k != "stop"]
        rows = zip(*(_plain(block.columns[k], kinds[k]) for k in keys), strict=True)
        events = [
            Event(a, b, {k: v for k, v in zip(keys, row, strict=True) if v not in ("", None)})
            for (a, b), row in zip(spans, rows, strict=True)
        ]
        return Catalog(name, about, events)


def variable_of(
    parameters: Mapping[str, Mapping[str, Any]], name: str, block: Block
) -> SpeasyVariable:
    """Return records as speasy has them: values in the store's own dtype, NaN where nothing is.

    Parameters
    ----------
    parameters : mapping
        The parameter objects of the answer, by name.
    name : str
        Which of them.
    block : Block
        The records.
    """
    p = parameters[name]
    values = _native(block.columns[name])
    axes: list[Any] = [VariableTimeAxis(values=block.time.view("M8[ns]"))]
    columns: list[str] = []
    if values.ndim == 1:
        columns = [name]
    elif values.ndim == 2 and not p.get("bins"):
        columns = _columns(p)
    else:
        axes += [_axis(p, i, n, parameters, block) for i, n in enumerate(values.shape[1:])]
    return SpeasyVariable(axes, DataContainer(values, _meta(p), name), columns)


def _columns(p: Mapping[str, Any]) -> list[str]:
    """Return a word for each component of a vector."""
    label = p.get("label")
    if isinstance(label, list):
        return list(map(str, label))
    return [f"{p['name']}_{k}" for k in range(size_of(p))]


def size_of(p: Mapping[str, Any]) -> int:
    """Return how many numbers a record of a parameter has."""
    return int(np.prod(p.get("size") or [1]))


def _axis(
    p: Mapping[str, Any],
    i: int,
    size: int,
    parameters: Mapping[str, Mapping[str, Any]],
    block: Block,
) -> VariableAxis:
    bins = (p.get("bins") or [{}] * (i + 1))[i]
    name = str(bins.get("name") or (p.get("x_dims") or ["axis"] * (i + 1))[i])
    meta: dict[str, Any] = {"UNITS": bins.get("units") or "", "FIELDNAM": name, "LABLAXIS": name}
    centers = bins.get("centers")
    if isinstance(centers, str):
        values = _native(block.columns[centers])
        meta |= {"SCALETYP": _scale(values)}
        return VariableAxis(values=values, meta=meta, name=name, is_time_dependent=True)
    values = np.arange(size, dtype=np.float64) if centers is None else np.array(centers, np.float64)
    words = (p.get("x_words") or [[]] * (i + 1))[i]
    if words:
        meta["LABL_PTR_1"] = list(words)
    return VariableAxis(values=values, meta=meta | {"SCALETYP": _scale(values)}, name=name)


def _native(values: np.ndarray) -> np.ndarray:
    """Return the same numbers in a dtype that does not name its byte order.

    Zarr's arrays do, and a plot that reads them through the buffer protocol refuses that.
    """
    native = values.dtype.newbyteorder("=")
    return values.astype(native, copy=False).view(native)


def _scale(values: np.ndarray) -> str:
    known = values[np.isfinite(values)]
    wide = bool(known.size and known.min() > 0 and known.max() > 20 * known.min())
    return "log" if wide else "linear"


def _meta(p: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ISTP attributes of a parameter."""
    name = p["name"]
    meta: dict[str, Any] = {
        "FIELDNAM": name,
        "CATDESC": p.get("description") or name,
        "UNITS": p.get("units") or "",
        "LABLAXIS": name,
        "VAR_TYPE": "data",
        "FILLVAL": [np.nan] if p["type"] == "double" else [],
    }
    rank = len(p.get("size") or p.get("x_dims") or ())
    if p.get("bins") and rank == 1:
        meta |= {"DISPLAY_TYPE": "spectrogram", "SCALETYP": "log" if _spread(p) else "linear"}
    elif rank <= 1:
        meta |= {"DISPLAY_TYPE": "time_series", "SCALETYP": "linear"}
        if rank:
            meta["LABL_PTR_1"] = _columns(p)
    else:
        meta["LABL_PTR_1"] = []  # nothing that one panel could show
    if p.get("coordinateSystemName"):
        meta["COORDINATE_SYSTEM"] = p["coordinateSystemName"]
    if not meta["FILLVAL"]:
        del meta["FILLVAL"]
    return meta


def _spread(p: Mapping[str, Any]) -> bool:
    return (p.get("units") or "1") not in ("1", "deg", "dimensionless")


def _dataset(name: str, last: str, info: Mapping[str, Any]) -> DatasetIndex:
    span = {"start_date": info["startDate"], "stop_date": info["stopDate"]}
    about = {"desc": info.get("description", ""), "description": info.get("description", "")}
    index = DatasetIndex(last, PROVIDER, name, meta=about | span)
    for p in info["parameters"][1:]:
        if p["type"] in ("double", "integer"):
            meta = {k: v for k, v in _meta(p).items() if k != "FILLVAL"}
            uid = f"{name}/{p['name']}"
            _put(index, p["name"], ParameterIndex(p["name"], PROVIDER, uid, meta=meta | span))
    return index


def _add_events(root: SpeasyIndex, name: str, info: Mapping[str, Any]) -> None:
    span = {"start_date": info["startDate"], "stop_date": info["stopDate"]}
    meta = {"desc": info.get("description", "")} | span
    word = name.replace(".", "_")
    catalogs = _child(root, "Catalogs", "Catalogs")
    _put(catalogs, word, CatalogIndex(word, PROVIDER, name, meta=meta))
    tables = _child(root, "TimeTables", "TimeTables")
    _put(tables, word, TimetableIndex(word, PROVIDER, f"{name}/{TIMETABLE}", meta=meta))


def _child(at: SpeasyIndex, word: str, uid: str) -> SpeasyIndex:
    key = _key(word)
    if key not in at.__dict__:
        setattr(at, key, SpeasyIndex(word, PROVIDER, uid))
    found: SpeasyIndex = at.__dict__[key]
    return found


def _put(at: SpeasyIndex, word: str, index: SpeasyIndex) -> None:
    """Hang an index into the tree; what hangs there already (deeper names) moves into it."""
    key = _key(word)
    if (old := at.__dict__.get(key)) is not None:
        below = {k: v for k, v in old.__dict__.items() if isinstance(v, SpeasyIndex)}
        index.__dict__.update(below)
    setattr(at, key, index)


def _key(word: str) -> str:
    return word if word.isidentifier() else f"_{word}"


def _main(info: Mapping[str, Any]) -> str:
    """Return the variable that stands for a dataset, '' where none does."""
    names = [p["name"] for p in info["parameters"][1:]]
    return str(info.get("x_main") or (names[0] if len(names) == 1 else ""))


def _whole(info: Mapping[str, Any]) -> Interval:
    """Return from when to when there are data."""
    return Interval(times.parse(info["startDate"]), times.parse(info["stopDate"]))


def _inside(info: Mapping[str, Any], start: Any, stop: Any) -> Interval | None:
    a, b = _instant(start), _instant(stop)
    return Interval(a, b).intersect(_whole(info)) if a < b else None


def _instant(when: Any) -> int:
    return round(when * SECOND) if isinstance(when, float) else instant(when)


def _utc(ns: int) -> datetime:
    return datetime.fromtimestamp(int(ns) // SECOND, UTC).replace(
        microsecond=int(ns) % SECOND // 1000
    )


def _plain(values: np.ndarray, kind: str) -> list[Any]:
    found: list[Any] = values.tolist()
    return [None if kind == "double" and v != v else v for v in found]
