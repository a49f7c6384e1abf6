"""Every door against every fault: nothing lost, nothing wrong, said in words, in bounded time.

Which test holds which cell. "Here" is this file; `S` is tests/sources/test_speasy.py (the real speasy against
servers on this machine; system tests, and all of `F` in the long test
`test_every_fault_behind_every_provider_costs_its_granule_only` at full effort).

====================  ========  ========  ========  ========  ===========================  ==================
fault                 folder    listing   rule      HAPI      speasy's files (cda,archive)  speasy's variables
====================  ========  ========  ========  ========  ===========================  ==================
normal                here      here      here      here      S, cda in test_doors          S `mended`, all five
404, 500, timeout,    here [1]  here      here      here      S `..._fails_grows_...` cda;  S: one or two short of
cut, hung up, page                                            [2]                           each provider, all by F
the same, inventory   -         here      here      here      test_doors `..._is_down_...`  S `..._is_down_...`
changes, grows        here      here      here      here      S `..._fails_grows_...`       S `..._modified_...`
comes back empty      here      here      here      here      S (cda)                       S `..._modified_...`
down from the start   here      here      here      here      test_doors                    S `..._told_at_once`
====================  ========  ========  ========  ========  ===========================  ==================

[1] a folder has no 500 and no timeout; a file that vanishes, is cut or is a page stands for the rest.
[2] behind `archive` the same code fetches; only where its files lie is asked differently.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from sciqlop_pipe.errors import ArchiveGone
from sciqlop_pipe.report import Report
from sciqlop_pipe.sources.archive import Listing
from sciqlop_pipe.sources.doors import Wanted, open_doors
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.rate import Servers
from tests.sources.cdaweb import FOLDER, vectors, write_day
from tests.sources.test_doors import (
    ACCESS,
    DAYS,
    INFO,
    SERVED,
    SOURCE,
    binary,
    hapi_bytes,
    held,
    run,
)
from tests.sources.web import Fault, Web, hang_up, page, serving, short_body, silent, status
from tests.waiting import until

HASTY = replace(ACCESS, patience=replace(ACCESS.patience, timeout_seconds=0.15))
LATER = 1_900_000_000
FAULTS: dict[str, tuple[Fault, str]] = {
    "404": (status(404), r"answers 404 .*Check the address"),
    "500": (status(500), r"answers 500 .*Try again later"),
    "timeout": (silent(0.4), r"timed out.*try again"),
    "cut": (
        short_body(90_000, b"CDF" + bytes(9000)),
        r"ended after 9003 of 90000 bytes.*Try again",
    ),
    "hung up": (hang_up, r"does not answer properly.*try again"),
    "page": (page("<html><title>Maintenance</title></html>"), r"titled 'Maintenance' instead"),
}


class Site:
    """A server or folder with two days of data, and a store; subclasses say behind which door."""

    source: FileSource = SOURCE
    faults: ClassVar[dict[str, Any]] = FAULTS

    def __init__(self, web: Web, folder: Path) -> None:
        self.web, self.folder, self.root = web, folder, folder / "www"
        self.offsets = {"2020-01-01": 0.0, "2020-01-02": 0.0}
        for day in self.offsets:
            write_day(self.root, day)

    word = listing_path = ""
    access = ACCESS

    def look(self) -> Listing:
        return open_doors([self.word], [Wanted(self.source, (DAYS,))], self.access)

    def go(self, listing: Listing | None = None) -> Report:
        return run(self.folder, listing or self.look(), self.source, self.access)

    def break_day(self, kind: str) -> None:
        """Let the data of the second day fail in a way; hasty only where nothing will come."""
        fault = self.faults[kind][0]
        self.web.faults[self.data_path()] = [lambda h: h.command == "GET" and fault(h)] * 99
        self.access = HASTY if kind == "timeout" else ACCESS

    def data_path(self) -> str:
        return f"/{FOLDER}/2020/lo_h0_mag_20200102_v01.cdf"

    def heal(self) -> None:
        self.access = ACCESS
        self.web.faults.pop(self.data_path(), None)

    def change(self) -> None:
        """Put other values under the name of the second day."""
        self.offsets["2020-01-02"] = 0.5
        path = write_day(self.root, "2020-01-02", offset=0.5)
        os.utime(path, (LATER, LATER))

    def grow(self) -> None:
        """Add a version of the first day, and a third day."""
        self.offsets |= {"2020-01-01": 0.25, "2020-01-03": 0.0}
        write_day(self.root, "2020-01-01", "02", offset=0.25)
        write_day(self.root, "2020-01-03")

    def empty(self) -> None:
        """Let the inventory come back without anything."""
        self.web.faults[self.listing_path] = [page("<html>Index of nothing</html>")] * 9

    def truth(self) -> np.ndarray:
        return np.vstack([vectors(24, offset) for offset in self.offsets.values()])


class InAFolder(Site):
    faults: ClassVar[dict[str, Any]] = {
        "404": (None, r"gone since its archive was listed.*Check that the archive is mounted"),
        "cut": (None, r"it is being replaced or copied.*Run again"),
        "page": (None, r"titled 'Maintenance' instead"),
    }

    def __init__(self, web: Web, folder: Path) -> None:
        super().__init__(web, folder)
        self.word = str(self.root / FOLDER)
        self.file = self.root / self.data_path().lstrip("/")

    def break_day(self, kind: str) -> None:
        if kind == "404":
            self.file.unlink()
        elif kind == "cut":
            self.file.write_bytes(self.file.read_bytes()[:3000])
        else:
            size = self.file.stat().st_size
            text = b"<html><title>Maintenance</title></html>"
            self.file.write_bytes(text.ljust(size))

    def heal(self) -> None:
        write_day(self.root, "2020-01-02")

    def empty(self) -> None:
        shutil.rmtree(self.root / FOLDER)
        (self.root / FOLDER).mkdir()


class Crawled(Site):
    def __init__(self, web: Web, folder: Path) -> None:
        super().__init__(web, folder)
        self.word = f"{web.address}{FOLDER}/"
        self.listing_path = f"/{FOLDER}/"


class ByRule(Site):
    def __init__(self, web: Web, folder: Path) -> None:
        super().__init__(web, folder)
        self.word = f"{web.address}{FOLDER}/{{start:%Y}}/"
        self.listing_path = f"/{FOLDER}/2020/"


class OnHapi(Site):
    source = SERVED
    listing_path = "/hapi/info?id=mag&parameters=B"

    def __init__(self, web: Web, folder: Path) -> None:
        super().__init__(web, folder)
        self.word = f"hapi+{web.address}hapi"
        self.about = INFO | {"stopDate": "2020-01-03T00:00Z"}
        web.faults["/hapi/info*"] = [self._info] * 999
        web.faults["/hapi/data*"] = [self._data] * 999

    def _info(self, handler: Any) -> bool:
        return page(json.dumps(self.about), "application/json")(handler)

    def _data(self, handler: Any) -> bool:
        day = re.search(r"time.min=([\d-]+)", handler.path)
        assert day is not None
        return binary(hapi_bytes(24, INFO, day[1], self.offsets[day[1]]))(handler)

    def data_path(self) -> str:
        two = self.source.candidates(self.look())[1]
        return "/" + two.location.removeprefix("hapi+").split("/", 3)[3]

    def change(self) -> None:
        self.offsets["2020-01-02"] = 0.5
        self.about |= {"modificationDate": "2024-01-01T00:00Z"}

    def grow(self) -> None:
        self.offsets |= {"2020-01-01": 0.25, "2020-01-03": 0.0}
        self.about |= {"stopDate": "2020-01-04T00:00Z", "modificationDate": "2024-06-01T00:00Z"}

    def empty(self) -> None:
        self.about = {"HAPI": "3.2", "status": {"code": 1406, "message": "unknown dataset"}}


SITES = {"folder": InAFolder, "listing": Crawled, "rule": ByRule, "hapi": OnHapi}


@pytest.fixture(params=list(SITES))
def site(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    patient(monkeypatch)
    (tmp_path / "www").mkdir()
    with serving(tmp_path / "www") as web:
        yield SITES[request.param](web, tmp_path)


def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget which servers failed, as after a minute; wait less between the tries of a granule."""
    monkeypatch.setattr("sciqlop_pipe.coordinator.RETRY_SECONDS", 0.01)
    fresh = Servers(rest_seconds=0.0)
    for module in ("fetch", "crawl", "hapi"):
        monkeypatch.setattr(f"sciqlop_pipe.sources.{module}.servers", fresh)


