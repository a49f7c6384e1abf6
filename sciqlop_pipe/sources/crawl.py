"""Web archives: the files behind the directory listings that a web server shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from ..errors import ArchiveGone, PipeError, SourceError, TransientError
from .cache import RawCache
from .http import Missing, ask, body, host_of
from .rate import servers

if TYPE_CHECKING:
    import http.client

    from .access import Access

_MAX_DEPTH = 12
_MAX_PAGES = 50_000
_MAX_PAGE_BYTES = 64 << 20
_DATE = re.compile(r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}-[A-Z][a-z]{2}-\d{4})[ T]\d{2}:\d{2}(?::\d{2})?")
_SIZE = re.compile(r"(?<![\w.:-])(\d+(?:\.\d+)?)\s?([KMGTkmgt]i?B?|B)?(?![\w.:-])")

File = tuple[str, int, str]


def crawl(
    base: str, skipped: list[str], access: Access, *, depth: int = _MAX_DEPTH
) -> Iterator[tuple[str, list[File]]]:
    """Yield (address with final slash, files) of every folder at and below an address.

    Links that leave the folder they stand in upwards or sideways, and those with a query, are not
    followed, nor is a folder that the server sends elsewhere (home, to a login, to another host). A
    file is (name, size [bytes] or -1, stamp): Apache shows rounded sizes, Python's server none at
    all; what is shown serves as the stamp. Offline, the pages are those seen last.

    Parameters
    ----------
    base : str
        Address of the archive.
    skipped : list of str
        Folders that the server refuses are added to it.
    access : Access
        Tries, pauses and timeout; the cache that remembers pages.
    depth : int
        How many levels below the address are looked at.

    Raises
    ------
    ArchiveGone
        The server does not answer, or the archive is too deep or too large to be one.
    """
    waiting = [(base if base.endswith("/") else base + "/", 0)]
    root = ""
    seen: set[str] = set()
    while waiting:
        address, level = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        if level > _MAX_DEPTH or len(seen) > _MAX_PAGES:
            raise ArchiveGone(
                f"more than {_MAX_PAGES} folders or {_MAX_DEPTH} levels",
                address,
                "Give the address of a smaller part of the archive",
            )
        try:
            location, text = _listing(address, access)
        except SourceError as error:
            if level:
                skipped.append(address)
                continue
            raise gone(address, error) from error
        except TransientError as error:
            raise gone(address, error) from error
        root = root or location  # the whole archive may have moved
        if not location.startswith(root):
            skipped.append(address)
            continue
        folders, files = read_listing(location, text)
        if level < depth:
            waiting.extend((folder, level + 1) for folder in sorted(folders, reverse=True))
        yield location, files


def crawl_folder(address: str, access: Access) -> tuple[str, list[File]] | None:
    """Return one folder as `crawl` does, None where the server says there is no such folder.

    Raises
    ------
    ArchiveGone
        The server does not answer, or answers with something else than a listing.
    """
    try:
        location, text = _listing(address if address.endswith("/") else address + "/", access)
    except Missing:
        return None
    except (SourceError, TransientError) as error:
        raise gone(address, error) from error
    return location, read_listing(location, text)[1]


def _listing(address: str, access: Access) -> tuple[str, str]:
    """Return address and text of a page: asked for, or offline as it was seen last."""
    memory = RawCache(Path(access.cache)) if access.cache else None
    key = f"page {address}"
    if access.offline:
        seen = memory.recall(key) if memory is not None else None
        if seen is None:
            raise SourceError(
                "it has not been listed yet, and the network is not to be used",
                address,
                "Run once without --offline",
            )
        location, text = json.loads(seen)
        if not location:
            raise Missing("there was no such folder", address)
        return location, text
    try:
        with servers.turn(host_of(address), access):
            location, text = ask(address, partial(_page, access), access.patience)
    except Missing:
        if memory is not None:
            memory.remember(key, json.dumps(["", ""]))
        raise
    if memory is not None:
        memory.remember(key, json.dumps([location, text]))
    return location, text


def gone(address: str, error: PipeError) -> ArchiveGone:
    """Return why an archive cannot be listed."""
    return ArchiveGone(
        f"the archive cannot be listed: {error.what}", address, "Check the address and the network"
    )


def _page(access: Access, response: http.client.HTTPResponse) -> tuple[str, str]:
    """Return the address that answered (after redirects) and the text of the page, all of it.

    Half a listing would look as if files had gone.
    """
    data = body(response, access.patience, _MAX_PAGE_BYTES)
    kind = response.headers.get_content_type()
    if kind not in ("text/html", "application/xhtml+xml"):
        raise SourceError(f"no directory listing but {kind}", response.url)
    location = response.url.split("?")[0]
    charset = response.headers.get_content_charset() or "utf-8"
    try:
        text = data.decode(charset, "replace")
    except LookupError:
        text = data.decode("utf-8", "replace")
    return location if location.endswith("/") else location + "/", text


def read_listing(location: str, text: str) -> tuple[list[str], list[File]]:
    """Return the folders (addresses) and the files directly below `location` that a page links.

    Names of files are as people write them ("a b#1.cdf"), not as addresses do. One that cannot be
    printed, or would be a path, is no file.
    """
    parser = _Links()
    parser.feed(text)
    folders, files = set(), {}
    here = urlsplit(location)
    for href, after in parser.links:
        there = urlsplit(urljoin(location, href))
        if there.query or there.fragment or there[:2] != here[:2]:
            continue
        if not there.path.startswith(here.path):
            continue
        quoted, slash, rest = there.path[len(here.path) :].partition("/")
        name = unquote(quoted, errors="surrogateescape")
        if not name or rest or name in (".", "..") or "/" in name or not name.isprintable():
            continue
        if slash:
            folders.add(f"{location}{quoted}/")
        else:
            files[name] = (name, *_facts(after))
    return sorted(folders), sorted(files.values())


def _facts(text: str) -> tuple[int, str]:
    """Return size [bytes] (-1 if rounded or absent) and stamp from the text behind a link."""
    date = _DATE.search(text)
    if date is None:
        return -1, ""
    rest = text[: date.start()] + " " + text[date.end() :]
    sizes = _SIZE.findall(rest)
    number, unit = sizes[-1] if sizes else ("", "")
    exact = number.isdigit() and unit in ("", "B")
    return (int(number) if exact else -1), f"{date[0]} {number}{unit}".strip()


class _Links(HTMLParser):
    """Collects (href, text up to the next link) of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a link."""
        href = dict(attrs).get("href")
        if tag == "a" and href:
            self.links.append((href, ""))
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        """End the link's own text: sizes and dates follow it."""
        if tag == "a":
            self._inside = False

    def handle_data(self, data: str) -> None:
        """Keep what follows a link."""
        if self.links and not self._inside:
            href, text = self.links[-1]
            self.links[-1] = (href, f"{text} {data}")
