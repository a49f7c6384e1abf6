"""What a worker does: make the granules of one bundle, write them, and report.

A bundle is a raw granule and the products made from it alone: it is read once. Workers never open
the registry: paths and hashes of inputs come with the task, records of what was made go back.
"""

from __future__ import annotations

import json
import socket
import tempfile
import time
import traceback
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .errors import PipeError, SourceError, StoreError, TransientError
from .fingerprint import file_part, fingerprint, granule_part, inputs_key, model_part, params_text
from .granule import Granule, iso
from .quality import masked_records
from .sources.access import Access
from .sources.archive import RawFile
from .sources.cache import sha256
from .sources.fetch import checksum, fetch
from .sources.files import Loaded, LocalFile, merge_by_time, trim
from .store.bucket import local_copy, place_of
from .store.granules import new_uid, read_granule, write_granule
from .store.layout import EMPTY, content_after, content_hash, layout_of
from .store.records import Event, Failure, InputUsed, Outcome, Record, Unchanged
from .task import Bundle, InputSpec, Member, Piece


@dataclass(slots=True)
class Made:
    """A granule in memory while its bundle runs."""

    ds: xr.Dataset | None
    content: str
    uid: str


def run_bundle(bundle: Bundle) -> list[Outcome]:
    """Return one outcome per member; a failure touches only the members that need what failed."""
    _single_threaded_codecs()
    made: dict[str, Made] = {}
    outcomes: list[Outcome] = []
    broken: set[str] = set()
    for member in bundle.members:
        began = time.perf_counter()
        granule, host = member.granule, socket.gethostname()
        if lacking := lacks(member, broken):
            broken.add(granule.dataset)
            outcomes.append(Failure(granule, "blocked", lacking, host=host))
            continue
        try:
            outcome = _make(bundle, without(member, broken), made)
        except Exception as error:  # noqa: BLE001  (a failure is a record, not a crash)
            broken.add(granule.dataset)
            outcomes.append(_failure(granule, error, time.perf_counter() - began, host))
        else:
            outcomes.append(_timed(outcome, time.perf_counter() - began, host))
    return outcomes


def run_batch(bundles: Sequence[Bundle]) -> list[list[Outcome]]:
    """Return the outcomes of several small bundles, for which one task each would cost more."""
    return [run_bundle(bundle) for bundle in bundles]


def lacks(member: Member, broken: Collection[str]) -> str:
    """Return what keeps a member from being made when siblings could not be, '' when nothing."""
    recipe = member.dataset.recipe
    for i in member.inputs:
        enough = recipe is not None and recipe.gaps_ok and i.pieces
        if i.sibling and i.dataset in broken and i.required and not enough:
            granule = Granule(i.dataset, member.interval)
            return f"input {i.argument} = {granule} could not be made"
    return ""


def without(member: Member, broken: Collection[str]) -> Member:
    """Return a member that does not count on siblings that could not be made."""
    inputs = tuple(
        replace(
            i,
            sibling=False,
            waits_for=(*i.waits_for, str(Granule(i.dataset, member.interval))),
        )
        if i.sibling and i.dataset in broken
        else i
        for i in member.inputs
    )
    return replace(member, inputs=inputs)


def _failure(granule: Granule, error: Exception, seconds: float, host: str) -> Failure:
    state = "failed"
    if isinstance(error, (TransientError, ConnectionError, TimeoutError)):
        state = "transient"
    elif isinstance(error, SourceError):
        state = "refused"
    said = str(error) if isinstance(error, PipeError) else f"{type(error).__name__}: {error}"
    detail = traceback.format_exc()
    return Failure(granule, state, _writable(said), _writable(detail), seconds, host)


