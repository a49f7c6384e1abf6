"""A tree of CDF files beside a store: one per day or burst, a new version for new content."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ...errors import PipeError, UnknownName, UsageError, near
from ...granule import Granule, GranuleLength, Interval, iso
from ...graph import Graph
from ...store import Store
from ...store.events import event_datasets
from ...store.records import Current, Rows
from ..datatree import Words
from ..whole import part_of, write_through
from .encode import CONTENT, DATASET, file_facts, to_cdf
from .facts import Facts, Provenance, stamp

#: Raise it when the same values are written in another way.
FORMAT = 1
SUFFIX = ".cdf"
_VERSION = re.compile(r"_v(\d+)\.(\d+)\.(\d+)\.cdf$")


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one piece of time: `new`, `version` (newer content), `same`, or `failed`."""

    piece: Granule
    state: str
    path: Path | None = None
    records: int = 0
    error: str = ""


def selected(store: Store, patterns: Sequence[str]) -> list[str]:
    """Return the datasets of a store that names or globs mean; a glob means no events.

    Raises
    ------
    UnknownName
        When a name is not there, or a glob fits nothing; with near names.
    """
    known, events = store.registry.datasets(), event_datasets(store.registry.db)
    found: dict[str, None] = {}
    for pattern in patterns:
        fits = [n for n in known if n == pattern or (fnmatchcase(n, pattern) and n not in events)]
        if not fits:
            raise UnknownName(
                f"the store has nothing of '{pattern}'",
                str(store.root),
                near(pattern, known) or "Ask 'sciqlop-pipe status' for what there is",
            )
        found.update(dict.fromkeys(fits))
    return list(found)


def facts_of(graph: Graph, store: Store, dataset: str) -> Facts:
    """Return what is declared of a dataset; of one that nobody declares, what the store knows."""
    if dataset in graph.nodes:
        declared = graph[dataset]
        words = Words.of(declared, graph.mission_of[dataset])
        return Facts(
            dataset,
            declared.gives.name,
            f"{words.mission_title or words.mission}: {dataset}",
            words.text,
            words.authors,
            words.mission,
            words.mission_title,
            words.citation,
            words.acknowledgement,
            declared.cadence,
        )
    rows = store.registry.current(dataset)
    if not rows:
        known = {*graph.nodes, *store.registry.datasets()}
        raise UnknownName(
            f"there is nothing of '{dataset}'",
            str(store.root),
            near(dataset, known) or "Ask 'sciqlop-pipe status' for what there is",
        )
    return Facts(dataset, _datatype(rows[-1]))


def _datatype(row: Current) -> str:
    return row.code.split()[-1].split("@")[0]


def piece_length(graph: Graph, dataset: str) -> GranuleLength:
    """Return how long the files of a dataset are: bursts of distributions, days, months.

    A distribution (a DataType that is chunked by records) has a file per granule of less than a
    day, everything else a day; what has granules of a month has files of a month.
    """
    if dataset not in graph.nodes:
        return GranuleLength("1d")
    granule = graph.length(dataset)
    heavy = graph[dataset].gives.records > 0
    return granule if heavy or granule.text == "month" else GranuleLength("1d")


def publish(
    store: Store,
    graph: Graph,
    dataset: str,
    interval: Interval,
    folder: Path,
    *,
    split: str = "",
    as_of: str = "",
) -> Iterator[Made]:
    """Write the files of a dataset that touch an interval; yield what became of each.

    A piece whose newest file has the same content is left as it is; where the content differs, a
    file of the next version is written beside it. No file is ever changed. A piece is always
    published as a whole, whichever part of it was asked for.

    Parameters
    ----------
    store, graph
        Where values and declarations are.
    dataset : str
        Its name.
    interval : Interval
        Pieces that touch it are published.
    folder : Path
        Root of the tree: `folder/mms1/fgm/brst/b_gse/2015/mms1_fgm-brst_b-gse_20151016_v1.0.0.cdf`.
    split : str
        Length of the pieces ("1d", "10min", "month"); `piece_length` where empty.
    as_of : str
        A release or a time instead of now.

    Raises
    ------
    UsageError
        For events, which are published as catalogs.
    """
    facts = facts_of(graph, store, dataset)
    if facts.datatype == "Events":
        raise UsageError(
            "events are no time series", dataset, f"Write 'sciqlop-pipe catalog export {dataset}'"
        )
    length = GranuleLength(split) if split else piece_length(graph, dataset)
    whole = Interval(length.holding(interval.start).start, length.holding(interval.stop - 1).stop)
    there = store.registry.current(dataset, whole, as_of=store.when(as_of or None))
    full = Rows.of(r for r in there if r.n)
    pieces = dict.fromkeys(p for r in full.by_start.values() for p in length.covering(r.interval))
    for piece in sorted(p for p in pieces if p.overlaps(interval)):
        rows = full.over(piece)
        if not any(_has_records(r, piece) for r in rows):
            continue
        target = Granule(dataset, piece)
        try:
            yield _publish(store, facts, target, rows, folder, str(length), as_of)
        except (PipeError, OSError) as error:
            yield Made(target, "failed", error=str(error))


