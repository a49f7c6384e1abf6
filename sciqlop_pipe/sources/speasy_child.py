"""The process in which speasy runs: `python -m sciqlop_pipe.sources.speasy_child`.

A question comes as JSON on standard input; the answer goes, as JSON, into the file that it names.
speasy logs, prints, starts threads, and can die of a truncated CDF: all of that stays in here. Its
data cache is a folder of this process and goes with it, so nothing stale is ever served; its
inventories stay where the user keeps them.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from .pattern import FilePattern, sample_names
from .tables import Variable, save

_STAMPS = ("lastModificationDate", "last_modification_date", "lastUpdate", "last_update",
           "date_last_update")  # fmt: skip
# speasy's cache asks in fragments and merges those that came; its proxy's errors are None, like a
# day without data. Whole requests to the server itself tell what became of them.
_DIRECT = {"disable_cache": True, "disable_proxy": True}
_PLAIN_NAMES = ("archive",)  # has neither for data
# AMDA answers an interval without data with an empty file; None is a request that failed.
_NEVER_NONE = ("amda",)
# Said of one file of several: the others alone would pass for the whole.
_LOSSES = ("No data variable found", "Giving up on")
_QUIET = ("No data available", "no data")


def inventory(question: dict[str, Any]) -> dict[str, Any]:
    """Return for each source the folders with its files, and the coverage of its variables."""
    index = _Index(question["providers"])
    answers: list[dict[str, Any]] = []
    for source in question["sources"]:
        patterns = [FilePattern(text) for text in source["patterns"]]
        spans = [(_day(a), _day(b)) for a, b in source["spans"]]
        folders: dict[str, None] = {}
        for provider in question["match"]:
            for dataset in index.datasets(provider):
                if _serves(provider, dataset, patterns):
                    folders |= dict.fromkeys(_folders(provider, dataset, spans))
        for product in source["archived"]:
            provider, _, uid = product.partition("/")
            if (dataset := index.dataset(provider, uid)) is not None:
                folders |= dict.fromkeys(_folders(provider, dataset, spans))
        answers.append(
            {"folders": list(folders), "cover": [index.cover(p) for p in source["products"]]}
        )
    return {"sources": answers, "down": index.down}


class _Index:
    """speasy's inventories; a provider that does not come up is in `down`."""

    def __init__(self, providers: Sequence[str]) -> None:
        import speasy as spz
        from speasy.core.requests_scheduling import request_dispatch

        self.down: list[str] = []
        self._flat: dict[str, Any] = {}
        for name in providers:
            getattr(spz, name, None)
            if name in request_dispatch.PROVIDERS:
                self._flat[name] = request_dispatch.PROVIDERS[name].flat_inventory
            else:
                self.down.append(name)

    def datasets(self, provider: str) -> list[Any]:
        return list(self._flat[provider].datasets.values()) if provider in self._flat else []

    def dataset(self, provider: str, uid: str) -> Any:
        return self._flat[provider].datasets.get(uid) if provider in self._flat else None

    def cover(self, product: str) -> dict[str, str] | None:
        """Return from when to when there is data of a product, None if nobody knows it."""
        provider, _, uid = product.partition("/")
        flat = self._flat.get(provider)
        found = flat.parameters.get(uid) if flat is not None else None
        if flat is None or found is None:
            return None
        facts = vars(found)
        owner = vars(flat.datasets.get(str(facts.get("dataset") or "")) or found)
        stamp = next((str(d[k]) for k in _STAMPS for d in (facts, owner) if d.get(k)), "")
        start, stop = (str(facts.get(k) or owner.get(k) or "") for k in ("start_date", "stop_date"))
        return {"start": start, "stop": stop, "stamp": stamp}


def _serves(provider: str, dataset: Any, patterns: list[FilePattern]) -> bool:
    """Tell whether the files of a dataset are called like those of a source."""
    if provider == "cda":
        name = getattr(dataset, "filenaming", "") or ""
        if not name.lower().endswith(".cdf"):
            return False
        try:
            sample = datetime(2015, 10, 16, 13, 6, 4, tzinfo=UTC).strftime(name.replace("%Q", "1"))
        except ValueError:
            return False
        return any(p.match(sample) is not None for p in patterns)
    entry = getattr(dataset, "spz_ga_cfg", None)
    if not isinstance(entry, dict) or entry.get("codec", "cdf") != "cdf":
        return False
    import re

    last = str(entry.get("url_pattern", "")).rpartition("/")[2]
    for pattern in patterns:
        for when, name in sample_names(pattern):
            try:
                if re.fullmatch(_filled(last, when), name):
                    return True
            except (re.error, KeyError, IndexError, ValueError):
                return False
    return False


