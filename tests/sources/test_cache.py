"""Downloads continue where they ended, are kept within a limit, and need no network again."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from sciqlop_pipe.errors import ArchiveGone, SourceError, TransientError, UsageError
from sciqlop_pipe.sources.access import Access, size_of
from sciqlop_pipe.sources.archive import FilePattern, RawFile, list_archives
from sciqlop_pipe.sources.cache import RawCache
from sciqlop_pipe.sources.fetch import fetch
from sciqlop_pipe.sources.http import Patience
from sciqlop_pipe.sources.rate import Servers
from tests.sources.web import Web, resumable, serving_one, short_body, silent, status, stumbling

NAME = "x_20200101_v1.0.cdf"
CONTENT = bytes(range(256)) * 400
PATIENT = Patience(tries=3, pause_seconds=0.01, timeout_seconds=5)


@pytest.fixture
def web(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving_one(tmp_path / "archive", NAME, CONTENT) as running:
        yield running


@pytest.fixture
def raw(web: Web) -> RawFile:
    return RawFile(NAME, web.address + NAME, 0, None, (1, 0), -1, "")


@pytest.fixture
def access(tmp_path: Path) -> Access:
    return Access(cache=str(tmp_path / "cache"), patience=PATIENT)


def test_a_download_that_was_cut_continues_where_it_ended(web, raw, access, tmp_path):
    asked: list[str] = []
    web.faults[f"/{NAME}"] = [stumbling(60_000, CONTENT), resumable(CONTENT, asked=asked)]
    assert fetch(raw, tmp_path / "task", access).read_bytes() == CONTENT
    assert asked == ["bytes=60000-"]


def test_it_even_continues_in_the_next_run(web, raw, access, tmp_path):
    asked: list[str] = []
    web.faults[f"/{NAME}"] = [stumbling(60_000, CONTENT)]
    once = replace(access, patience=replace(PATIENT, tries=1))
    with pytest.raises(TransientError, match="ended after 60000 of 102400 bytes"):
        fetch(raw, tmp_path / "task", once)
    web.faults[f"/{NAME}"] = [resumable(CONTENT, asked=asked)]
    assert fetch(raw, tmp_path / "task", once).read_bytes() == CONTENT
    assert asked == ["bytes=60000-"]


def test_a_file_that_changed_meanwhile_is_begun_anew(web, raw, access, tmp_path):
    other = CONTENT[::-1]
    web.faults[f"/{NAME}"] = [stumbling(60_000, CONTENT), resumable(other, etag='"two"')]
    assert fetch(raw, tmp_path / "task", access).read_bytes() == other


@pytest.mark.parametrize("name", ["Repr-Digest", "Digest", "Content-MD5"])
def test_a_checksum_that_the_server_tells_is_compared(web, raw, access, tmp_path, name):
    def told(data: bytes) -> dict[str, str]:
        method = hashlib.md5 if name == "Content-MD5" else hashlib.sha256
        value = base64.b64encode(method(data).digest()).decode()
        text = {"Repr-Digest": f"sha-256=:{value}:", "Digest": f"SHA-256={value}"}
        return {name.replace("-", "_"): text.get(name, value)}

    damaged = CONTENT[:5] + b"!" + CONTENT[6:]
    web.faults[f"/{NAME}"] = [resumable(damaged, **told(CONTENT))] * 3
    with pytest.raises(TransientError, match="damaged on the way"):
        fetch(raw, tmp_path / "task", access)
    web.faults[f"/{NAME}"] = [
        resumable(damaged, **told(CONTENT)),
        resumable(CONTENT, **told(CONTENT)),
    ]
    assert fetch(raw, tmp_path / "task", access).read_bytes() == CONTENT


def test_a_silent_server_is_given_up_after_the_timeout(web, raw, access, tmp_path):
    web.faults[f"/{NAME}"] = [silent(1)] * 9
    hasty = replace(access, patience=Patience(tries=2, pause_seconds=0.01, timeout_seconds=0.5))
    with pytest.raises(TransientError, match="timed out"):
        fetch(raw, tmp_path / "task", hasty)
    assert len(web.requests) == 2


def test_what_is_in_the_cache_needs_no_network(web, raw, access, tmp_path, monkeypatch):
    fetch(raw, tmp_path / "one", access)
    listed = list_archives([web.address], access)
    offline = replace(access, offline=True)

    def refuse(*args, **kwargs) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert fetch(raw, tmp_path / "two", offline).read_bytes() == CONTENT
    assert list_archives([web.address], offline) == listed
    with pytest.raises(SourceError, match="not in the cache.*without --offline"):
        fetch(replace(raw, stamp="newer"), tmp_path / "two", offline)
    with pytest.raises(ArchiveGone, match="not been listed yet"):
        list_archives([web.address + "elsewhere"], offline)


def test_the_least_used_files_make_room(tmp_path: Path):
    cache = RawCache(tmp_path / "cache", limit=3500)
    for i, token in enumerate("abc"):
        part = cache.part(token)
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(bytes(900))
        kept = cache.put(token, "x.cdf", part)
        os.utime(kept.path.with_name("facts.json"), (1000 + i, 1000 + i))
    assert cache.find("a", "x.cdf") is not None  # used again just now: b is the oldest
    lent = cache.borrow(cache.find("b", "x.cdf"), tmp_path / "task")
    os.utime(tmp_path / "cache/files/b/facts.json", (1001, 1001))
    part = cache.part("d")
    part.write_bytes(bytes(1500))
    cache.put("d", "x.cdf", part)
    assert [t for t in "abcd" if cache.find(t, "x.cdf")] == ["a", "d"] or [
        t for t in "abcd" if cache.find(t, "x.cdf")
    ] == ["a", "c", "d"]
    assert cache.find("b", "x.cdf") is None
    assert lent.read_bytes() == bytes(900)


def test_a_file_changed_inside_the_cache_is_fetched_again(web, raw, access, tmp_path):
    fetch(raw, tmp_path / "one", access)
    (kept,) = (Path(access.cache) / "files").glob(f"*/{NAME}")
    kept.write_bytes(CONTENT[:-1] + b"!")
    assert fetch(raw, tmp_path / "two", access).read_bytes() == CONTENT
    assert len(web.requests) == 2


def test_two_tasks_that_need_one_file_download_it_once(web, raw, access, tmp_path):
    tasks = [
        threading.Thread(target=fetch, args=(raw, tmp_path / str(i), access)) for i in range(4)
    ]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()
    assert len(web.requests) == 1


def test_a_server_that_keeps_failing_is_left_alone(web, raw, access, tmp_path, monkeypatch):
    monkeypatch.setattr("sciqlop_pipe.sources.fetch.servers", Servers())
    web.faults[f"/{NAME}"] = [status(503)] * 99
    hasty = replace(access, patience=replace(PATIENT, tries=1))
    for _ in range(3):
        with pytest.raises(TransientError, match="503"):
            fetch(raw, tmp_path / "task", hasty)
    with pytest.raises(TransientError, match="left alone for a minute"):
        fetch(raw, tmp_path / "task", hasty)
    assert len(web.requests) == 3


def test_a_listing_that_was_cut_is_not_half_an_archive(web, access):
    page = b'<html><a href="x_20200101_v1.0.cdf">x</a>'
    web.faults["/"] = [short_body(5000, page)] * 9
    with pytest.raises(ArchiveGone, match="ended after"):
        list_archives([web.address], access)
    web.faults["/"] = []
    pattern = FilePattern("x_{start:%Y%m%d}_v{version}.cdf")
    assert len(list_archives([web.address], access).match(pattern)) == 1


@pytest.mark.parametrize(("text", "size"), [("20GB", 2 * 10**10), ("1.5 kB", 1500), ("0", 0)])
def test_sizes_are_read_as_they_are_written(text: str, size: int):
    assert size_of(text) == size


def test_a_size_that_is_none_is_refused():
    with pytest.raises(UsageError, match="'many' is no size"):
        size_of("many")
