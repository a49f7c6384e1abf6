"""Store: granules and registry together, opened by address."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any

import xarray as xr

from ..errors import StoreError, UnknownName, UsageError, near
from ..granule import Interval, instant, iso
from . import schema
from .bucket import ObjectPath, Place, place_of
from .database import Database, refuse_network_file_system, sqlite_file
from .granules import remove_granule
from .layout import Layout
from .lazy import Part, PartTable, concatenate
from .mark import MARK, address_of, make, read_mark, write_mark
from .records import Committed, Outcome, Record, Stored
from .registry import Registry


class Store:
    """A place that holds granules, with the registry that says what is true.

    Use `Store.open`; a store is a context manager that closes its registry.
    """

    def __init__(self, root: Place, registry: Registry, *, durable: bool = True) -> None:
        self.root, self.registry, self.durable = root, registry, durable

    @classmethod
    def open(
        cls,
        url: str | os.PathLike[str],
        *,
        read_only: bool = False,
        create: bool = False,
        registry: str = "",
        durable: bool = True,
    ) -> Store:
        """Return the store at an address.

        Parameters
        ----------
        url : str or path
            A folder, or `s3://bucket/prefix`.
        read_only : bool
            Refuse to write; a store that could not be written to anyway needs this.
        create : bool
            Make it when it is not there.
        registry : str
            Address of the registry database where it is not the SQLite file inside the store; a
            store remembers it.
        durable : bool
            Whether granules are synced to disk before they are committed, and commits before they
            are told of. Without, a power cut may take what was done last.

        Raises
        ------
        StoreError
            When it is not there, not a store, of a newer format, damaged or not writable.
        """
        root = place_of(url)
        if not (root / MARK).is_file():
            if not create:
                raise StoreError(
                    "there is no store here",
                    str(root),
                    "Give --store the folder of one; 'sciqlop-pipe run' makes one",
                )
            make(root, registry)
        facts = read_mark(root)
        address = address_of(root, registry or facts["registry"])
        writable = not read_only and (isinstance(root, ObjectPath) or os.access(root, os.W_OK))
        if not read_only and not writable:
            raise StoreError(
                "the store is not writable",
                str(root),
                "Fix its permissions, or open it with read_only=True",
            )
        if address.startswith("sqlite:///"):
            file = sqlite_file(address)
            if writable:
                refuse_network_file_system(file.parent)
            if not file.exists():
                raise StoreError(
                    "the registry is gone",
                    str(file),
                    "Restore a 'store backup', or run 'sciqlop-pipe store rebuild'",
                )
        database = Database(address, read_only=read_only, syncs="FULL" if durable else "NORMAL")
        if not database.has_tables():
            database.close()
            raise StoreError(
                "the registry has no tables", database.where, "Run 'sciqlop-pipe store rebuild'"
            )
        return cls(root, Registry(database), durable=durable)

    @staticmethod
    def create_registry(url: str | os.PathLike[str], registry: str = "") -> None:
        """Make an empty registry for a store that has lost its own.

        Raises
        ------
        StoreError
            When there is no store, or its registry is still there.
        """
        root = place_of(url)
        if not (root / MARK).is_file():
            raise StoreError("there is no store here", str(root))
        address = address_of(root, registry or read_mark(root)["registry"])
        database = Database(address)
        try:
            if database.has_tables():
                raise StoreError(
                    "the registry is still there", database.where, "Move it away first"
                )
            database.create()
        finally:
            database.close()

    @staticmethod
    def upgrade(url: str | os.PathLike[str], registry: str = "") -> tuple[int, int]:
        """Bring a store to this version's format; return the format before and after.

        Tables that this version adds are made; nothing that was there changes.
        """
        root = place_of(url)
        facts = read_mark(root, older=True)
        database = Database(address_of(root, registry or facts["registry"]))
        database.create()
        database.close()
        before = int(facts["format"])
        write_mark(root, facts | {"format": schema.FORMAT})
        return before, schema.FORMAT

    def close(self) -> None:
        """Close the registry."""
        self.registry.db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def touch(self) -> None:
        """Change the folder's time: xarray names Dask tasks by it; equal names share results."""
        if isinstance(self.root, Path):
            os.utime(self.root)

    def commit(self, outcomes: Sequence[Outcome], run: str, *, stage: str = "") -> Committed:
        """Commit what workers report; files of dropped records are removed."""
        done = self.registry.commit(outcomes, run, stage=stage)
        for record in (*done.duplicates, *done.conflicts):
            if record.path:
                remove_granule(self.root, record.path)
        self.touch()
        return done

    def models(self) -> dict[str, tuple[str, str]]:
        """Return content hash and path of the promoted model of each name."""
        return self.registry.models()

    def when(self, as_of: Any) -> int | None:
        """Return the transaction time that a release name or a time stands for.

        Raises
        ------
        UsageError
            When it is neither.
        """
        if as_of is None:
            return None
        with self.registry.db.read() as conn:
            releases = {r.name: int(r.tx) for r in conn.execute(schema.release.select())}
        if as_of in releases:
            return releases[as_of]
        try:
            return instant(as_of)
        except UsageError:
            raise UsageError(
                f"'{as_of}' is neither a release nor a time",
                todo=f"Releases: {', '.join(releases) or 'none'}; times like 2015-12-01T09:30",
            ) from None

    def read(
        self,
        dataset: str,
        start: Any = None,
        stop: Any = None,
        *,
        as_of: Any = None,
        stage: str = "",
        drop_variables: str | Iterable[str] | None = None,
    ) -> xr.Dataset:
        """Return one lazy Dataset of everything current of a dataset in [start, stop).

        Parameters
        ----------
        dataset : str
            Its name.
        start, stop : time
            Limits, UTC; open where None.
        as_of : time or release name
            Read what was current then.
        stage : str
            Read a staged run over what is current.
        drop_variables : str or iterable of str
            Variables to leave out.

        Raises
        ------
        UnknownName
            When the store has nothing of that name.
        StoreError
            When the range holds several layouts (a mode change), when a granule is transient, or
            when `as_of` reaches behind garbage collection.
        """
        interval, now = _limits(start, stop), self.when(as_of)
        found = self.registry.shelved(dataset, interval, as_of=now, stage=stage)

        def rows() -> Sequence[Stored]:  # only to say what is wrong
            return self.registry.stored(dataset, interval, as_of=now, stage=stage)

        if not found.granules and interval is None:
            raise UnknownName(
                f"the store has nothing of '{dataset}'",
                str(self.root),
                near(dataset, self.registry.datasets()),
            )
        layout = self._layout(dataset, found.layouts, rows)
        if layout is None:
            raise UnknownName(
                f"the store has no records of '{dataset}' in this range",
                str(self.root),
                "Ask 'sciqlop-pipe status' for what there is",
            )
        if None in found.paths:
            gone = next(r for r in rows() if r.n and r.path is None)
            raise StoreError(
                f"{dataset} from {iso(gone.start)} is transient: it was computed and not kept",
                str(self.root),
                f"Run 'sciqlop-pipe run {dataset} --keep --start {iso(gone.start)} "
                f"--stop {iso(gone.stop)}' to materialise it",
            )
        root = str(self.root)
        paths = tuple([f"{root}/{path}" for path in found.paths])
        table = PartTable.of_columns(paths, found.n, found.first, found.last)
        ds = concatenate(table, layout, drop_variables=drop_variables)
        if interval is not None and paths:
            inside = slice(*(t for t in _inclusive(interval)))
            ds = ds.sel(time=inside)
        return ds

    def segments(
        self, dataset: str, interval: Interval, fresh: Sequence[Record] = ()
    ) -> Iterator[tuple[Layout, xr.Dataset]]:
        """Yield what is current and kept of a dataset in an interval, one Dataset per mode.

        A dataset without a change of mode gives one. What is transient is left out.

        Parameters
        ----------
        dataset : str
            Its name.
        interval : Interval
            Where.
        fresh : sequence of Record
            Granules that are written and about to be committed; they stand over current ones.
        """
        rows = [r for r in self.registry.stored(dataset, interval) if r.n and r.path is not None]
        signatures = self.registry.layouts()
        layouts: dict[str, Layout] = {}
        for r in fresh:
            span = r.granule.interval
            rows = [row for row in rows if row.stop <= span.start or row.start >= span.stop]
            if r.n and r.path is not None and r.layout is not None and span.overlaps(interval):
                digest = r.layout.signature
                layouts[digest] = r.layout
                signatures[digest] = digest
                rows.append(Stored(span.start, span.stop, r.n, r.first, r.last, r.path, digest))
        rows.sort(key=lambda row: row.start)
        start, stop = _inclusive(interval)
        for _, group in groupby(rows, key=lambda r: signatures[r.layout or ""]):
            some = list(group)
            known = some[-1].layout or ""
            layout = layouts.get(known) or self.registry.layout(known)
            root = str(self.root)
            parts = [Part(f"{root}/{r.path}", r.n, r.first or 0, r.last or 0) for r in some]
            yield layout, concatenate(parts, layout).sel(time=slice(start, stop))

    def _layout(
        self, dataset: str, layouts: Sequence[str | None], rows: Callable[[], Sequence[Stored]]
    ) -> Layout | None:
        """Return the one layout of granules, or say where it changes."""
        digests = [digest for digest in dict.fromkeys(layouts) if digest]
        if not digests:
            return None
        if len(digests) > 1:
            signatures = self.registry.layouts()
            if len({signatures[d] for d in digests}) > 1:
                raise StoreError(
                    f"{dataset} changes its mode inside this range; segments: "
                    + _segments([r for r in rows() if r.n], signatures),
                    str(self.root),
                    "Read one segment at a time",
                )
        return self.registry.layout(digests[-1])


def _segments(rows: Sequence[Stored], signatures: dict[str, str]) -> str:
    words: list[str] = []
    last = ""
    for row in rows:
        signature = signatures[row.layout] if row.layout else last
        if signature != last:
            words.append(f"from {iso(row.start)} layout {signature[:6]}")
            last = signature
    return ", ".join(words)


def _limits(start: Any, stop: Any) -> Interval | None:
    if start is None and stop is None:
        return None
    a = instant(start) if start is not None else -(2**62)
    b = instant(stop) if stop is not None else 2**62
    return Interval.of(a, b)


def _inclusive(interval: Interval) -> tuple[Any, Any]:
    a, _ = interval.slice64
    _, b = Interval(interval.start, interval.stop - 1).slice64
    return a, b
