"""Archives: folder trees or web listings in which a dataset's files are found by their names."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from urllib.parse import quote

from ..errors import ArchiveGone, SourceError
from .access import Access
from .http import is_url
from .pattern import FileMatch, FilePattern

__all__ = ["FileMatch", "FilePattern", "Listing", "RawFile", "list_archives"]

# What may stand in the last part of an address as it is (RFC 3986), and mostly does.
_PLAIN = "!$&'()*+,;=:@~"
_NAMED = 3
_UNFINISHED = (".part", ".tmp", ".temp", ".crdownload", ".filepart", "~")
_HIDDEN = (".", "~", "#")
_NOT_THERE = (errno.ENOENT, errno.ELOOP, errno.EACCES, errno.ENOTDIR)


@dataclass(frozen=True, slots=True)
class RawFile:
    """One file of an archive, and what its name and its listing say.

    Parameters
    ----------
    name : str
        File name.
    location : str
        Full path or address.
    start, stop : int, int or None
        Times in the name [ns since 1970 UTC].
    version : tuple of int
        Version in the name.
    size : int
        Bytes, -1 where the listing does not tell.
    stamp : str
        Modification time, ETag, or what the listing shows of them; '' if nothing.
    others : tuple of RawFile
        The same file (name and version) behind other doors, for when this one cannot be had.
    """

    name: str
    location: str
    start: int
    stop: int | None
    version: tuple[int, ...]
    size: int
    stamp: str
    others: tuple[RawFile, ...] = ()

    @property
    def token(self) -> str:
        """A short text that changes when the file does, as far as a listing can tell."""
        facts = [self.location, self.name, list(self.version), self.size, self.stamp]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Listing:
    """All files of some archives, sorted by name; of equal names the earlier archive's first.

    Columns of equal length: file names, index of their folder in `folders`, sizes [bytes], stamps.
    `skipped` names folders that could not be read, `gone` archives that did not answer while others
    did. `pieces` are stretches of variables that servers give without files, in the order of the
    archives.
    """

    names: tuple[str, ...]
    folder_of: tuple[int, ...]
    sizes: tuple[int, ...]
    stamps: tuple[str, ...]
    folders: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    pieces: tuple[RawFile, ...] = ()

    def __len__(self) -> int:
        """Return the number of files and pieces."""
        return len(self.names) + len(self.pieces)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What whoever asked should know: doors that did not answer, folders not looked into."""
        if not self.skipped:
            return self.gone
        names = ", ".join(self.skipped[:_NAMED]) + (" ..." if len(self.skipped) > _NAMED else "")
        many = f"{len(self.skipped)} folder{'s' * (len(self.skipped) > 1)}"
        return (*self.gone, f"{many} could not be looked into: {names}.")

    def match(self, pattern: FilePattern, max_span_ns: int | None = None) -> tuple[RawFile, ...]:
        """Return the files of a pattern sorted by start, of each only the newest version.

        Files are the same but for their version where their names are. Equal versions: the
        earlier archive wins.

        Parameters
        ----------
        pattern : FilePattern
            Names to look for.
        max_span_ns : int
            If given, files whose name has no stop get start + this [ns].
        """
        newest: dict[str, tuple[FileMatch, list[int]]] = {}
        for i in self._with_prefix(pattern.prefix):
            found = pattern.match(self.names[i])
            if found is None:
                continue
            known = newest.get(found.stem)
            if known is None or found.version > known[0].version:
                newest[found.stem] = (found, [i])
            elif found.version == known[0].version:
                known[1].append(i)
        files = [self._best(found, rows, max_span_ns) for found, rows in newest.values()]
        return tuple(sorted(files, key=lambda file: (file.start, file.name)))

    def to_json(self) -> str:
        """Return the listing as JSON text."""
        plain = {field: getattr(self, field) for field in self.__slots__}
        return json.dumps(plain | {"pieces": [astuple(piece) for piece in self.pieces]})

    @classmethod
    def from_json(cls, text: str) -> Listing:
        """Return the listing that `to_json` wrote.

        Raises
        ------
        SourceError
            The text is something else.
        """
        try:
            fields = {key: tuple(value) for key, value in json.loads(text).items()}
            pieces = tuple(
                RawFile(p[0], p[1], p[2], p[3], tuple(p[4]), p[5], p[6])
                for p in fields.pop("pieces", ())
            )
            return cls(**fields, pieces=pieces)
        except (ValueError, TypeError, AttributeError) as error:
            raise SourceError(f"not a listing ({error})", todo="List the archives again") from error

    def _with_prefix(self, prefix: str) -> range:
        low = bisect_left(self.names, prefix)
        return range(low, bisect_left(self.names, prefix + "\U0010ffff", low))

    def _best(self, found: FileMatch, rows: list[int], span: int | None) -> RawFile:
        """Return the file of the earliest folder, the same ones of later folders beside it."""
        if len(rows) == 1:
            return self._raw(found, rows[0], span)
        first, *others = (
            self._raw(found, i, span) for i in sorted(rows, key=lambda i: self.folder_of[i])
        )
        return replace(first, others=tuple(others))

    def _raw(self, found: FileMatch, i: int, span: int | None) -> RawFile:
        name, folder = self.names[i], self.folders[self.folder_of[i]]
        location = folder + (quote(name, safe=_PLAIN) if is_url(folder) else name)
        stop = found.start + span if found.stop is None and span is not None else found.stop
        return RawFile(
            name, location, found.start, stop, found.version, self.sizes[i], self.stamps[i]
        )


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of an archive: its location with the final separator, and its files."""

    location: str
    files: tuple[tuple[str, int, str], ...]


def list_archives(archives: Iterable[str | Path], access: Access | None = None) -> Listing:
    """Return all files of some archives, each tree walked once.

    Hidden and unfinished files are left out. Symbolic links are followed, loops are noticed. A web
    archive is crawled along its directory listings, never above its address.

    Parameters
    ----------
    archives : paths or http(s) addresses
        The first ones win where the same file is in several.
    access : Access
        For web archives.

    Raises
    ------
    ArchiveGone
        A folder is missing or unreadable, or a server does not answer: nothing is known then, and
        that must not look like an empty archive.
    """
    folders: list[Folder] = []
    skipped: list[str] = []
    for archive in archives:
        folders.extend(folders_of(str(archive), skipped, access or Access()))
    return listing_of(folders, skipped)


def folders_of(archive: str, skipped: list[str], access: Access) -> list[Folder]:
    """Return the folders of one archive; those that could not be read are added to `skipped`."""
    if not is_url(archive):
        return list(_walk(Path(archive), skipped))
    from .crawl import crawl

    return [wanted_folder(location, files) for location, files in crawl(archive, skipped, access)]


def wanted_folder(location: str, files: Iterable[tuple[str, int, str]]) -> Folder:
    """Return a folder without its hidden and unfinished files."""
    return Folder(location, tuple(f for f in files if _is_wanted(f[0])))


def listing_of(
    folders: Sequence[Folder],
    skipped: Sequence[str] = (),
    gone: Sequence[str] = (),
    pieces: Iterable[RawFile] = (),
) -> Listing:
    """Return the listing of some folders; of equal names the earlier folder's come first."""
    rows = sorted(
        (name, at, size, stamp)
        for at, folder in enumerate(folders)
        for name, size, stamp in folder.files
    )
    names, folder_of, sizes, stamps = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Listing(
        names, folder_of, sizes, stamps, tuple(f.location for f in folders), tuple(skipped),
        tuple(gone), tuple(pieces),
    )  # fmt: skip


