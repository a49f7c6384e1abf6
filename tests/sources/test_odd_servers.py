"""Servers that keep the letter of HTTP and not its spirit: nothing hangs, nothing wrong is kept."""

from __future__ import annotations

import errno
import gzip
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sciqlop_pipe.errors import ArchiveGone, SourceError, StorageFull, TransientError
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.sources import hapi
from sciqlop_pipe.sources.access import Access
from sciqlop_pipe.sources.archive import FilePattern, RawFile, list_archives
from sciqlop_pipe.sources.cache import RawCache
from sciqlop_pipe.sources.doors import filled
from sciqlop_pipe.sources.fetch import fetch, probe
from sciqlop_pipe.sources.http import Patience
from sciqlop_pipe.sources.rate import Servers
from tests.sources.web import Fault, Web, serving, serving_one, status, stumbling

NAME = "x_20200101_v1.cdf"
CONTENT = bytes(range(256)) * 400
PATIENT = Patience(tries=3, pause_seconds=0.01, timeout_seconds=5)
BRIEF = Patience(tries=1, timeout_seconds=1.0)
LONG = 30.0
"""A server's whole performance [s]: who is given up sooner was not waited for."""


@pytest.fixture(autouse=True)
def fresh_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    fresh = Servers()
    for module in ("fetch", "crawl", "hapi"):
        monkeypatch.setattr(f"sciqlop_pipe.sources.{module}.servers", fresh)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with serving_one(tmp_path / "archive", NAME, CONTENT) as running:
        yield running


@pytest.fixture
def raw(web: Web) -> RawFile:
    return RawFile(NAME, web.address + NAME, 0, None, (1,), -1, "")


@pytest.fixture
def access(tmp_path: Path) -> Access:
    return Access(cache=str(tmp_path / "cache"), patience=PATIENT)


def answer(body: bytes, code: int = 200, *, length: bool = True, **headers: str) -> Fault:
    def fault(handler) -> bool:
        handler.send_response(code)
        if length:
            handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True
        return True

    return fault


def dripping(first: bytes, **headers: str) -> Fault:
    """Send something at once, then a byte now and then."""

    def fault(handler) -> bool:
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(first)
        return drip(handler)

    return fault


def drip(handler) -> bool:
    end = time.monotonic() + LONG
    try:
        while time.monotonic() < end:
            handler.wfile.write(b"x")
            time.sleep(0.05)
    except OSError:
        pass
    handler.close_connection = True
    return True


def soon(began: float) -> bool:
    return time.monotonic() - began < LONG - 5


# --- slow ones -----------------------------------------------------------------------------------


def test_a_download_that_began_fast_and_only_drips_now_is_given_up(web, raw, tmp_path):
    web.faults[f"/{NAME}"] = [dripping(bytes(5_000_000))]
    began = time.monotonic()
    with pytest.raises(TransientError, match="the server sent"):
        fetch(raw, tmp_path / "task", Access(patience=BRIEF))
    assert soon(began)


def test_a_listing_and_a_description_that_only_drip_are_given_up(web):
    began = time.monotonic()
    web.faults["/"] = [dripping(b"<html>" + bytes(5000), Content_Type="text/html")]
    with pytest.raises(ArchiveGone, match="the server sent"):
        list_archives([web.address], Access(patience=BRIEF))
    web.faults["/info?id=x"] = [dripping(b"{")]
    with pytest.raises(TransientError, match="the server sent"):
        hapi.info(web.address, "x", (), Access(patience=BRIEF))
    assert soon(began)


def test_a_head_of_which_a_byte_comes_now_and_then_is_given_up(web, raw, tmp_path):
    def fault(handler) -> bool:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nX-Long: ")
        return drip(handler)

    web.faults[f"/{NAME}"] = [fault]
    began = time.monotonic()
    with pytest.raises(TransientError, match="no whole answer"):
        fetch(raw, tmp_path / "task", Access(patience=BRIEF))
    assert soon(began)


# --- encoded, partial and moved answers ----------------------------------------------------------


@pytest.mark.parametrize("length", [True, False])
def test_an_answer_that_comes_gzipped_unasked_is_unpacked(web, raw, access, tmp_path, length):
    packed = gzip.compress(CONTENT)
    web.faults[f"/{NAME}"] = [answer(packed, length=length, Content_Encoding="gzip")]
    known = replace(raw, size=len(CONTENT))
    assert fetch(known, tmp_path / "task", access).read_bytes() == CONTENT
    assert len(web.requests) == 1


