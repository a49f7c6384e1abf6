"""ICMEs at the door: hourly files and lists in, a model or its scores out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ...errors import PipeError, SourceError, UsageError
from ...granule import HOUR, iso
from ...graph import Graph
from ...model import Dataset
from ...sources.files import FileSource
from ...store import Store
from .. import hourly
from ..evaluation.events import by_year, score_events
from ..evaluation.matching import Mark
from ..evaluation.report import Evaluation, event_summary, write_marks
from ..evaluation.stored import catalog_notes, joined
from ..evaluation.tables import Table, read_table, settled
from ..icme_model import KIND, load_icme_model, save_icme_model
from ..models import Card
from ..promoted import shipped
from . import ejecta
from .door import Asked, checked_split, one_thread
from .labelled_hours import Labelled, labelled
from .verdicts import Said, told


class IcmeLearner:
    """Magnetic obstacles of ICMEs, from hourly solar wind."""

    name = "icme"
    model = "icme"
    splits: tuple[str, ...] = ("year",)

    def listen(self, store: Store, dataset: str, said: Sequence[Said]) -> tuple[Said, ...]:
        """Return verdicts as they are: hours are read from the inputs, not from the store."""
        return tuple(said)

    @one_thread()
    def train(self, asked: Asked, out: Path) -> Evaluation:
        """Return how a model does on years it has not seen, after writing it to a folder."""
        import sklearn

        data, tables = self._labelled(asked)
        validated = ejecta.validate(data, seed=asked.seed)
        metrics = {
            "events": validated.scores.as_numbers(),
            "events without origin FP": self._without_fp(validated, data, asked.seed),
            "hours": validated.hourly,
            "split": {"by": "year", "years": list(data.groups), "protocol": _PROTOCOL,
                      "thresholds": validated.thresholds},
        }  # fmt: skip
        words = (
            f"{int(data.scored.sum())} labelled hours, {len(data.marks)} events of "
            f"{', '.join(Path(t.name).name for t in tables)}, sheaths left out; "
            f"hash {_content(data)}{told(asked.said)}"
        )
        card = Card("icme", words, metrics, asked.command, sklearn.__version__)
        model = ejecta.fit(data, card, seed=asked.seed)
        some = np.flatnonzero(data.known)[:: max(int(data.known.sum()) // 8, 1)][:8]
        save_icme_model(out, model, data.matrix[some].round(4))
        return self._validated(asked, data, tables, validated, model.content)

    @one_thread()
    def evaluate(self, asked: Asked) -> Evaluation:
        """Return how a model does on hourly files against lists."""
        data, tables = self._labelled(asked)
        if asked.validate:
            validated = ejecta.validate(data, seed=asked.seed)
            write_marks(asked.predictions, validated.found, KIND)
            return self._validated(asked, data, tables, validated, "")
        model = load_icme_model(asked.model or shipped()["icme"])
        events = model.find(data.hours)
        found = [Mark(e.start, e.stop, probability=e.probability) for e in events]
        scores = score_events(found, data.marks, data.spans, group=by_year, seed=asked.seed)
        notes = list(catalog_notes(tables, bool(asked.labelled)))
        if _content(data) in model.card.training:
            notes.append("The model was trained on these very hours: the numbers say nothing of "
                         "other years; use --cross-validate.")  # fmt: skip
        far = [e for e in events if e.distance > 1]
        notes.append(f"{len(far)} of {len(events)} events are far from what the model has seen.")
        write_marks(asked.predictions, found, KIND)
        about = self._about(asked, data, tables) | {
            "model": model.content, "protocol": "a trained model on the files given",
        }  # fmt: skip
        numbers = scores.as_numbers()
        scored = {"icme": numbers} | self._real(found, data, asked.seed)
        return Evaluation("icme", about, events=scored, notes=tuple(notes),
                          summary=event_summary(numbers))  # fmt: skip

    def _labelled(self, asked: Asked) -> tuple[Labelled, list[Table]]:
        checked_split(asked, self.splits)
        if not asked.labels:
            raise UsageError("there are no events to compare with", "icme",
                             "Give --catalog or --labels FILE")  # fmt: skip
        tables = settled([_narrowed(p, asked.source) for p in asked.labels], asked.overlaps)
        spans = joined(list(asked.labelled) or [s for t in tables for s in t.spans], 0)
        marks = [m for t in tables for m in t.marks]
        sheaths = [s for t in tables for s in t.sheaths]
        hours = read_hours(asked.inputs)
        return labelled(hours, marks, sheaths, spans, asked.said), tables

    def _validated(
        self, asked: Asked, data: Labelled, tables: Sequence[Table],
        validated: ejecta.Validated, content: str,
    ) -> Evaluation:  # fmt: skip
        about = self._about(asked, data, tables) | {
            "protocol": _PROTOCOL, "years": list(data.groups), "hours": validated.hourly,
            "thresholds": validated.thresholds, **({"model": content} if content else {}),
        }  # fmt: skip
        numbers = validated.scores.as_numbers()
        events = {"icme": numbers} | self._real(validated.found, data, asked.seed)
        notes = catalog_notes(tables, bool(asked.labelled))
        return Evaluation("icme", about, events=events, notes=notes, summary=event_summary(numbers))

    def _real(self, found: Sequence[Mark], data: Labelled, seed: int) -> dict[str, dict[str, Any]]:
        """Return the scores without rows of origin FP, which an earlier network found."""
        if not any(m.source == "FP" for m in data.marks):
            return {}
        kept = [m for m in data.marks if m.source != "FP"]
        lone = [
            f
            for f in found
            if not any(
                m.source == "FP" and m.start < f.stop and f.start < m.stop for m in data.marks
            )
        ]
        scores = score_events(lone, kept, data.spans, group=by_year, seed=seed)
        return {"without origin FP": scores.as_numbers()}

    def _without_fp(self, validated: ejecta.Validated, data: Labelled, seed: int) -> dict[str, Any]:
        found = self._real(validated.found, data, seed)
        return found.get("without origin FP", {})

    def _about(self, asked: Asked, data: Labelled, tables: Sequence[Table]) -> dict[str, Any]:
        return {
            "inputs": [str(p) for p in asked.inputs], "catalogs": [t.name for t in tables],
            "target": "magnetic obstacles; sheaths are neither event nor quiet",
            "labelled": [[iso(s.start), iso(s.stop)] for s in data.spans],
            "content": _content(data),
        }  # fmt: skip


_NEAR_EARTH = ("Wind", "ACE", "DSCOVR")
"""Spacecraft whose events are those of the solar wind near the Earth, if nobody says which."""

_PROTOCOL = "each year left out in turn; forest and threshold chosen on the others, nested"


def read_hours(paths: Sequence[Path]) -> hourly.Hours:
    """Return the hours of some files, whatever mission declares how they are read.

    A file is read as the inputs of the first dataset of ICMEs whose adapters take it (yearly OMNI2
    text, plain or gzip), or as a CSV with `time` (or `ts`) and b, n, v, optionally t [eV] and bx,
    by, bz.

    Parameters
    ----------
    paths : sequence of Path
        In any order; none may speak of the same hour.

    Raises
    ------
    UsageError
        When there is no file.
    SourceError
        When a file is none of these.
    """
    if not paths:
        raise UsageError("there are no hours", "icme", "Give --input FILE...")
    parts = [_read(Path(p)) for p in paths]
    names = parts[0].keys()
    together: dict[str, Any] = {}
    for name in names:
        series = [p[name] for p in parts if p.get(name) is not None]
        whole = xr.concat(series, "time", data_vars="minimal", coords="minimal",
                          compat="override", join="override") if series else None  # fmt: skip
        together[name] = None if whole is None else whole.sortby("time").drop_duplicates("time")
    return hourly.hours(**together)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UsageError("there is no such file", str(path))
    if ".csv" in path.suffixes:
        return _csv(path)
    reasons = []
    for node in _detectors():
        try:
            return _with_adapters(path, node)
        except PipeError as error:
            reasons.append(error.what)
    raise SourceError(f"no layout of hourly data fits ({'; '.join(reasons) or 'none is declared'})",
                      str(path), "Give yearly OMNI2 text files")  # fmt: skip


def _detectors() -> list[Dataset]:
    graph = Graph.discover()
    found = [graph[name] for name in graph.nodes]
    return [d for d in found if d.recipe is not None and d.recipe.name == "icmes"]


def _with_adapters(path: Path, node: Dataset) -> dict[str, Any]:
    graph = Graph.discover()
    sources = {argument: graph[name].source for argument, name in node.inputs}
    found: dict[str, Any] = {}
    opened: dict[str, Any] = {}
    for argument, source in sources.items():
        if not isinstance(source, FileSource):
            raise SourceError(f"{argument} has no files", str(path))
        key = repr((type(source), getattr(source, "table", None)))
        if key not in opened:  # a table of text is parsed once for all its columns
            opened[key] = source.open(path)
        found[argument] = source.adapter(opened[key])
    for cdf in opened.values():
        cdf.close()
    return found


def _csv(path: Path) -> dict[str, Any]:
    frame = pd.read_csv(path)
    frame.columns = [str(c).strip().lower() for c in frame.columns]
    when = next((c for c in ("time", "ts") if c in frame), None)
    if when is None or not {"b", "n", "v"} <= set(frame.columns):
        raise SourceError(f"no hourly table: {', '.join(frame.columns)}", str(path),
                          "Name columns time, b, n, v (and t, bx, by, bz)")  # fmt: skip
    stamps = pd.to_datetime(frame[when], utc=True).dt.tz_localize(None)
    time = stamps.to_numpy().astype("M8[ns]") + np.timedelta64(HOUR // 2, "ns")

    def column(name: str) -> np.ndarray:
        if name not in frame:
            return np.full(len(frame), np.nan)
        values = pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64)
        limit = {"b": 900.0, "n": 900.0, "v": 5000.0}.get(name, 1e6)
        return np.where(np.abs(values) < limit, values, np.nan)

    axes = {"time": time}
    velocity = np.stack([-column("v"), 0 * column("v"), 0 * column("v")], axis=1)
    field = np.stack([column(c) for c in ("bx", "by", "bz")], axis=1)
    return {
        "plasma": xr.Dataset(
            {"density": ("time", column("n")), "temperature": ("time", column("t")),
             "velocity": (("time", "component"), velocity)}, axes,
        ),
        "b": xr.Dataset({"vector": (("time", "component"), field)}, axes),
        "strength": xr.Dataset({"value": ("time", column("b"))}, axes),
    }  # fmt: skip


def _narrowed(path: Path, source: str) -> Table:
    """Return a list; of one that names several spacecraft the events of one near the Earth."""
    table = read_table(path)
    names = {m.source for m in table.marks if m.source}
    wanted = source or next((n for n in _NEAR_EARTH if n in names and len(names) > 1), "")
    return read_table(path, source=wanted) if wanted in names else table


def _content(data: Labelled) -> str:
    """Return the hash of hours and what the lists say of them."""
    import hashlib

    digest = hashlib.blake2b(digest_size=16)
    for part in (data.hours.time, data.truth, data.scored, data.hours.strength):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
