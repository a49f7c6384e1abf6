"""Doors: every way to raw files that a user may name, opened for what a campaign needs.

==============================  ===================================================================
a folder                        every file below it
``https://...``                 every file that the server's directory listings show below it
``https://.../{start:%Y/%m}/``  only the folders of the interval, by the rule in braces
``speasy``                      files and variables, wherever speasy's inventories lead
``speasy:cda``                  one provider of speasy
``hapi+https://.../hapi``       the datasets of a HAPI server
==============================  ===================================================================

Files that are the same but for their version: the newest wins; of equal versions that of the door
named first. A door that does not answer while others do is reported; the store then keeps what it
has.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..errors import ArchiveGone, SourceError, TransientError, UsageError
from ..granule import GranuleLength, Interval, datetime64, duration
from . import hapi, speasy, tables
from .access import Access
from .archive import Folder, Listing, RawFile, folders_of, listing_of, wanted_folder
from .crawl import crawl_folder
from .files import FileSource
from .http import is_url
from .remote import Archived, Hapi, Variables

_HAPI = "hapi+"
_SPEASY = "speasy"
_MATCHED = ("cda", "archive")
_MANY_FOLDERS = 20_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A raw dataset's source, and where its data are needed."""

    source: Any
    intervals: tuple[Interval, ...]

    @property
    def asked(self) -> list[Interval]:
        """The intervals by time tags: centres in them may have tags that lie before."""
        return [i.padded(getattr(self.source, "late", 0), 0) for i in self.intervals]

    @property
    def spans(self) -> list[Interval]:
        """The intervals, widened by how far before them a file may begin."""
        if not isinstance(self.source, FileSource):
            return list(self.intervals)
        before = duration(self.source.span)
        return [i.padded(before, duration(self.source.pad)) for i in self.intervals]


@dataclass(frozen=True, slots=True)
class _Found:
    """What is behind one door."""

    folders: list[Folder]
    pieces: list[RawFile]
    gone: tuple[str, ...] = ()


def needs_intervals(archive: str) -> bool:
    """Tell whether a door can only be opened for known datasets and intervals."""
    return archive.startswith((_HAPI, _SPEASY + ":")) or archive == _SPEASY or "{" in archive


def open_doors(
    archives: Iterable[str], wanted: Sequence[Wanted], access: Access | None = None
) -> Listing:
    """Return the files and pieces that some doors have of what is wanted.

    Parameters
    ----------
    archives : str
        Folders, addresses and the other words of this module's table, the first ones win.
    wanted : sequence of Wanted
        Sources and intervals; folders and crawled archives are listed as a whole.
    access : Access
        Cache, patience; whether the network may be used.

    Raises
    ------
    ArchiveGone
        A folder is missing, or no door answers.
    UsageError
        A word is no door.
    """
    access = access or Access()
    folders: list[Folder] = []
    pieces: list[RawFile] = []
    skipped: list[str] = []
    failures: list[ArchiveGone] = []
    gone: list[str] = []
    words = list(archives)
    for word in words:
        try:
            found = _open(word, wanted, skipped, access)
        except ArchiveGone as error:
            if not _is_remote(word) or len(words) == 1:
                raise
            failures.append(error)
            continue
        folders.extend(found.folders)
        pieces.extend(found.pieces)
        gone.extend(found.gone)
    if failures and len(failures) == len(words):
        raise failures[0]
    return listing_of(folders, skipped, [*map(str, failures), *gone], pieces)


def _is_remote(word: str) -> bool:
    return is_url(word) or needs_intervals(word)


def _open(word: str, wanted: Sequence[Wanted], skipped: list[str], access: Access) -> _Found:
    if word.startswith(_HAPI):
        return _hapi(word.removeprefix(_HAPI), wanted, access)
    if word == _SPEASY or word.startswith(_SPEASY + ":"):
        return _speasy(word.partition(":")[2], wanted, access)
    if is_url(word) and "{" in word:
        return _Found(list(_by_rule(word, wanted, access)), [])
    return _Found(folders_of(word, skipped, access), [])


# --- web folders by a rule -----------------------------------------------------------------------


def _by_rule(rule: str, wanted: Sequence[Wanted], access: Access) -> Iterator[Folder]:
    addresses = dict.fromkeys(
        address for w in wanted for span in w.spans for address in filled(rule, span)
    )
    if len(addresses) > _MANY_FOLDERS:
        raise UsageError(
            f"{len(addresses)} folders would have to be listed", rule, "Run a shorter interval"
        )
    yield from _folders(addresses, access)


def _folders(addresses: Iterable[str], access: Access) -> Iterator[Folder]:
    """Yield the folders that exist: archives make them when there is something to put there."""
    for address in addresses:
        if is_url(address):
            found = crawl_folder(address, access)
            if found is not None:
                yield wanted_folder(*found)
            continue
        try:
            yield from folders_of(address, [], access)
        except ArchiveGone:
            continue


