"""Campaigns through the real speasy, led to loopback servers by its own settings; nothing patched.

What cannot be led is in `tests/sources/providers.py`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.errors import ArchiveGone, TransientError
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission, raw
from sciqlop_pipe.report import Options, Report
from sciqlop_pipe.sources.access import Access
from sciqlop_pipe.sources.archive import Listing
from sciqlop_pipe.sources.doors import Wanted, open_doors
from sciqlop_pipe.sources.fetch import fetch
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.http import Patience
from sciqlop_pipe.sources.rate import Servers
from sciqlop_pipe.sources.remote import Archived, Variables
from sciqlop_pipe.sources.series import VectorAdapter
from sciqlop_pipe.store import Store
from tests.conftest import Effort
from tests.serial import SerialClient
from tests.sources.cdaweb import FOLDER, make_cdaweb, vectors, write_day, write_variable
from tests.sources.providers import PROVIDERS, Provider, amda_tree, bytes_of, lead_speasy
from tests.sources.web import Fault, Web, hang_up, page, serving, short_body, silent, status

pytest.importorskip("speasy", reason="speasy is not installed (extra 'speasy')")

DAY = Interval.of("2020-01-01", "2020-01-02")
DAYS = Interval.of("2020-01-01", "2020-01-04")
ACCESS = Access(patience=Patience(tries=1, pause_seconds=0.01, timeout_seconds=30))
FIELD = VectorAdapter(variable="B", units="nT", frame="GSE")
# speasy's first steps take about 3 s, those of its archive 9 s: it asks hosts of its own list.
HASTY = {"archive": 6.0}

FAULTS: dict[str, tuple[Fault, str]] = {
    "404": (status(404), "answers 404|made no data"),
    "500": (status(500), "answers 500|no answer after"),
    "timeout": (silent(20), "no answer after"),
    "cut": (short_body(9000, b"CDF"), "broke off|no answer after"),
    "hung up": (hang_up, "hung up|no answer after"),
    "page": (page("<html><title>Maintenance</title></html>"), "no data: perhaps a web page"),
}


@dataclass
class Site:
    """A loopback server with the data of one provider, and a store."""

    web: Web
    root: Path
    folder: Path
    provider: Provider
    data: str
    right: Fault

    def source(self) -> FileSource:
        variable = self.provider.product.rpartition("/")[2]
        adapter = VectorAdapter(variable=variable, units=self.provider.units, frame="GSE")
        remote = (Variables((self.provider.product,)),)
        return FileSource("never_{start:%Y}.cdf", adapter, remote=remote)

    def look(self, access: Access = ACCESS) -> Listing:
        door = f"speasy:{self.provider.name}"
        return open_doors([door], [Wanted(self.source(), (DAY,))], access)

    def run(self, listing: Listing, access: Access = ACCESS) -> Report:
        return run(self.folder, self.source(), DAY, listing, access)


def run(folder: Path, source: FileSource, interval: Interval, listing: Listing,
        access: Access = ACCESS) -> Report:  # fmt: skip
    """Run a campaign whose servers are met for the first time."""
    graph = Graph.of([Mission("loop", [raw("loop.b", VectorSeries, source, granule="1d")])])
    with Store.open(folder / "store", create=True, durable=False) as store:
        client = SerialClient()
        return run_campaign(
            store, graph, ["loop.b"], [interval], listing, lambda: client, Options(access=access)
        )


def held(folder: Path) -> np.ndarray:
    with Store.open(folder / "store", read_only=True) as store:
        return store.read("loop.b").load()["vector"].values


def fresh_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Servers()
    for module in ("fetch", "crawl", "hapi"):
        monkeypatch.setattr(f"sciqlop_pipe.sources.{module}.servers", fresh)


def opened(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    root = tmp_path / "www"
    make_cdaweb(root)
    for day in ("2020-01-01", "2020-01-02"):
        write_day(root, day)
    fresh_servers(monkeypatch)
    with serving(root) as web:
        lead_speasy(monkeypatch, web, tmp_path / "speasy")
        path, right = PROVIDERS[name].serve(web, root, monkeypatch)
        site = Site(web, root, tmp_path, PROVIDERS[name], path, right)
        web.faults[path] = [right] * 99
        yield site


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch) -> Iterator[Site]:
    yield from opened(request.param, tmp_path, monkeypatch)


def why_not(site: Site, listing: Listing, access: Access) -> str:
    with pytest.raises(TransientError) as error:
        fetch(listing.pieces[0], site.folder / "task", access)
    return str(error.value)


def refused(site: Site, kind: str, ask: Callable[[Access], str]) -> None:
    """Let the data request fail: in bounded time and requests it is said why."""
    fault, says = FAULTS[kind]
    slow = kind in ("500", "timeout", "cut", "hung up")
    seconds = HASTY.get(site.provider.name, 2.0) if slow else 30.0
    site.web.faults[site.data] = [fault] * 99
    before, began = len(site.web.requests), time.monotonic()
    said = ask(Access(patience=Patience(tries=1, timeout_seconds=seconds)))
    assert re.search(says, said), said
    assert "Traceback" not in said
    assert time.monotonic() - began < 180
    assert len(site.web.requests) - before < 40
    site.web.faults[site.data] = [site.right] * 99


def mended(site: Site, listing: Listing) -> None:
    report = site.run(listing)
    assert (report.done, report.status) == (1, 0), report.failures
    assert np.array_equal(held(site.folder), vectors(24))


@pytest.mark.system
@pytest.mark.parametrize("site", ["cda"], indirect=True)
def test_a_fault_behind_speasy_is_never_taken_for_no_data(site: Site):
    """Those of amda and csa are in tests below, ssc's in a long one: speasy starts slowly."""
    listing = site.look()
    refused(site, "page", lambda access: why_not(site, listing, access))
    mended(site, listing)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("site", list(PROVIDERS), indirect=True)