def _writable(text: str) -> str:
    """Return a text that any database and terminal takes: names of files need not be UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def _timed(outcome: Record | Unchanged, seconds: float, host: str) -> Outcome:
    return replace(outcome, seconds=seconds, host=host)


def _make(bundle: Bundle, member: Member, made: dict[str, Made]) -> Record | Unchanged:
    if member.dataset.is_raw:
        return _make_raw(bundle, member, made)
    return _make_product(bundle, member, made)


def _make_raw(bundle: Bundle, member: Member, made: dict[str, Made]) -> Record | Unchanged:
    source = member.dataset.source
    assert source is not None
    with tempfile.TemporaryDirectory(prefix="sciqlop-pipe-") as folder:
        files = [_local(raw, Path(folder), member, bundle.access) for raw in member.files]
        loaded = source.read(files, member.interval, salvage=bundle.salvage)
        mark = _raw_fingerprint(member, loaded)
    used = tuple(
        InputUsed("", "file", f.raw.name, f.raw.start, f.raw.token, f.checksum) for f in files
    )
    key = inputs_key(file_part(f.token) for f in member.files)
    return _finish(bundle, member, made, loaded.ds, mark, key, used, lost=loaded.lost)


def _raw_fingerprint(member: Member, loaded: Loaded) -> str:
    lost = [("lost", word) for word in loaded.lost]

    def of(sums: Iterable[str]) -> str:
        return fingerprint(member.dataset, member.granule, [("file", s) for s in sums] + lost)

    mark, now = of(f.checksum for f in loaded.used), member.current_fingerprint
    if now in (None, mark) or member.current_content.startswith("b3:"):
        return mark
    # Stores before 2026-11-26 knew files by their SHA-256: is it the one that was read then?
    then = of(sha256(f.path) for f in loaded.used)
    return then if then == now else mark


def _local(raw: RawFile, folder: Path, member: Member, access: Access) -> LocalFile:
    path = fetch(raw, folder, access)
    found = dict(member.checksums).get(raw.token) or checksum(path)
    return LocalFile(raw, path, found, found in member.recorded)


def _make_product(bundle: Bundle, member: Member, made: dict[str, Made]) -> Record | Unchanged:
    dataset, granule = member.dataset, member.granule
    arguments: dict[str, Any] = {}
    digests: list[tuple[str, ...]] = []
    parts: list[str] = []
    used: list[InputUsed] = []
    waits: list[str] = []
    for spec in member.inputs:
        ds, lines = _gather(bundle, member, spec, made, parts, used)
        arguments[spec.argument] = ds
        digests.extend((spec.argument, line) for line in lines)
        waits.extend(spec.waits_for)
    if member.model is not None:
        parts.append(model_part(member.model.name, member.model.content))
        digests.append(("model", member.model.content))
        used.append(
            InputUsed(
                "model", "model", member.model.name, 0, member.model.path, member.model.content
            )
        )
    mark = fingerprint(dataset, granule, digests)
    key = inputs_key(parts)
    if mark == member.current_fingerprint and not _needed_in_memory(bundle, dataset.name):
        return Unchanged(granule, member.replaces[0], key, tuple(used))
    required = [arguments[i.argument] for i in member.inputs if i.required]
    result: Any = None
    if all(ds is not None for ds in required) and any(d is not None for d in arguments.values()):
        result = _call(bundle, member, arguments)
    completeness = _completeness(member)
    if dataset.gives.in_sql:
        return _events_record(member, mark, key, tuple(used), result or (), waits, completeness)
    return _finish(
        bundle,
        member,
        made,
        result,
        mark,
        key,
        tuple(used),
        waits=tuple(waits),
        completeness=completeness,
    )


def _needed_in_memory(bundle: Bundle, name: str) -> bool:
    return any(i.sibling and i.dataset == name for m in bundle.members for i in m.inputs)


def _call(bundle: Bundle, member: Member, arguments: dict[str, Any]) -> Any:
    recipe = member.dataset.recipe
    assert recipe is not None
    extra: dict[str, Any] = {}
    if member.model is not None:
        from .detect.trained import load_trained

        extra["model"] = load_trained(local_copy(place_of(bundle.root) / member.model.path))
    if member.dataset.gives.in_sql:
        extra |= {"dataset": member.dataset.name, "interval": member.interval}
    return recipe(**arguments, **dict(member.dataset.params), **extra)


def _gather(
    bundle: Bundle,
    member: Member,
    spec: InputSpec,
    made: dict[str, Made],
    parts: list[str],
    used: list[InputUsed],
) -> tuple[xr.Dataset | None, list[str]]:
    """Return an input as one dataset, and the digests of the slices it was made of."""
    reach = member.interval.padded(spec.margin)
    if spec.sibling:
        piece = made[spec.dataset]
        start = member.interval.start
        parts.append(granule_part(spec.argument, spec.dataset, start, piece.content))
        used.append(
            InputUsed(spec.argument, "granule", spec.dataset, start, piece.uid, piece.content)
        )
        return piece.ds, [piece.content]
    slices: list[xr.Dataset] = []
    digests: list[str] = []
    for p in spec.pieces:
        parts.append(granule_part(spec.argument, spec.dataset, p.start, p.content))
        used.append(InputUsed(spec.argument, "granule", spec.dataset, p.start, p.uid, p.content))
        ds = _piece(bundle, p)
        if ds is None:
            digests.append(p.content)
            continue
        inside = trim(ds, reach)
        whole = inside.sizes["time"] == ds.sizes["time"]
        digests.append(p.content if whole else content_hash(inside, p.content))
        if inside.sizes["time"]:
            slices.append(inside)
    return merge_by_time(slices), digests


def _piece(bundle: Bundle, piece: Piece) -> xr.Dataset | None:
    """Return an input granule in memory: read, or made again when it was not kept."""
    if not piece.n:
        return None
    if piece.path is not None:
        return read_granule(place_of(bundle.root), piece.path)
    if piece.maker is None:
        raise StoreError(
            "it was not kept and cannot be made again without its files",
            f"granule starting {iso(piece.start)}",
            "Give the archives it was made from (--archive)",
        )
    made: dict[str, Made] = {}
    _make(bundle, replace(piece.maker, keep=False, current_fingerprint=None), made)
    return made[piece.maker.dataset.name].ds


def _completeness(member: Member) -> float:
    waiting = sum(len(i.waits_for) for i in member.inputs)
    there = sum(len(i.pieces) + i.sibling for i in member.inputs)
    return 1.0 if not waiting else there / (there + waiting)


def _finish(
    bundle: Bundle,
    member: Member,
    made: dict[str, Made],
    ds: xr.Dataset | None,
    mark: str,
    key: str,
    used: tuple[InputUsed, ...],
    *,
    lost: Sequence[str] = (),
    waits: Sequence[str] = (),
    completeness: float = 1.0,
) -> Record | Unchanged:
    """Check, hash and write what was made; nothing is written when it is what is current."""
    dataset, granule = member.dataset, member.granule
    if ds is not None:
        ds = dataset.gives.check(trim(ds, member.interval), str(granule))
        ds = ds if ds.sizes["time"] else None
    if mark == member.current_fingerprint:
        made[dataset.name] = Made(ds, member.current_content, member.replaces[0])
        return Unchanged(granule, member.replaces[0], key, used)
    content = content_after(ds, member.current_content) if ds is not None else EMPTY
    uid = new_uid(mark)
    made[dataset.name] = Made(ds, content, uid)
    quality = _quality(ds, lost)
    facts: dict[str, Any] = {
        "uid": uid,
        "dataset": dataset.name,
        "start": member.interval.start,
        "stop": member.interval.stop,
        "fingerprint": mark,
        "content": content,
        "code": dataset.code,
        "version": dataset.version,
        "params": params_text(dataset),
        "inputs": key,
        "quality": quality,
        "completeness": completeness,
        "waits_for": list(waits),
        "first": None,
        "last": None,
        "n": 0,
        "written": time.time_ns(),
        "lineage": [[u.argument, u.kind, u.name, u.start, u.ref, u.content] for u in used],
    }
    path, nbytes = None, 0
    if ds is not None:
        time_ns = ds["time"].values.astype(np.int64)
        facts |= {"first": int(time_ns[0]), "last": int(time_ns[-1]), "n": int(time_ns.size)}
        if member.keep:
            written = write_granule(
                place_of(bundle.root),
                granule,
                uid,
                ds,
                dataset.gives,
                facts,
                durable=bundle.durable,
            )
            path, nbytes = written.path, written.nbytes
    return Record(
        granule,
        uid,
        mark,
        content,
        facts["n"],
        facts["first"],
        facts["last"],
        path,
        nbytes,
        layout_of(ds) if ds is not None else None,
        dataset.code,
        dataset.version,
        params_text(dataset),
        key,
        used,
        quality,
        completeness,
        tuple(waits),
        member.replaces,
    )


def _quality(ds: xr.Dataset | None, lost: Sequence[str]) -> str:
    """Return as JSON what was lost of the files, and how many records are masked by flags."""
    said: dict[str, Any] = {"lost": list(lost)} if lost else {}
    if ds is not None and "quality" in ds and (masking := ds["quality"].attrs.get("masking")):
        said["masked"] = masked_records(ds["quality"].values, int(masking))
    return json.dumps(said)


def _events_record(
    member: Member,
    mark: str,
    key: str,
    used: tuple[InputUsed, ...],
    events: Sequence[Event],
    waits: Sequence[str],
    completeness: float,
) -> Record:
    dataset = member.dataset
    events = tuple(sorted(events, key=lambda e: (e.start, e.kind)))
    content = inputs_key(f"{e.id} {e.kind} {e.start} {e.stop} {e.attributes}" for e in events)
    first = min((e.start for e in events), default=None)
    last = max((e.stop for e in events), default=None)
    return Record(
        member.granule,
        new_uid(mark),
        mark,
        content,
        len(events),
        first,
        last,
        None,
        0,
        None,
        dataset.code,
        dataset.version,
        params_text(dataset),
        key,
        used,
        "{}",
        completeness,
        tuple(waits),
        member.replaces,
        events,
    )


def _single_threaded_codecs() -> None:
    """One thread per worker thread: codecs must not start their own."""
    import zarr
    from numcodecs import blosc

    blosc.use_threads = False
    zarr.config.set({"threading.max_workers": 1, "async.concurrency": 4})