def bounded(site: Site, most: int, call: Callable[[], Any]) -> Any:
    """Return what a call gives; it may cost a few requests and seconds."""
    before, began = len(site.web.requests), time.monotonic()
    found = call()
    assert len(site.web.requests) - before <= most
    assert time.monotonic() - began < 60
    return found


def test_a_fault_costs_its_granule_is_said_in_words_and_made_good_by_the_same_run(
    site: Site, monkeypatch
):
    listing = site.look()
    for kind, (_, says) in site.faults.items():
        site.folder = site.root.parent / kind.replace(" ", "-")
        patient(monkeypatch)
        site.break_day(kind)
        # The other day, and the bad one three times by the campaign with two tries each.
        report = bounded(site, 20, lambda: site.go(listing))
        assert (report.done, report.status) == (1, 1), kind
        assert re.search(says, report.failures[0].error, re.S), (kind, report.failures[0].error)
        assert "20200102" in report.failures[0].error or "2020-01-02" in report.failures[0].error
        assert np.array_equal(held(site.folder), vectors(24)), kind
        site.heal()
        report = site.go()
        assert (report.done, report.status) == (1, 0), (kind, report.failures)
        assert np.array_equal(held(site.folder), site.truth()), kind


@pytest.mark.parametrize("site", ["listing", "rule", "hapi"], indirect=True)
def test_an_inventory_that_fails_is_never_taken_for_an_empty_one(site: Site, monkeypatch):
    site.go()
    says = {
        "500": "answers 500", "timeout": "timed out", "hung up": "does not answer properly",
        "cut": "ended after|no HAPI answer|IncompleteRead|not answer properly",
    }  # fmt: skip
    for kind, words in says.items():
        patient(monkeypatch)
        site.web.faults[site.listing_path] = [FAULTS[kind][0]] * 9
        site.access = HASTY if kind == "timeout" else ACCESS
        with pytest.raises(ArchiveGone, match=words) as error:
            bounded(site, 4, site.look)
        assert "127.0.0.1" in str(error.value), kind
        assert str(error.value).rstrip().endswith(("network", "again", "later", "/hapi")), kind
        site.web.faults.pop(site.listing_path)
    for kind in ("404", "page"):
        patient(monkeypatch)
        site.web.faults[site.listing_path] = [FAULTS[kind][0]] * 9
        try:
            report = bounded(site, 4, site.go)
        except ArchiveGone:
            pass
        else:
            assert (report.planned, len(report.withdrawn)) == (0, 2), kind
        site.web.faults.pop(site.listing_path)
    assert np.array_equal(held(site.folder), site.truth())


