"""FileSource: a raw dataset made of mission files, read by an adapter and cut into granules."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import xarray as xr

from ..errors import SourceError, TruncatedFile
from ..granule import Interval, duration
from . import hapi, tables
from .archive import FilePattern, Listing, RawFile
from .cdf import CdfFile, open_cdf
from .remote import Archived, Hapi, Remote, Variables

_EXTENTS = 256

Adapter = Callable[[CdfFile], xr.Dataset]


@runtime_checkable
class Peeks(Protocol):
    """An adapter that can tell cheaply which times a file holds."""

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A raw file that has been fetched, with its checksum.

    `proven` where the store knows that these very bytes were read before.
    """

    raw: RawFile
    path: Path
    checksum: str
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """What some files hold of an interval."""

    ds: xr.Dataset | None
    used: tuple[LocalFile, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True)
class FileSource:
    """Files found by name anywhere in the archives, read one by one with an adapter.

    Parameters
    ----------
    pattern : str or tuple of str
        File names, e.g. "mms1_fgm_srvy_l2_{start:%Y%m%d}_v{version}.cdf".
    adapter : callable
        Turns one open CDF into a Dataset of the DataType, times at the centre of measurement.
    version : int
        Raise it whenever the adapter's numbers move.
    span : str
        The longest stretch of time a file may hold after the start in its name.
    pad : str
        How much before the start in its name a file may begin.
    recheck : str
        For how long an empty granule of a source without listing is looked at again.
    remote : tuple of Archived, Variables, Hapi
        What the dataset is called on servers, where file names do not tell. Variables that come
        without files fill the stretches for which no archive has a file, in this order.
    """

    pattern: str | tuple[str, ...]
    adapter: Adapter
    version: int = 1
    span: str = "1d"
    pad: str = "0s"
    recheck: str = "30d"
    remote: tuple[Remote, ...] = ()

    @property
    def patterns(self) -> tuple[FilePattern, ...]:
        """Return the file-name patterns."""
        texts = (self.pattern,) if isinstance(self.pattern, str) else self.pattern
        return tuple(FilePattern(text) for text in texts)

    @property
    def units(self) -> str:
        """Return the unit that the adapter says its values have, '' where it says none."""
        adapter: Any = self.adapter
        while not hasattr(adapter, "units") and hasattr(adapter, "adapter"):
            adapter = adapter.adapter
        return str(getattr(adapter, "units", ""))

    def candidates(self, listing: Listing) -> tuple[RawFile, ...]:
        """Return the newest version of every file of this source, sorted by start."""
        found = [f for p in self.patterns for f in listing.match(p, duration(self.span))]
        # Of records with the same time the first file's stays: the newest version comes first.
        newest_first = sorted(found, key=lambda f: (f.version, f.name), reverse=True)
        files = sorted(newest_first, key=lambda f: f.start)
        if listing.pieces and self.remote:
            files = sorted([*files, *self._pieces(listing, files)], key=lambda f: f.start)
        return tuple(files)

    def _pieces(self, listing: Listing, files: Sequence[RawFile]) -> list[RawFile]:
        """Return the pieces of variables where there is no file; earlier declared ones win.

        A file counts for a piece when it begins in it or covers all of it.
        """
        starts = [f.start for f in files]
        covers = [c for f in files if (c := self.extent(f)).stop - c.start > duration("1d")]
        chosen: list[RawFile] = []
        taken = _Taken()
        for remote in self.remote:
            if isinstance(remote, Archived):
                continue
            for piece in listing.pieces:
                if not piece.name.startswith(remote.prefix):
                    continue
                span = self.extent(piece)
                first = bisect_left(starts, span.start)
                filed = first < len(starts) and starts[first] < span.stop
                if not filed and not any(c.contains(span) for c in covers) and taken.take(span):
                    chosen.append(piece)
        return chosen

    def _adapter(self, file: RawFile) -> Adapter:
        for remote in self.remote:
            if isinstance(remote, (Variables, Hapi)) and file.name.startswith(remote.prefix):
                return remote.adapter or self.adapter
        return self.adapter

    def extent(self, file: RawFile) -> Interval:
        """Return the interval that a file may hold records of, judged by its name."""
        if file.stop is not None and is_piece(file):
            return Interval(file.start, max(file.stop, file.start + 1))
        stop = file.stop if file.stop is not None else file.start + duration(self.span)
        return Interval(file.start - duration(self.pad), max(stop, file.start + 1))

    @property
    def late(self) -> int:
        """How long [ns] after the end in its name a file may hold records.

        Archives cut files by their time tags; where a tag is the beginning of a measurement the
        centre of the last one lies behind the cut.
        """
        adapter: Any = self.adapter
        while not hasattr(adapter, "time_tag") and hasattr(adapter, "adapter"):
            adapter = adapter.adapter
        return max(0, int(getattr(getattr(adapter, "time_tag", None), "latest", 0)))

    def open(self, path: Path, *, salvage: bool = False, proven: bool = False) -> CdfFile:
        """Return a raw file as the adapter takes it; sources of other formats differ here."""
        return open_cdf(path, salvage=salvage, proven=proven)

    def read(self, files: Sequence[LocalFile], interval: Interval, *, salvage: bool) -> Loaded:
        """Return the records of [start, stop) that the files hold, merged by time.

        Parameters
        ----------
        files : sequence of LocalFile
            Candidates; those without a record in the interval contribute nothing.
        interval : Interval
            What is wanted.
        salvage : bool
            Whether the whole variables of a truncated file are good enough.

        Raises
        ------
        SourceError
            When a file that may hold part of the interval cannot be read.
        """
        pieces: list[xr.Dataset] = []
        used: list[LocalFile] = []
        lost: list[str] = []
        for file in files:
            piece = self._piece(file, interval, salvage)
            if piece is not None:
                pieces.append(piece)
                used.append(file)
                if said := piece.attrs.pop("lost", ""):
                    lost.extend(f"{file.raw.name}: {word}" for word in said.split(", "))
        return Loaded(merge_by_time(pieces), tuple(used), tuple(lost))

    def _piece(self, file: LocalFile, interval: Interval, salvage: bool) -> xr.Dataset | None:
        adapter = self._adapter(file.raw)
        key = (file.checksum, adapter, salvage)
        ds = _last_file.content(key)
        if ds is None and _last_file.outside(key, interval):
            return None
        if ds is None:
            try:
                cdf = self._open(file, salvage)
            except TruncatedFile:
                if self._outside(file, interval):
                    return None
                raise
            with cdf:
                if is_piece(file.raw) and not cdf.names:
                    return None  # the server was asked, and has nothing
                if isinstance(adapter, Peeks):
                    _last_file.note(key, adapter.extent(cdf))
                    if _last_file.outside(key, interval):
                        return None
                # Records out of order would be lost where a granule is cut out of the file.
                ds = _sorted_unique(adapter(cdf))
            _last_file.remember(key, ds)
        inside = trim(ds.copy(deep=False), interval)
        return inside if inside.sizes["time"] else None

    def _outside(self, file: LocalFile, interval: Interval) -> bool:
        """Tell whether a truncated file is known to hold nothing of the interval."""
        try:
            with self.open(file.path, salvage=True) as cdf:
                return not _may_hold(self.adapter, cdf, interval)
        except SourceError:
            return False

    def _open(self, file: LocalFile, salvage: bool) -> CdfFile:
        if not is_piece(file.raw):
            return self.open(file.path, salvage=salvage, proven=file.proven)
        load = hapi.load if file.raw.name.endswith(hapi.SUFFIX) else tables.load
        return CdfFile(file.path, load(file.path))