def test_every_fault_behind_every_provider_costs_its_granule_only(
    site: Site, effort: Effort, monkeypatch, tmp_path: Path
):
    short = {"ssc": ["500", "page"], "csa": ["timeout"]}
    kinds = short.get(site.provider.name, []) if effort.short else list(FAULTS)
    if not kinds:
        pytest.skip("a fault of it is in the system tests; all of them with EFFORT=full")
    listing = site.look()

    def ask(access: Access) -> str:
        fresh_servers(monkeypatch)
        if effort.short:
            return why_not(site, listing, access)
        report = site.run(listing, access)
        assert (report.done, report.status) == (0, 1)
        return report.failures[0].error

    for kind in kinds:
        site.folder = tmp_path / kind.replace(" ", "-")
        refused(site, kind, ask)
        fresh_servers(monkeypatch)
        mended(site, listing)


@pytest.mark.system
@pytest.mark.parametrize("site", ["amda"], indirect=True)
def test_a_fault_costs_nothing_and_what_was_modified_is_fetched_anew(site: Site, tmp_path: Path):
    listing = site.look()
    refused(site, "404", lambda access: why_not(site, listing, access))
    mended(site, listing)
    moved = write_variable(tmp_path / "moved.cdf", "2020-01-01", 24, 0.5, name="lo_b").read_bytes()
    site.web.faults[site.data] = [bytes_of(moved)] * 9
    tree = site.web.faults["/amda/getObsDataTree.xml"]
    tree[:] = [page(amda_tree("2025-01-01T00:00:00Z"), "text/xml")] * 9
    report = site.run(site.look())
    assert (report.planned, report.done) == (1, 1)
    assert np.array_equal(held(tmp_path), vectors(24, 0.5))
    # An inventory that has forgotten it changes nothing.
    tree[:] = [page(amda_tree(""), "text/xml")] * 9
    report = site.run(site.look())
    assert (report.planned, report.status, len(report.withdrawn)) == (0, 0, 1)
    assert np.array_equal(held(tmp_path), vectors(24, 0.5))