def test_a_gzipped_answer_that_is_cut_is_asked_for_again(web, raw, access, tmp_path):
    packed = gzip.compress(CONTENT)
    web.faults[f"/{NAME}"] = [answer(packed[:-9], length=False, Content_Encoding="gzip")]
    assert fetch(raw, tmp_path / "task", access).read_bytes() == CONTENT
    assert len(web.requests) == 2


def test_a_file_that_is_gzipped_by_itself_stays_so(web, access, tmp_path):
    packed = gzip.compress(CONTENT)
    raw = RawFile("x.dat.gz", web.address + "x.dat.gz", 0, None, (), len(packed), "")
    web.faults["/x.dat.gz"] = [answer(packed, Content_Encoding="x-gzip")]
    assert fetch(raw, tmp_path / "task", access).read_bytes() == packed


def test_an_encoding_that_nobody_asked_for_is_refused(web, raw, access, tmp_path):
    web.faults[f"/{NAME}"] = [answer(b"????", Content_Encoding="br")]
    with pytest.raises(SourceError, match="encoded as br"):
        fetch(raw, tmp_path / "task", access)


def test_a_gzipped_listing_is_no_empty_archive(web):
    page = gzip.compress(f'<html><a href="{NAME}">x</a></html>'.encode())
    web.faults["/"] = [answer(page, Content_Encoding="gzip", Content_Type="text/html")]
    assert list_archives([web.address], Access(patience=PATIENT)).names == (NAME,)


def test_what_had_arrived_whole_when_the_process_died_does_not_lock_itself_out(
    web, raw, access, tmp_path
):
    """Nothing is left to be asked for: the server says 416."""
    part = RawCache(Path(access.cache)).part(raw.token)
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    part.with_name(part.name + ".validator").write_text('"one"')
    web.faults[f"/{NAME}"] = [status(416)]
    assert fetch(raw, tmp_path / "task", access).read_bytes() == CONTENT


def test_a_server_that_sends_less_than_the_rest_is_asked_on(web, raw, access, tmp_path):
    n = len(CONTENT)
    some = CONTENT[60_000:70_000]
    span = f"bytes 60000-69999/{n}"
    web.faults[f"/{NAME}"] = [
        stumbling(60_000, CONTENT),
        answer(some, 206, Content_Range=span, ETag='"one"'),
    ]
    assert fetch(raw, tmp_path / "task", access).read_bytes() == CONTENT


def test_the_rest_of_another_file_is_not_put_behind_the_beginning_of_this(
    web, raw, access, tmp_path
):
    """A server that knows Range and not If-Range tells the change by its ETag only."""
    n = len(CONTENT)
    rest = CONTENT[::-1][60_000:]
    web.faults[f"/{NAME}"] = [
        stumbling(60_000, CONTENT),
        answer(rest, 206, Content_Range=f"bytes 60000-{n - 1}/{n}", ETag='"two"'),
    ]
    assert fetch(raw, tmp_path / "task", access).read_bytes() == CONTENT


def test_a_folder_that_leads_out_of_the_archive_is_not_followed(web, tmp_path):
    top = tmp_path / "archive" / "top"
    (top / "2020").mkdir(parents=True)
    (top / "away").mkdir()
    (top / "2020" / "x_20200102_v1.cdf").touch()
    with serving(tmp_path / "archive") as other:
        for target in ("/", other.address):
            web.faults["/top/away/"] = [answer(b"", 302, Location=target)]
            listing = list_archives([web.address + "top/"], Access(patience=PATIENT))
            assert listing.names == ("x_20200102_v1.cdf",)
            assert listing.skipped == (web.address + "top/away/",)
        assert len(other.requests) <= 1


def test_an_archive_that_has_moved_as_a_whole_is_found(web, tmp_path):
    web.faults["/old/"] = [answer(b"", 301, Location="/")]
    listing = list_archives([web.address + "old"], Access(patience=PATIENT))
    assert listing.names == (NAME,)


# --- names ---------------------------------------------------------------------------------------


def test_names_with_blanks_and_signs_match_as_written_and_can_be_fetched(web, tmp_path, access):
    for name in ("a b#1_20200101_v1.cdf", "100% +é_20200102_v1.cdf"):
        (tmp_path / "archive" / name).write_bytes(name.encode())
        pattern = FilePattern(name.split("_")[0] + "_{start:%Y%m%d}_v{version}.cdf")
        (found,) = list_archives([web.address], access).match(pattern)
        assert found.name == name
        assert fetch(found, tmp_path / "task", access).read_bytes() == name.encode()