def _is_wanted(name: str) -> bool:
    return not name.startswith(_HIDDEN) and not name.lower().endswith(_UNFINISHED)


def _walk(root: Path, skipped: list[str]) -> Iterator[Folder]:
    """Yield the folders of a tree, each real folder once, in the order of their names."""
    advice = "Check the path, and that it is mounted"
    try:
        state = root.stat()
    except OSError as error:
        raise ArchiveGone(
            f"the archive cannot be listed ({error.strerror or error})", str(root), advice
        ) from error
    root = root.absolute()
    if root.is_file():
        yield Folder(_slashed(root.parent), ((root.name, state.st_size, str(state.st_mtime_ns)),))
        return
    seen = {(state.st_dev, state.st_ino)}
    waiting = [str(root)]
    while waiting:
        path = waiting.pop()
        try:
            with os.scandir(path) as entries:
                inner, files = _split(entries, seen)
        except (PermissionError, FileNotFoundError) as error:
            if path == str(root):
                raise ArchiveGone(
                    f"the archive cannot be listed ({error.strerror})", path, advice
                ) from error
            skipped.append(path)
            continue
        except OSError as error:
            raise ArchiveGone(
                f"the archive cannot be listed ({error.strerror or error})", path, advice
            ) from error
        waiting.extend(sorted(inner, reverse=True))
        yield Folder(_slashed(Path(path)), tuple(files))


def _split(
    entries: Iterator[os.DirEntry[str]], seen: set[tuple[int, int]]
) -> tuple[list[str], list[tuple[str, int, str]]]:
    """Return the folders not seen yet, and the files with size and modification time."""
    folders, files = [], []
    for entry in entries:
        if not _is_wanted(entry.name):
            continue
        try:
            state = entry.stat()
        except OSError as error:
            # A link into nothing or into itself, a file that vanished since: as if not there.
            if error.errno in _NOT_THERE:
                continue
            raise
        if stat.S_ISREG(state.st_mode):
            if not entry.name.isprintable():
                continue  # no pattern means it, and no database could keep its name
            files.append((entry.name, state.st_size, str(state.st_mtime_ns)))
        elif stat.S_ISDIR(state.st_mode) and (key := (state.st_dev, state.st_ino)) not in seen:
            seen.add(key)
            folders.append(entry.path)
    return folders, files


def _slashed(path: Path) -> str:
    text = str(path)
    return text if text.endswith(os.sep) else text + os.sep