@pytest.mark.system
def test_a_provider_that_is_down_from_the_start_is_told_at_once(tmp_path, monkeypatch):
    lead_speasy(monkeypatch, Web("http://127.0.0.1:9/"), tmp_path / "speasy")
    monkeypatch.setenv("SPEASY_AMDA_ENTRY_POINT", "http://127.0.0.1:9/amda")
    began = time.monotonic()
    wanted = [Wanted(FileSource("never_{start:%Y}.cdf", FIELD,
                                remote=(Variables(("amda/lo_b",)),)), (DAY,))]  # fmt: skip
    with pytest.raises(ArchiveGone, match="inventory of amda cannot be had.*server is up"):
        open_doors(["speasy:amda"], wanted, ACCESS)
    assert time.monotonic() - began < 120


@pytest.mark.system
@pytest.mark.parametrize("site", ["csa"], indirect=True)
def test_a_mission_declares_the_variables_of_its_archive_and_a_cut_is_told(
    site: Site, tmp_path: Path
):
    """Cluster's own source, asked of its archive: no file lies anywhere."""
    from sciqlop_missions.cluster import mission

    source = next(d.source for d in mission.datasets if d.name == "cluster1.fgm.full.b_gse")
    listing = open_doors(["speasy:csa"], [Wanted(source, (DAY,))], ACCESS)
    refused(site, "cut", lambda access: why_not(site, listing, access))
    assert run(tmp_path, source, DAY, listing).done == 1
    assert np.array_equal(held(tmp_path), vectors(24))


# --- files to which speasy leads -----------------------------------------------------------------

FILES = "lo_h0_mag_{start:%Y%m%d}_v{version}.cdf"
SOURCES = {
    "cda": FileSource(FILES, FIELD),
    "archive": FileSource(FILES, FIELD, remote=(Archived("archive/Loop/Mag/LO_MAG"),)),
}


@pytest.mark.system
@pytest.mark.parametrize("site", list(SOURCES), indirect=True)
def test_an_archive_behind_speasy_fails_grows_changes_and_empties_and_nothing_is_lost(
    site: Site, tmp_path: Path, monkeypatch
):
    import os

    site.web.faults.clear()
    source, folder = SOURCES[site.provider.name], f"/{FOLDER}/2020/"

    def look() -> Listing:
        door = f"speasy:{site.provider.name}"
        return open_doors([door], [Wanted(source, (DAYS,))], ACCESS)

    def go(listing: Listing, access: Access = ACCESS) -> Report:
        fresh_servers(monkeypatch)
        return run(tmp_path, source, DAYS, listing, access)

    listing, path = look(), f"{folder}lo_h0_mag_20200102_v01.cdf"
    hasty = Access(patience=Patience(tries=2, pause_seconds=0.01, timeout_seconds=0.3))
    says = {"404": "404", "500": "500", "timeout": "timed out", "cut": "ended after 3 of 9000",
            "hung up": "does not answer properly", "page": "Maintenance"}  # fmt: skip
    for kind, words in says.items() if site.provider.name == "cda" else ():
        fault = silent(0.6) if kind == "timeout" else FAULTS[kind][0]
        site.web.faults[path] = [lambda h, f=fault: h.command == "GET" and f(h)] * 50
        before = len(site.web.requests)
        report = go(listing, hasty)
        assert report.status == 1, kind
        assert words in report.failures[0].error
        assert len(site.web.requests) - before < 12
        assert np.array_equal(held(tmp_path), vectors(24))  # the day beside it is there
    site.web.faults.clear()
    assert (go(listing).status, len(held(tmp_path))) == (0, 48)

    write_day(site.root, "2020-01-03")
    write_day(site.root, "2020-01-01", "02", offset=0.25)
    changed = write_day(site.root, "2020-01-02", offset=0.5)
    os.utime(changed, (1_900_000_000, 1_900_000_000))
    report = go(look())
    assert (report.planned, report.done) == (3, 3)
    truth = np.vstack([vectors(24, 0.25), vectors(24, 0.5), vectors(24)])
    assert np.array_equal(held(tmp_path), truth)

    if site.provider.name == "archive":
        # The listing that empties is read by the same code as that of cda; speasy's archive takes
        # seconds to start.
        return
    site.web.faults[folder] = [page("<html>Index of nothing</html>")] * 9
    report = go(look())
    assert (report.planned, report.status, len(report.withdrawn)) == (0, 0, 3)
    assert np.array_equal(held(tmp_path), truth)
