"""Raw files come whole or not at all."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from blake3 import blake3

from sciqlop_pipe.errors import SourceError, StorageFull, TransientError
from sciqlop_pipe.sources.access import Access
from sciqlop_pipe.sources.archive import FilePattern, RawFile, list_archives
from sciqlop_pipe.sources.cache import sha256
from sciqlop_pipe.sources.fetch import checksum, fetch, probe
from sciqlop_pipe.sources.http import Patience
from tests.sources.web import Web, hang_up, page, serving_one, short_body, status

PATTERN = FilePattern("x_{start:%Y%m%d}_v{version}.cdf")
NAME = "x_20200101_v1.0.cdf"
CONTENT = bytes(range(256)) * 40
QUICK = Access(patience=Patience(tries=3, pause_seconds=0.01, timeout_seconds=5))


@pytest.fixture
def web(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving_one(tmp_path / "archive", NAME, CONTENT) as running:
        yield running


@pytest.fixture
def raw(web: Web) -> RawFile:
    return RawFile(NAME, web.address + NAME, 0, None, (1, 0), -1, "")


def leftovers(folder: Path) -> list[str]:
    """What was downloaded, without the cache's own locks and facts."""
    own = (".lock", ".json", ".validator")
    return sorted(p.name for p in folder.rglob("*") if p.is_file() and p.suffix not in own)


def test_a_local_file_is_used_where_it_is(tmp_path: Path):
    (tmp_path / NAME).write_bytes(CONTENT)
    (raw,) = list_archives([tmp_path]).match(PATTERN)
    assert fetch(raw, tmp_path / "cache") == tmp_path / NAME
    assert not (tmp_path / "cache").exists()


def test_a_local_file_that_is_gone_or_changes_is_refused(tmp_path: Path):
    path = tmp_path / NAME
    path.write_bytes(CONTENT)
    (raw,) = list_archives([tmp_path]).match(PATTERN)
    path.write_bytes(CONTENT + b"more")
    with pytest.raises(TransientError, match=r"10244 bytes, its archive listed 10240"):
        fetch(raw, tmp_path)
    path.unlink()
    with pytest.raises(SourceError, match="gone since its archive was listed"):
        fetch(raw, tmp_path)


def test_a_remote_file_arrives_once(web: Web, raw: RawFile, tmp_path: Path):
    into = tmp_path / "cache"
    path = fetch(raw, into, QUICK)
    assert path.read_bytes() == CONTENT
    assert path.name == NAME
    assert fetch(raw, into, QUICK) == path
    assert web.requests == [f"GET /{NAME}"]
    newer = fetch(replace(raw, stamp="other"), into, QUICK)
    assert newer != path
    assert len(web.requests) == 2
    assert leftovers(into) == [NAME, NAME]


@pytest.mark.parametrize(
    "fault",
    [status(503), status(500), status(429), hang_up, short_body(10_240, CONTENT[:5000])],
    ids=["503", "500", "429", "hang up", "short body"],
)
def test_a_passing_fault_passes(web: Web, raw: RawFile, tmp_path: Path, fault):
    web.faults[f"/{NAME}"] = [fault, fault]
    assert fetch(raw, tmp_path / "cache", QUICK).read_bytes() == CONTENT
    assert len(web.requests) == 3


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (status(503), "503"),
        (hang_up, "does not answer properly"),
        (short_body(10_240, CONTENT[:5000]), "ended after 5000 of 10240 bytes"),
    ],
    ids=["503", "hang up", "short body"],
)
def test_a_lasting_fault_is_transient_for_the_run(web, raw, tmp_path, fault, says):
    web.faults[f"/{NAME}"] = [fault] * 10
    with pytest.raises(TransientError, match=says) as caught:
        fetch(raw, tmp_path / "cache", QUICK)
    assert NAME in caught.value.where
    assert len(web.requests) == 3
    assert not list((tmp_path / "cache").rglob(NAME))


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_refusal_is_final(web: Web, raw: RawFile, tmp_path: Path, code: int):
    web.faults[f"/{NAME}"] = [status(code)] * 3
    with pytest.raises(SourceError, match=f"answers {code}"):
        fetch(raw, tmp_path / "cache", QUICK)
    assert len(web.requests) == 1


def test_a_page_with_status_200_is_refused(web: Web, raw: RawFile, tmp_path: Path):
    web.faults[f"/{NAME}"] = [page("<html><head><title>Down for repair</title></head></html>")]
    with pytest.raises(SourceError, match="a web page titled 'Down for repair'"):
        fetch(replace(raw, size=len(CONTENT)), tmp_path / "cache", QUICK)
    assert leftovers(tmp_path / "cache") == []


def test_an_empty_body_is_refused(web: Web, raw: RawFile, tmp_path: Path):
    web.faults[f"/{NAME}"] = [page("", "application/octet-stream")]
    with pytest.raises(SourceError, match="empty"):
        fetch(raw, tmp_path / "cache", QUICK)


def test_a_file_replaced_since_the_listing_is_not_taken_for_it(web, raw, tmp_path):
    with pytest.raises(TransientError, match="its archive listed 77"):
        fetch(replace(raw, size=77), tmp_path / "cache", QUICK)


def test_no_server_is_a_passing_fault(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    raw = RawFile(NAME, f"http://127.0.0.1:9/{NAME}", 0, None, (), -1, "")
    with pytest.raises(TransientError, match="does not answer properly"):
        fetch(raw, tmp_path, QUICK)


def test_what_cannot_be_had_at_one_door_comes_from_the_next(web: Web, tmp_path: Path):
    local = tmp_path / "local"
    local.mkdir()
    (local / NAME).write_bytes(CONTENT)
    (raw,) = list_archives([web.address, local], QUICK).match(PATTERN)
    assert raw.location.startswith("http") and len(raw.others) == 1
    assert raw.token == replace(raw, others=()).token
    web.faults[f"/{NAME}"] = [status(404)] * 9
    assert fetch(raw, tmp_path / "task", QUICK) == local / NAME
    (local / NAME).unlink()
    with pytest.raises(SourceError, match="404.*nor can it be had from 1 other door.*address"):
        fetch(raw, tmp_path / "task", QUICK)
    web.faults.clear()
    assert fetch(raw, tmp_path / "task", QUICK).read_bytes() == CONTENT
    # An older version behind another door is no stand-in.
    (local / NAME.replace("1.0", "0.9")).write_bytes(CONTENT)
    (raw,) = list_archives([web.address, local], QUICK).match(PATTERN)
    assert raw.others == ()


def test_a_folder_that_cannot_be_written_is_named(web: Web, raw: RawFile, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageFull, match="cannot be written.*run the same command"):
        fetch(raw, tmp_path / "file", QUICK)


def test_a_probe_fills_in_what_the_listing_did_not_show(web: Web, raw: RawFile):
    known = probe(raw, QUICK)
    assert known.size == len(CONTENT)
    assert known.stamp
    assert known.token != raw.token
    assert probe(known, QUICK) == known
    assert web.requests == [f"HEAD /{NAME}"]


def test_a_checksum_names_its_method(tmp_path: Path):
    (tmp_path / "a").write_bytes(CONTENT)
    assert sha256(tmp_path / "a") == f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    assert checksum(tmp_path / "a") == f"blake3:{blake3(CONTENT).hexdigest()}"
    (tmp_path / "a").write_bytes(b"")  # the first of BLAKE3's official test vectors
    assert checksum(tmp_path / "a").startswith("blake3:af1349b9f5f9a1a6a0404dea36dcc949")