def is_piece(file: RawFile) -> bool:
    """Tell whether this is a stretch of variables rather than a file of an archive."""
    return file.location.startswith(("hapi+", "speasy:"))


def _may_hold(adapter: Adapter, cdf: CdfFile, interval: Interval) -> bool:
    if not isinstance(adapter, Peeks):
        return True
    return _meets(adapter.extent(cdf), interval)


def _meets(extent: tuple[int, int] | None, interval: Interval) -> bool:
    return extent is not None and extent[0] < interval.stop and extent[1] >= interval.start


class _Taken:
    """Stretches of time that do not overlap, in order."""

    def __init__(self) -> None:
        self._spans: list[Interval] = []

    def take(self, span: Interval) -> bool:
        """Add a stretch unless it overlaps one that is there; tell whether it was added."""
        at = bisect_left(self._spans, span)
        if any(s.overlaps(span) for s in self._spans[max(0, at - 1) : at + 1]):
            return False
        self._spans.insert(at, span)
        return True


class LastFile:
    """The content of the file that this process read last, unless it is large.

    Files lie over the borders of granules, and a worker often makes the next granule next. Of the
    files before it is known which times they hold: they need not be opened again to be left out.
    """

    def __init__(self, largest: int = 256 << 20) -> None:
        self.largest = largest
        self._held: tuple[Any, xr.Dataset] | None = None
        self._extents: dict[Hashable, tuple[int, int] | None] = {}

    def content(self, key: Hashable) -> xr.Dataset | None:
        """Return what was remembered for a key."""
        held = self._held
        return held[1] if held is not None and held[0] == key else None

    def remember(self, key: Hashable, ds: xr.Dataset) -> None:
        """Keep a file's content in place of the one before."""
        self._held = (key, ds) if ds.nbytes <= self.largest else None

    def note(self, key: Hashable, extent: tuple[int, int] | None) -> None:
        """Remember the first and last time [ns] of a file, None where it has no record."""
        while len(self._extents) >= _EXTENTS:
            self._extents.pop(next(iter(self._extents)), None)
        self._extents[key] = extent

    def outside(self, key: Hashable, interval: Interval) -> bool:
        """Tell whether a file is known to hold nothing of an interval."""
        return key in self._extents and not _meets(self._extents[key], interval)

    def forget(self) -> None:
        """Let go of it."""
        self._held = None
        self._extents.clear()