def test_what_changes_and_grows_is_made_anew_and_what_vanishes_changes_nothing(site: Site):
    assert site.go().status == 0
    # A server that tells one date of change for all days lets them be looked at: none is remade.
    looked = isinstance(site, OnHapi)
    site.change()
    report = bounded(site, 20, site.go)
    assert (report.done, report.unchanged, report.status) == (1, int(looked), 0)
    site.grow()
    report = bounded(site, 20, site.go)
    assert (report.done, report.unchanged, report.status) == (2, int(looked), 0)
    assert np.array_equal(held(site.folder), site.truth())
    assert site.go().planned == 0
    site.empty()
    report = bounded(site, 6, site.go)
    assert (report.planned, report.status, len(report.withdrawn)) == (0, 0, 3)
    assert np.array_equal(held(site.folder), site.truth())


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("/nowhere/at/all", "cannot be listed.*that it is mounted"),
        ("http://127.0.0.1:9/data/", "cannot be listed.*Check the address and the network"),
        ("http://127.0.0.1:9/{start:%Y}/", "cannot be listed.*Check the address and the network"),
        ("hapi+http://127.0.0.1:9/hapi", "does not answer properly.*try again"),
    ],
    ids=list(SITES),
)
def test_a_door_that_is_down_from_the_start_is_told_at_once(word: str, says: str, monkeypatch):
    patient(monkeypatch)
    began = time.monotonic()
    with pytest.raises(ArchiveGone, match=says):
        open_doors([word], [Wanted(SERVED, (DAYS,))], HASTY)
    assert time.monotonic() - began < 20


@pytest.mark.system
def test_fifty_faults_leave_no_thread_no_descriptor_and_no_process(tmp_path: Path, monkeypatch):
    """Of the process that fetches and reads; the one reader of CDF files stays, as it should."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "www").mkdir()
    with serving(tmp_path / "www") as web:
        site = Crawled(web, tmp_path)
        listing = site.look()
        kinds = [k for k in FAULTS if k != "timeout"]

        def one(i: int) -> None:
            patient(monkeypatch)
            site.break_day(kinds[i % len(kinds)])
            assert site.go(listing).status == 1

        site.folder = tmp_path / "store"
        (tmp_path / "temporary").mkdir()  # other tests have the common folder
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
        one(0)
        before = held_by_process()
        for i in range(50):
            one(i)

        def little() -> bool:  # threads of the server that answer are ending
            return all(n <= before[kind] + 2 for kind, n in held_by_process().items())

        until(little, lambda: f"{before} became {held_by_process()}", seconds=30)


def held_by_process() -> dict[str, int]:
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {
        "threads": threading.active_count(),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "processes": sum(len(c.read_text().split()) for c in children),
        "temporary": len(list(Path(tempfile.gettempdir()).glob("*"))),
    }