def filled(rule: str, span: Interval) -> list[str]:
    """Return the addresses that a rule such as ".../{start:%Y}/{start:%m}/" gives for an interval.

    Raises
    ------
    UsageError
        The rule has another field than start.
    """
    try:
        pieces = list(string.Formatter().parse(rule))
    except ValueError as error:
        raise UsageError(f"'{rule}': {error}", todo="Check its braces") from error
    if odd := [name for _, name, _, _ in pieces if name not in (None, "start")]:
        raise UsageError(
            f"an address has no field '{odd[0]}'", rule, "Only {start:%Y} and other codes of it"
        )
    codes = {c for _, name, code, _ in pieces if name for c in re.findall("%(.)", code or "")}
    if fine := codes & set("MSfsTcXIp"):
        raise UsageError(
            f"an address cannot tell folders by %{min(fine)}", rule, "Hours (%H) are the finest"
        )
    step: Literal["h", "D"] = "h" if "H" in codes else "D"
    found: dict[str, None] = {}
    time = datetime64(span.start).astype(f"M8[{step}]")
    last = datetime64(max(span.start, span.stop - 1)).astype(f"M8[{step}]")
    while time <= last:
        when = time.astype("M8[s]").astype(object)
        parts = (
            literal + (when.strftime(code or "") if name else "")
            for literal, name, code, _ in pieces
        )
        found["".join(parts)] = None
        time += np.timedelta64(1, step)
    return list(found)


# --- speasy --------------------------------------------------------------------------------------


def _speasy(which: str, wanted: Sequence[Wanted], access: Access) -> _Found:
    """Return what speasy's inventories lead to: all providers that are needed, or one."""
    provider = which.partition("/")[0]
    if provider and provider not in speasy.ALL:
        raise UsageError(
            f"speasy has no provider '{provider}'", which, f"It has {', '.join(speasy.ALL)}"
        )
    sources = [w for w in wanted if isinstance(w.source, FileSource)]
    needed: dict[str, None] = dict.fromkeys([provider] if provider else ["cda"])
    questions = []
    for w in sources:
        archived = [r.product for r in w.source.remote if isinstance(r, Archived)]
        if "/" in which:
            archived.append(which)
        of = [r for r in w.source.remote if isinstance(r, Variables)]
        products = [p for r in of for p in r.products[:1]]
        if provider:
            archived = [p for p in archived if p.split("/")[0] == provider]
            products = [p for p in products if p.split("/")[0] == provider]
        needed |= dict.fromkeys(p.split("/")[0] for p in [*archived, *products])
        questions.append(
            {
                "patterns": [p.text for p in w.source.patterns],
                "archived": archived,
                "products": products,
                "spans": [[s.start, s.stop] for s in w.spans],
            }
        )
    match = [p for p in needed if p in _MATCHED and "/" not in which]
    answer = speasy.ask_inventory(list(needed), match, questions, access)
    addresses = dict.fromkeys(a for said in answer["sources"] for a in said["folders"])
    pieces: list[RawFile] = []
    for w, question, said in zip(sources, questions, answer["sources"], strict=True):
        covers = dict(zip(question["products"], said["cover"], strict=True))
        for r in w.source.remote:
            if isinstance(r, Variables) and (cover := covers.get(r.products[0])) is not None:
                pieces.extend(_speasy_pieces(r, cover, w.asked))
    down = tuple(f"speasy: the inventory of {name} cannot be had" for name in answer["down"])
    return _Found(list(_folders(addresses, access)), pieces, down)


def _speasy_pieces(
    remote: Variables, cover: dict[str, str], intervals: Sequence[Interval]
) -> Iterator[RawFile]:
    for span in _pieces(remote.piece, cover["start"], cover["stop"], intervals):
        location = speasy.variables_location(remote.products, span)
        yield _piece(remote.prefix, tables.SUFFIX, location, span, cover["stamp"])


# --- HAPI ----------------------------------------------------------------------------------------


def _hapi(server: str, wanted: Sequence[Wanted], access: Access) -> _Found:
    pieces: list[RawFile] = []
    known: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}
    for w in wanted:
        remotes = w.source.remote if isinstance(w.source, FileSource) else ()
        for r in remotes:
            if not isinstance(r, Hapi) or (r.server and r.server.rstrip("/") != server.rstrip("/")):
                continue
            try:
                facts = known.get((r.dataset, r.parameters)) or hapi.info(
                    server, r.dataset, r.parameters, access
                )
            except TransientError as error:
                raise ArchiveGone(error.what, server, error.todo) from error
            except SourceError as error:
                if access.offline:
                    raise ArchiveGone(error.what, server, error.todo) from error
                continue  # this server does not have it; another may
            known[r.dataset, r.parameters] = facts
            start, stop = str(facts.get("startDate", "")), str(facts.get("stopDate", ""))
            stamp = str(facts.get("modificationDate", ""))
            for span in _pieces(r.piece, start, stop, w.asked):
                location = _HAPI + hapi.data_url(server, r.dataset, r.parameters, span)
                pieces.append(_piece(r.prefix, hapi.SUFFIX, location, span, stamp))
    return _Found([], pieces)


# --- pieces --------------------------------------------------------------------------------------


def _pieces(
    length: str, start: str, stop: str, intervals: Sequence[Interval]
) -> Iterator[Interval]:
    """Yield the UTC pieces of some intervals, cut at the ends of the coverage."""
    first = _instant(start, -(2**62))
    last = _instant(stop, 2**62)
    if first >= last:
        return
    cover = Interval(first, last)
    seen: set[Interval] = set()
    for interval in intervals:
        for cell in GranuleLength(length).covering(interval):
            piece = cell.intersect(cover)
            if piece is not None and piece not in seen:
                seen.add(piece)
                yield piece


def _instant(text: str, otherwise: int) -> int:
    try:
        return hapi.instant_of(text) if text else otherwise
    except UsageError:
        return otherwise


def _piece(prefix: str, suffix: str, location: str, span: Interval, stamp: str) -> RawFile:
    a, b = (str(datetime64(t).astype("M8[s]")).replace("-", "").replace(":", "")
            for t in (span.start, span.stop))  # fmt: skip
    return RawFile(
        f"{prefix}{a}_{b}{suffix}", location, span.start, span.stop, (), -1, stamp or "given"
    )