_last_file = LastFile()


def forget_last_file() -> None:
    """Let go of the file that this process read last: its memory, or before measuring a reader."""
    _last_file.forget()


def trim(ds: xr.Dataset, interval: Interval) -> xr.Dataset:
    """Return the records with start <= time < stop of a dataset in order of time."""
    start, stop = interval.slice64
    time = ds["time"].values
    if time.size == 0:
        return ds
    lo, hi = np.searchsorted(time, [start, stop], side="left")
    return ds if (lo, hi) == (0, time.size) else ds.isel(time=slice(int(lo), int(hi)))


def merge_by_time(pieces: Sequence[xr.Dataset]) -> xr.Dataset | None:
    """Return one dataset in time order; of records with the same time the first file's stays.

    Raises
    ------
    SourceError
        When the pieces have different shapes (an instrument mode changes between the files).
    """
    if not pieces:
        return None
    if len(pieces) == 1:
        return _sorted_unique(pieces[0])
    shapes = {tuple(sorted((str(d), s) for d, s in p.sizes.items() if d != "time")) for p in pieces}
    if len(shapes) > 1:
        raise SourceError(
            "the instrument changes its mode inside this granule: "
            + " and ".join(", ".join(f"{d}={s}" for d, s in shape) for shape in sorted(shapes)),
            todo="Use a shorter granule for this dataset",
        )
    pieces = _without_repeats(pieces)
    shared = set(pieces[0].data_vars).intersection(*(p.data_vars for p in pieces))
    whole = xr.concat(
        [_in_time(p, pieces)[sorted(map(str, shared))] for p in pieces],
        dim="time",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="override",
        combine_attrs="override",
    )
    return _sorted_unique(whole)


def _without_repeats(pieces: Sequence[xr.Dataset]) -> Sequence[xr.Dataset]:
    """Return pieces without the records at their head that the one before ended with.

    Files often overlap so; what is sorted when it is joined need not be copied once more. Where
    records lie otherwise, pieces come back as they are.
    """
    kept: list[xr.Dataset] = []
    before = np.empty(0, "M8[ns]")
    for piece in pieces:
        time = piece["time"].values
        if time.size and not (time[1:] > time[:-1]).all():
            return pieces
        repeated = int(np.searchsorted(time, before[-1], side="right")) if before.size else 0
        if not np.isin(time[:repeated], before).all():
            return pieces
        if repeated < time.size:
            kept.append(piece.isel(time=slice(repeated, None)) if repeated else piece)
            before = time
    return kept or pieces


def _in_time(piece: xr.Dataset, pieces: Sequence[xr.Dataset]) -> xr.Dataset:
    """Give a table that differs between files, or varies in one of them, a time dimension."""
    out = piece
    for name, var in piece.data_vars.items():
        if "time" in var.dims:
            continue
        others = [p[name] for p in pieces if name in p]
        if all("time" not in o.dims and o.equals(var) for o in others):
            continue
        wide = np.broadcast_to(var.values, (piece.sizes["time"], *var.shape))
        out = out.assign({name: (("time", *var.dims), wide, var.attrs)})
    return out


def _sorted_unique(ds: xr.Dataset) -> xr.Dataset:
    """Return records in order of time, of equal times the first, none without a time."""
    time = ds["time"].values
    if time.size < 2 or (time[1:] > time[:-1]).all():
        return ds
    _, first = np.unique(time, return_index=True)
    return ds.isel(time=first[~np.isnat(time[first])])
