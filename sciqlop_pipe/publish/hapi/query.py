"""What a request asks for, read from its query string and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...granule import Interval
from . import times
from .describe import Described
from .encode import CONTENT
from .status import HapiError

_SAME = {"id": "dataset", "time.min": "start", "time.max": "stop"}
_ALLOWED = {
    "capabilities": set[str](),
    "about": set[str](),
    "catalog": {"depth"},
    "info": {"dataset", "parameters", "resolve_references"},
    "data": {"dataset", "parameters", "start", "stop", "include", "format", "resolve_references"},
}
_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class Query:
    """A request for metadata or data, its times not yet compared with what there is."""

    dataset: str = ""
    parameters: tuple[str, ...] | None = None
    start: int = 0
    stop: int = 0
    form: str = "csv"
    header: bool = False
    deep: bool = False


def read(endpoint: str, items: Iterable[tuple[str, str]]) -> Query:
    """Return what a request asks for.

    Parameters
    ----------
    endpoint : str
        capabilities, about, catalog, info or data.
    items : iterable of (name, value)
        Of the query string, decoded.

    Raises
    ------
    HapiError
        1400 to 1413.
    """
    said: dict[str, str] = {}
    for name, value in items:
        key = _SAME.get(name, name)
        if key not in _ALLOWED[endpoint]:
            raise HapiError(1401, f"'{name[:80]}'")
        if key in said:
            raise HapiError(1400, f"'{key}' is given twice")
        said[key] = value
    if endpoint == "catalog":
        return Query(deep=_one_of(said, "depth", ("dataset", "all"), 1413) == "all")
    if endpoint in ("capabilities", "about"):
        return Query()
    if not said.get("dataset"):
        raise HapiError(1400, "the dataset is missing")
    if len(said["dataset"]) > _LONGEST_NAME:
        raise HapiError(1406)
    _one_of(said, "resolve_references", ("true", "false"), 1412)
    names = tuple(said["parameters"].split(",")) if said.get("parameters") else None
    if endpoint == "info":
        return Query(said["dataset"], names)
    start, stop = _time(said, "start", 1402), _time(said, "stop", 1403)
    if start >= stop:
        raise HapiError(1404)
    form = _one_of(said, "format", tuple(CONTENT), 1409) or "csv"
    header = bool(_one_of(said, "include", ("header",), 1410))
    return Query(said["dataset"], names, start, stop, form, header)


def _one_of(said: Mapping[str, str], key: str, known: tuple[str, ...], code: int) -> str:
    value = said.get(key)
    if value is None:
        return ""
    if value not in known:
        raise HapiError(code, f"'{value[:80]}'; known: {', '.join(known)}")
    return value


def _time(said: Mapping[str, str], key: str, code: int) -> int:
    if not said.get(key):
        raise HapiError(code, f"'{key}' is missing")
    try:
        return times.parse(said[key])
    except ValueError as error:
        raise HapiError(code, f"'{said[key][:80]}' ({error})") from None


def interval_of(query: Query, described: Described) -> Interval:
    """Return the interval of a request for data.

    Raises
    ------
    HapiError
        1405 when it reaches beyond what there is.
    """
    if query.start < described.start or query.stop > described.stop:
        first, last = times.text_of(described.start), times.text_of(described.stop)
        raise HapiError(1405, f"there are data from {first} to {last}")
    return Interval(query.start, query.stop)