def excerpt(store: Store, graph: Graph, dataset: str, interval: Interval) -> tuple[str, bytes]:
    """Return name and bytes of one CDF file with what is current of a dataset in an interval.

    It is what `publish` writes, of any stretch of time, and belongs to no tree.

    Raises
    ------
    UnknownName
        When the store has nothing of it there.
    """
    facts = facts_of(graph, store, dataset)
    rows = [r for r in store.registry.current(dataset, interval) if r.n]
    rows = [r for r in rows if _has_records(r, interval)]
    if not rows:
        raise UnknownName(f"the store has no records of '{dataset}' here", str(store.root))
    piece = Granule(dataset, interval)
    version = _following((), max(r.version for r in rows))
    name = f"{facts.names.logical_source}_{stamp(interval, '')}_v{version}"
    content = _content(facts, piece, rows, "")
    return name + SUFFIX, _bytes(store, facts, piece, rows, name, version, content, "")[0]


def _has_records(row: Current, piece: Interval) -> bool:
    """Tell whether a granule may have records in a piece of time."""
    return (row.first or 0) < piece.stop and (row.last or 0) >= piece.start


def folder_of(folder: Path, dataset: str) -> Path:
    """Return where the files of a dataset are in a tree, in folders of years."""
    return folder.joinpath(*dataset.split("."))


def _publish(
    store: Store, facts: Facts, piece: Granule, rows: Sequence[Current], folder: Path,
    length: str, as_of: str,
) -> Made:  # fmt: skip
    content = _content(facts, piece, rows, length)
    head = f"{facts.names.logical_source}_{stamp(piece.interval, length)}"
    where = folder_of(folder, piece.dataset) / iso(piece.interval.start)[:4]
    code = max(r.version for r in rows)
    while True:
        newest, last = _newest(where, head)
        if newest is not None:
            known = file_facts(newest)
            if known.get(DATASET, piece.dataset) != piece.dataset:
                raise UsageError(
                    f"{newest.name} holds {known[DATASET]}, whose name differs in _ and - only",
                    piece.dataset, "Publish one of the two into another folder",
                )  # fmt: skip
            if known.get(CONTENT) == content:
                return Made(piece, "same", newest)
        version = _following(last, code)
        name = f"{head}_v{version}"
        data, records = _bytes(store, facts, piece, rows, name, version, content, as_of)
        if not records:
            return Made(piece, "same", None)
        if _write(where / (name + SUFFIX), data):
            state = "version" if newest is not None else "new"
            return Made(piece, state, where / (name + SUFFIX), records)


def _bytes(
    store: Store, facts: Facts, piece: Granule, rows: Sequence[Current], name: str, version: str,
    content: str, as_of: str,
) -> tuple[bytes, int]:  # fmt: skip
    within = piece.interval
    ds = store.read(piece.dataset, within.start, within.stop, as_of=as_of or None).load()
    made = _provenance(store, rows, content, as_of)
    return to_cdf(ds, facts, made, name, version), ds.sizes["time"]


def _content(facts: Facts, piece: Granule, rows: Sequence[Current], length: str) -> str:
    """Return the digest of what a file would hold: known without reading anything."""
    parts = [FORMAT, list(astuple(facts)), length, str(piece), [(r.start, r.content) for r in rows]]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def _provenance(store: Store, rows: Sequence[Current], content: str, as_of: str) -> Provenance:
    inputs: dict[str, None] = {}
    for row in rows:
        for used in store.registry.lineage(row.uid):
            at = f" {iso(used.start)}" if used.kind == "granule" else ""
            inputs[f"{used.kind} {used.name}{at} {used.content}"] = None
    return Provenance(
        content,
        max(int(store.registry.row(r.uid)["written"]) for r in rows),
        tuple(dict.fromkeys(r.code for r in rows)),
        tuple(f"{r.granule} {r.fingerprint} {r.content}" for r in rows),
        tuple(inputs),
        as_of,
    )


def _newest(where: Path, head: str) -> tuple[Path | None, tuple[int, ...]]:
    """Return the file of the highest version of a piece, and that version."""
    found = [
        (tuple(map(int, m.groups())), path)
        for path in where.glob(f"{head}_v*{SUFFIX}")
        if (m := _VERSION.search(path.name))
    ]
    version, path = max(found, default=((), None))
    return path, version


def _following(last: tuple[int, ...], code: int) -> str:
    """Return the next version: the recipe's or adapter's first, then a count; never a lower one."""
    if not last or code > last[0]:
        return f"{code}.0.0"
    return f"{last[0]}.{last[1]}.{last[2] + 1}"


def _write(path: Path, data: bytes) -> bool:
    """Put a file into place unless there is one already; tell whether it was put."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with part_of(path) as part:
        write_through(part, data)
        try:
            os.link(part, path)
        except FileExistsError:
            return False
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return True