def _folders(provider: str, dataset: Any, spans: Sequence[tuple[datetime, datetime]]) -> list[str]:
    """Return the addresses of the folders in which the files of some spans lie."""
    from speasy.core.url_utils import apply_rewrite_rules

    found: dict[str, None] = {}
    if provider == "cda":
        base, inner = str(dataset.url).rstrip("/"), str(dataset.subdividedby)
        for day in _days(spans):
            folder = "" if inner == "None" else day.strftime(inner)
            found[apply_rewrite_rules(f"{base}/{folder}".rstrip("/") + "/")] = None
    else:
        base = str(dataset.spz_ga_cfg["url_pattern"]).rpartition("/")[0]
        for day in _days(spans):
            found[apply_rewrite_rules(_filled(base, day) + "/")] = None
    return list(found)


def _filled(text: str, when: datetime) -> str:
    """Return a pattern of an archive entry with the date put in, as speasy's rules say."""
    return text.format(
        Y=when.year, y=when.year % 100, M=when.month, D=when.day, H=when.hour,
        j=when.timetuple().tm_yday, I=when.hour % 12, p="PM" if when.hour >= 12 else "AM",
    )  # fmt: skip


def _days(spans: Sequence[tuple[datetime, datetime]]) -> Iterator[datetime]:
    for start, stop in spans:
        day = start.replace(hour=0, minute=0, second=0, microsecond=0)
        while day < stop:
            yield day
            day += timedelta(days=1)


def _day(ns: int) -> datetime:
    return datetime.fromtimestamp(ns / 1e9, UTC)


def variables(question: dict[str, Any]) -> dict[str, Any]:
    """Fetch variables of an interval with speasy, and write them where the question says."""
    import speasy as spz

    heard = _Heard()
    logging.getLogger().addHandler(heard)
    start, stop = (np.datetime64(int(question[k]), "ns") for k in ("start", "stop"))
    found: list[Variable] = []
    for product in question["products"]:
        provider = product.split("/")[0]
        heard.said.clear()
        got = spz.get_data(product, start, stop, **({} if provider in _PLAIN_NAMES else _DIRECT))
        if said := _fault(provider, got, heard):
            return {"error": f"nothing came for {product}, and speasy says: {said}"}
        if got is not None and len(got):
            found.extend(_variables(product.rpartition("/")[2], got, found))
    save(Path(question["path"]), found, {"Data_source": [", ".join(question["products"])]})
    return {}


def _fault(provider: str, got: Any, heard: _Heard) -> str:
    """Return what went wrong, "" for data and for a day without: speasy gives the same for both."""
    if said := heard.loss():
        return said
    if got is None and provider in _NEVER_NONE:
        return heard.complaint() or "the server made no file"
    return heard.complaint() if got is None or not len(got) else ""


class _Heard(logging.Handler):
    """What speasy warned about."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())

    def loss(self) -> str:
        """Return a warning that something is missing, whatever else came."""
        return next((s for s in self.said if any(q in s for q in _LOSSES)), "")

    def complaint(self) -> str:
        loud = [s for s in self.said if not any(q in s for q in _QUIET)]
        return loud[-1].strip().splitlines()[-1] if loud else ""


def _variables(name: str, got: Any, before: list[Variable]) -> Iterator[Variable]:
    time_name = str(got.axes[0].name or "time")
    if any(v.name == time_name and not np.array_equal(v.values, got.time) for v in before):
        time_name = f"{name}__{time_name}"
    if not any(v.name == time_name for v in before):
        yield Variable(time_name, np.asarray(got.time, "M8[ns]"))
    attrs: dict[str, Any] = {k: p for k, v in got.meta.items() if (p := _plain(v)) is not None}
    attrs = {k: v for k, v in attrs.items() if not k.startswith("DEPEND_")}
    attrs |= {"DEPEND_0": time_name, "UNITS": str(got.unit or "")}
    fill = got.fill_value
    if fill is not None and np.size(fill) == 1:
        attrs["FILLVAL"] = np.asarray(fill).reshape(-1)[0].item()
    for i, axis in enumerate(got.axes[1:], 1):
        if np.asarray(axis.values).dtype.kind not in "fiu":
            continue
        own = f"{name}__{axis.name or i}"
        along = {"UNITS": str(axis.unit or ""), "DEPEND_0": time_name}
        table = np.ascontiguousarray(axis.values)
        yield Variable(own, table, along, record_varying=bool(axis.is_time_dependent))
        attrs[f"DEPEND_{i}"] = own
    values = np.ascontiguousarray(got.values)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    yield Variable(name, values, attrs)


def _plain(value: Any) -> Any:
    """Return an attribute as text, a number or a tuple of numbers, None for anything else."""
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return value
    return None


def main() -> None:
    """Answer the one question of this process."""
    question = json.loads(sys.stdin.read())
    verbs = {"inventory": inventory, "variables": variables}
    try:
        answer = verbs[question["verb"]](question)
    except Exception as error:  # noqa: BLE001  (whatever speasy raises is the answer)
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        answer = {"error": f"{type(error).__name__}: {said}"[:400]}
    Path(question["answer"]).write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