def test_names_that_are_paths_are_not_taken(web, access):
    page = "".join(
        f'<a href="{href}">x</a>'
        for href in ("..%2f..%2fx_20200101_v1.cdf", "%2e%2e/x_20200101_v1.cdf", "%2e%2e",
                     "x%00_20200101_v1.cdf", "x%0a_20200101_v1.cdf", "a%252fb_20200101_v1.cdf",
                     "....//x_20200101_v1.cdf")
    )  # fmt: skip
    web.faults["/"] = [answer(page.encode(), Content_Type="text/html")]
    web.faults["/..../"] = [status(404)]
    assert list_archives([web.address], access).names == ("a%2fb_20200101_v1.cdf",)


def test_a_date_that_no_clock_knows_is_no_date():
    pattern = FilePattern("x_{start:%Y%m%d}_v{version}.cdf")
    assert pattern.match("x_99991231_v1.cdf") is None
    assert pattern.match("x_00010101_v1.cdf") is None
    assert pattern.match("x_20200101_v" + "9" * 5000 + ".cdf") is None
    found = pattern.match("x_22611231_v10.cdf")
    assert found is not None and found.version == (10,)


def test_a_rule_by_hours_names_every_hour():
    day = Interval.of("2020-01-01T22:00", "2020-01-02T02:00")
    found = filled("https://host/{start:%Y%m%d}/{start:%H}/", day)
    assert found == [
        f"https://host/{d}/" for d in ("20200101/22", "20200101/23", "20200102/00", "20200102/01")
    ]


# --- several processes, full disks, servers that do not tell --------------------------------------


def test_without_locks_two_tasks_do_not_write_into_one_part(
    web, raw, access, tmp_path, monkeypatch
):
    """On file systems without flock a file may come twice, and each time whole."""
    import fcntl

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    half, both = threading.Event(), threading.Barrier(2, timeout=60)

    def halting(handler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.write(CONTENT[:50_000])
        handler.wfile.flush()
        both.wait()
        if not half.is_set():
            half.set()
        else:
            time.sleep(0.2)
        handler.wfile.write(CONTENT[50_000:])
        return True

    web.faults[f"/{NAME}"] = [halting, halting]
    got: list[bytes] = []

    def task(folder: str) -> None:
        got.append(fetch(raw, tmp_path / folder, access).read_bytes())

    tasks = [threading.Thread(target=task, args=(name,)) for name in ("one", "two")]
    for t in tasks:
        t.start()
    for t in tasks:
        t.join(90)
    assert got == [CONTENT, CONTENT]
    assert RawCache(Path(access.cache)).find(raw.token, NAME) is not None
    assert [p.name for p in (Path(access.cache) / "parts").iterdir()] == [f"{raw.token}.lock"]


@pytest.mark.parametrize(
    ("code", "kind"), [(errno.EHOSTUNREACH, TransientError), (errno.ENOSPC, StorageFull)]
)
def test_a_network_that_breaks_is_no_full_disk_and_what_arrived_is_continued(
    web, raw, access, tmp_path, monkeypatch, code, kind
):
    import http.client

    real, calls = http.client.HTTPResponse.read1, []

    def read1(self, n: int = -1) -> bytes:
        calls.append(n)
        if len(calls) > 1:
            raise OSError(code, "as the kernel says it")
        return real(self, 30_000)

    monkeypatch.setattr(http.client.HTTPResponse, "read1", read1)
    web.faults[f"/{NAME}"] = [stumbling(len(CONTENT), CONTENT)]
    once = replace(access, patience=replace(PATIENT, tries=1))
    with pytest.raises(kind):
        fetch(raw, tmp_path / "task", once)
    assert RawCache(Path(access.cache)).part(raw.token).stat().st_size > 0
    monkeypatch.undo()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert fetch(raw, tmp_path / "task", access).read_bytes() == CONTENT


def test_a_listing_that_cannot_be_remembered_is_used_all_the_same(web, raw, tmp_path, monkeypatch):
    """The disk is full, or the cache somebody else's: that is of no interest before a download."""
    monkeypatch.setattr(Path, "write_text", full)
    access = Access(cache=str(tmp_path / "cache"), patience=PATIENT)
    assert list_archives([web.address], access).names == (NAME,)
    assert probe(raw, access).size == len(CONTENT)
    assert not list((tmp_path / "cache" / "documents").iterdir())
    blocked = tmp_path / "file"
    blocked.touch()
    assert list_archives([web.address], Access(cache=str(blocked))).names == (NAME,)


def full(path: Path, *_: object, **__: object) -> int:
    path.touch()
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_about_which_the_server_tells_nothing_stops_nobody(web, raw, access):
    for fault in (status(405), status(404), answer(b"", Content_Length="many", length=False)):
        web.faults[f"/{NAME}"] = [fault]
        assert probe(raw, access).size == -1
    web.faults[f"/{NAME}"] = [status(503)] * 3
    with pytest.raises(TransientError):
        probe(raw, access)
