"""One dataset, many doors: speasy, HAPI, folders by a rule; each fault is told, none is lost."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.errors import ArchiveGone, SourceError, TransientError, UsageError
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission, raw
from sciqlop_pipe.report import Options, Report
from sciqlop_pipe.sources.access import Access
from sciqlop_pipe.sources.archive import Listing
from sciqlop_pipe.sources.cdf_check import verify_md5
from sciqlop_pipe.sources.doors import Wanted, filled, open_doors
from sciqlop_pipe.sources.fetch import fetch
from sciqlop_pipe.sources.files import FileSource, forget_last_file
from sciqlop_pipe.sources.http import Patience
from sciqlop_pipe.sources.rate import Servers
from sciqlop_pipe.sources.remote import Hapi, Variables
from sciqlop_pipe.sources.series import VectorAdapter
from sciqlop_pipe.store import Store
from tests.serial import SerialClient
from tests.sources.cdaweb import DATASET, FOLDER, make_cdaweb, rest, vectors, write_day
from tests.sources.providers import lead_speasy
from tests.sources.web import Web, page, serving, status

DAYS = Interval.of("2020-01-01", "2020-01-04")
FIELD = VectorAdapter(variable="B", units="nT", frame="GSE")
SOURCE = FileSource("lo_h0_mag_{start:%Y%m%d}_v{version}.cdf", FIELD)
DECODED = replace(
    SOURCE, pattern="never_{start:%Y}.cdf", remote=(Variables((f"cda/{DATASET}/B",)),)
)
SERVED = replace(SOURCE, pattern="never_{start:%Y}.cdf", remote=(Hapi("mag", ("B",)),))
ACCESS = Access(patience=Patience(tries=2, pause_seconds=0.01, timeout_seconds=10))


@pytest.fixture
def site(tmp_path: Path, monkeypatch):
    """A loopback CDAWeb with files of two days; speasy is led to it."""
    pytest.importorskip("speasy", reason="speasy is not installed (extra 'speasy')")
    root = tmp_path / "www"
    make_cdaweb(root)
    for day in ("2020-01-01", "2020-01-02"):
        write_day(root, day)
    monkeypatch.setattr("sciqlop_pipe.sources.rate.servers", Servers())
    with serving(root) as web:
        lead_speasy(monkeypatch, web, tmp_path / "speasy")
        yield SimpleNamespace(web=web, root=root, folder=f"{web.address}{FOLDER}/2020/")


def wanted(source: FileSource = SOURCE, interval: Interval = DAYS) -> list[Wanted]:
    return [Wanted(source, (interval,))]


def run(folder: Path, listing: Listing | None, source: FileSource = SOURCE,
        access: Access = ACCESS) -> Report:  # fmt: skip
    from sciqlop_pipe.campaign import run_campaign

    graph = Graph.of([Mission("loop", [raw("loop.b", VectorSeries, source, granule="1d")])])
    with Store.open(folder / "store", create=True, durable=False) as store:
        client = SerialClient()
        return run_campaign(
            store, graph, ["loop.b"], [DAYS], listing, lambda: client, Options(access=access)
        )


def held(folder: Path) -> np.ndarray:
    with Store.open(folder / "store", read_only=True) as store:
        return store.read("loop.b").load()["vector"].values


# --- files through speasy ------------------------------------------------------------------------


def test_speasy_leads_to_files_by_their_names_alone(site, tmp_path: Path):
    listing = open_doors(["speasy"], wanted(), ACCESS)
    assert [f.location for f in SOURCE.candidates(listing)] == [
        f"{site.folder}lo_h0_mag_2020010{i}_v01.cdf" for i in (1, 2)
    ]
    report = run(tmp_path, listing)
    assert (report.done, report.status) == (2, 0)
    assert np.array_equal(held(tmp_path), np.tile(vectors(24), (2, 1)))


def test_an_inventory_that_is_down_from_the_start_is_told_at_once(tmp_path, monkeypatch):
    pytest.importorskip("speasy", reason="speasy is not installed (extra 'speasy')")
    lead_speasy(monkeypatch, Web("http://127.0.0.1:9/"), tmp_path / "speasy")
    with pytest.raises(ArchiveGone, match="inventory of cda cannot be had.*server is up"):
        open_doors(["speasy:cda"], wanted(), ACCESS)


def test_an_unknown_provider_is_refused():
    with pytest.raises(UsageError, match="no provider 'cdaw'.*cda"):
        open_doors(["speasy:cdaw"], wanted(), ACCESS)


# --- an archive that misbehaves: see test_matrix.py as well ----------------------------------------


@pytest.fixture
def loop(tmp_path: Path, monkeypatch):
    """The same archive without speasy: its folder is named by a rule."""
    root = tmp_path / "www"
    make_cdaweb(root)
    for day in ("2020-01-01", "2020-01-02"):
        write_day(root, day)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    fresh = Servers()
    for module in ("fetch", "crawl", "hapi"):
        monkeypatch.setattr(f"sciqlop_pipe.sources.{module}.servers", fresh)
    with serving(root) as web:
        rule = f"{web.address}{FOLDER}/{{start:%Y}}/"
        yield SimpleNamespace(web=web, root=root, rule=rule, page=f"/{FOLDER}/2020/")


def look(loop, access: Access = ACCESS) -> Listing:
    return open_doors([loop.rule], wanted(), access)


@pytest.mark.parametrize("empty", ["version", "folder"])
def test_what_vanishes_changes_nothing(loop, tmp_path, empty):
    write_day(loop.root, "2020-01-02", "02", offset=1)
    run(tmp_path, look(loop))
    before = held(tmp_path)
    if empty == "version":
        (loop.root / FOLDER / "2020/lo_h0_mag_20200102_v02.cdf").unlink()
    else:
        loop.web.faults[loop.page] = [status(404)]
    report = run(tmp_path, look(loop))
    assert (report.planned, report.status) == (0, 0)
    assert len(report.withdrawn) == (1 if empty == "version" else 2)
    assert np.array_equal(held(tmp_path), before)


def test_a_door_that_is_down_leaves_what_is_there_and_others_fill_what_is_missing(loop, tmp_path):
    run(tmp_path, look(loop))
    copy = tmp_path / "copy"
    write_day(copy, "2020-01-01", offset=7)
    write_day(copy, "2020-01-03", offset=7)
    listing = open_doors(["http://127.0.0.1:9/{start:%Y}/", str(copy)], wanted(), ACCESS)
    assert "cannot be listed" in listing.gone[0]
    report = run(tmp_path, listing)
    assert report.done == 1
    assert np.array_equal(held(tmp_path), np.vstack([vectors(24), vectors(24), vectors(24, 7)]))


def test_offline_repeats_a_run_from_the_cache(loop, tmp_path):
    access = replace(ACCESS, cache=str(tmp_path / "cache"))
    run(tmp_path / "one", look(loop, access), access=access)
    count = len(loop.web.requests)
    offline = replace(access, offline=True)
    report = run(tmp_path / "two", look(loop, offline), access=offline)
    assert (report.done, len(loop.web.requests)) == (2, count)
    assert np.array_equal(held(tmp_path / "one"), held(tmp_path / "two"))


def test_a_rule_names_the_folders_of_an_interval():
    assert filled("https://host/a/{start:%Y}/{start:%m}/", DAYS) == ["https://host/a/2020/01/"]
    assert len(filled("https://host/{start:%Y%j}/", DAYS)) == 3
    with pytest.raises(UsageError, match="no field 'stop'"):
        filled("https://host/{stop:%Y}/", DAYS)


# --- what was read before ------------------------------------------------------------------------


def test_bytes_that_were_read_before_are_not_proven_again(tmp_path, monkeypatch):
    """A reprocessing reads every file once more: its BLAKE3, taken anyhow, says that it is the same."""
    proven: list[str] = []

    def counted(path) -> bool | None:
        proven.append(Path(path).name)
        return verify_md5(path)

    monkeypatch.setattr("sciqlop_pipe.sources.cdf.verify_md5", counted)
    file = write_day(tmp_path / "www", "2020-01-01")
    again = replace(SOURCE, version=2)

    def go(source: FileSource) -> Report:
        forget_last_file()
        listing = open_doors([str(tmp_path / "www")], wanted(source), ACCESS)
        return run(tmp_path, listing, source)

    assert (go(SOURCE).status, len(proven)) == (0, 1)
    assert (go(again).done, len(proven)) == (1, 1)
    assert np.array_equal(held(tmp_path), vectors(24))
    # The control: other bytes under the same name, size and time are no such file.
    state, data = file.stat(), bytearray(file.read_bytes())
    data[data.find(vectors(24).tobytes()) + 40] ^= 1
    file.write_bytes(bytes(data))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    report = go(replace(SOURCE, version=3))
    assert (report.status, len(proven)) == (1, 2)
    assert "MD5 at its end does not fit" in report.failures[0].error


# --- variables through speasy --------------------------------------------------------------------


def pieces_of(site, source: FileSource = DECODED) -> list:
    return list(source.candidates(open_doors(["speasy"], wanted(source), ACCESS)))


def test_variables_without_files_come_by_day_and_are_read_like_files(site, tmp_path, monkeypatch):
    monkeypatch.setenv("SPEASY_CDAWEB_PREFERRED_ACCESS_METHOD", "API")
    one, *_ = pieces_of(site)
    path, answer = rest(site.web, f"{FOLDER}/2020/lo_h0_mag_20200101_v01.cdf")
    site.web.faults[path] = [answer] * 9
    from sciqlop_pipe.sources.files import LocalFile

    local = LocalFile(one, fetch(one, tmp_path / "task", ACCESS), "sha256:0")
    loaded = DECODED.read([local], DAYS, salvage=False)
    assert np.array_equal(loaded.ds["vector"].values, vectors(24))
    assert loaded.ds["vector"].attrs["frame"] == "GSE"


# --- HAPI ----------------------------------------------------------------------------------------

INFO = {
    "HAPI": "3.2", "status": {"code": 1200, "message": "OK"}, "startDate": "2020-01-01T00:00Z",
    "stopDate": "2020-01-02T12:00:00Z", "modificationDate": "2021-01-01T00:00Z",
    "parameters": [
        {"name": "Time", "type": "isotime", "length": 24, "units": "UTC", "fill": None},
        {"name": "B", "type": "double", "units": "nT", "fill": "-1e31", "size": [3]},
    ],
}  # fmt: skip


def hapi_bytes(
    n: int = 24, header: dict = INFO, day: str = "2020-01-01", offset: float = 0.0
) -> bytes:
    records = np.zeros(n, [("t", "S24"), ("b", "<f8", 3)])
    time = np.datetime64(day, "ms") + np.arange(n) * np.timedelta64(3_600_000, "ms")
    records["t"] = np.char.add(time.astype("U23"), "Z")
    records["b"] = vectors(n, offset)
    text = json.dumps(header, indent=1)
    return b"".join(b"#" + line.encode() + b"\n" for line in text.split("\n")) + records.tobytes()


def binary(data: bytes):
    def fault(handler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
        return True

    return fault


def hapi_listing(loop, info: dict = INFO) -> Listing:
    path = "/hapi/info?id=mag&parameters=B"
    loop.web.faults[path] = [page(json.dumps(info), "application/json")] * 3
    return open_doors([f"hapi+{loop.web.address}hapi"], wanted(SERVED), ACCESS)


def asked(piece) -> str:
    return "/" + piece.location.removeprefix("hapi+").split("/", 3)[3]


def test_a_hapi_server_fills_the_days_that_it_covers(loop, tmp_path):
    one, two = SERVED.candidates(hapi_listing(loop))
    assert two.stop - two.start == 43_200 * 10**9
    empty = hapi_bytes(0, INFO | {"status": {"code": 1201, "message": "no data"}})
    loop.web.faults[asked(one)] = [binary(hapi_bytes())]
    loop.web.faults[asked(two)] = [binary(empty)]
    report = run(tmp_path, hapi_listing(loop), SERVED)
    assert (report.done, report.status) == (2, 0)
    assert np.array_equal(held(tmp_path), vectors(24))


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (binary(hapi_bytes()[:-7]), SourceError, "no whole number of records"),
        (page("<html>Down</html>"), SourceError, "web page"),
        (page('{"status": {"code": 1406, "message": "unknown dataset"}}'), SourceError, "1406"),
        (page('{"status": {"code": 1500, "message": "internal"}}'), TransientError, "1500"),
        (page("{}"), TransientError, "no HAPI answer"),
    ],
    ids=["cut record", "page", "1406", "1500", "not HAPI"],
)
def test_what_is_no_hapi_data_is_refused(loop, tmp_path, answer, error, says):
    from sciqlop_pipe.sources.files import LocalFile

    one, _ = SERVED.candidates(hapi_listing(loop))
    loop.web.faults[asked(one)] = [answer]
    with pytest.raises(error, match=says):
        local = LocalFile(one, fetch(one, tmp_path, ACCESS), "sha256:0")
        SERVED.read([local], DAYS, salvage=False)


def test_files_come_before_variables_whatever_is_named_first(loop):
    both = replace(SERVED, pattern=SOURCE.pattern)
    path = "/hapi/info?id=mag&parameters=B"
    long = INFO | {"stopDate": "2020-01-04T00:00Z"}
    loop.web.faults[path] = [page(json.dumps(long), "application/json")]
    doors = [f"hapi+{loop.web.address}hapi", loop.rule]
    names = [f.name for f in both.candidates(open_doors(doors, wanted(both), ACCESS))]
    assert [n.endswith(".cdf") for n in names] == [True, True, False]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ValueError: Unknown product: amda/imf_of_nobody", SourceError),
        ("ConnectionError: [Errno -3] unknown host while resolving cdaweb", TransientError),
        ("Exception: HTTP 500", TransientError),
    ],
)
def test_what_speasy_says_is_final_only_where_it_knows_no_such_product(said, kind):
    from sciqlop_pipe.sources.speasy import _translated

    assert type(_translated(said, "here")) is kind
