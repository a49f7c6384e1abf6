"""Every flow, run as a function: Prefect starts a server of its own for the moment of the run."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("prefect", reason="flows need the extra `flows`")
pytest.importorskip("skops", reason="trained models need the extra `detect`")

from prefect.client.orchestration import get_client
from prefect.testing.utilities import prefect_test_harness

import flows.ingest
from flows.batch import GranulesFailed, make
from flows.detect import detect
from flows.ingest import ingest
from flows.process import process
from flows.publish import publish
from flows.quicklook import NotDrawn, quicklook
from flows.reprocess import reprocess
from flows.train import train
from flows.watch import NeedsAttention, watch
from flows.where import Span, Where
from sciqlop_missions.sim.simulate import simulate
from sciqlop_pipe.errors import TransientError, UsageError
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.store import Store
from tests.conftest import ROOT
from tests.detect.learning.conftest import quick, windows_file  # noqa: F401
from tests.flows.loopback import hook, mailbox

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

# Old, so that it is late; there is a bow shock crossing in it.
SPAN = Span(start="2020-01-01T00:20", stop="2020-01-01T00:40")
CROSSINGS = "sim.boundary_crossings"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Where]:
    """Twenty minutes of the simulated mission, and no Prefect server that anybody has started."""
    folder = tmp_path_factory.mktemp("flows")
    simulate(folder / "archive", Interval.of(SPAN.start, SPAN.stop))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        patched.setenv("DO_NOT_TRACK", "1")
        patched.setenv("PREFECT_HOME", str(folder / "prefect"))
        with prefect_test_harness(server_startup_timeout=120):
            yield Where(store=str(folder / "store"), archives=[str(folder / "archive")], workers=0)
    storage = folder / "prefect" / "storage"
    kept = [p.stat().st_size for p in storage.glob("*")]  # errors, nothing of science
    assert all(size < 10_000 for size in kept)


def folder_of(place: Where, name: str) -> Path:
    return Path(place.store).parent / name


def current(place: Where) -> dict[str, int]:
    """Return records per dataset."""
    with Store.open(place.store, read_only=True) as store:
        return {row["dataset"]: row["records"] for row in store.registry.summary()}


def artifacts(key: str) -> list[Any]:
    """Return what artifacts of a key show, the newest first."""

    async def asked() -> list[Any]:
        async with get_client() as client:
            return await client.read_artifacts()

    found = [a for a in asyncio.run(asked()) if a.key == key]
    return [a.data for a in sorted(found, key=lambda a: a.created, reverse=True)]


def table(key: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(artifacts(key)[0])
    return rows


def test_ingest_takes_raw_data_and_nothing_else(place: Where) -> None:
    ingest(["sim.fgm.*"], where=place, span=SPAN)
    made = current(place)
    assert made["sim.fgm.b"] == 20 * 60 * 16
    assert set(made) == {"sim.fgm.b", "sim.fgm.b_dbcs"}
    assert "| sim.fgm.b | 1 |" in artifacts("report")[0]
    with pytest.raises(UsageError, match="none of these is a raw dataset"):
        ingest(["sim.ion.moments"], where=place, span=SPAN)


def test_process_makes_products_once(place: Where) -> None:
    process(["sim.ion.moments"], where=place, span=SPAN)
    assert current(place)["sim.ion.moments"] > 250
    assert artifacts("granules")[0] == 100.0
    process(["sim.ion.moments"], where=place, span=SPAN)
    assert "nothing was computed" in artifacts("report")[0]


def test_detect_finds_events_and_exports_catalogs(place: Where) -> None:
    folder = folder_of(place, "catalogs")
    detect([CROSSINGS], where=place, span=SPAN, export=str(folder))
    events = json.loads((folder / f"{CROSSINGS}.json").read_text())["events"]
    assert events and all(SPAN.start <= e["start"] < SPAN.stop for e in events)
    assert len((folder / f"{CROSSINGS}.csv").read_text().splitlines()) == len(events) + 1
    (row,) = table("catalogs")
    assert (row["catalog"], row["events"]) == (CROSSINGS, len(events))
    with pytest.raises(UsageError, match="none of these gives events"):
        detect(["sim.fgm.b"], where=place, span=SPAN)


def test_publish_writes_files_once(place: Where) -> None:
    folder = folder_of(place, "cdf")
    publish(["sim.ion.moments"], str(folder), where=place, span=SPAN)
    (file,) = folder.rglob("2020/*.cdf")
    assert file.name.endswith("_v1.0.0.cdf") and table("files")[0]["new"] == 1
    publish(["sim.ion.moments"], str(folder), where=place, span=SPAN)
    assert list(folder.rglob("2020/*.cdf")) == [file]
    assert table("files")[0]["same"] == 1


def test_quicklook_draws_pictures_and_a_page_of_them(place: Where) -> None:
    folder = folder_of(place, "pictures")
    shown = ["sim.ion.moments", CROSSINGS]
    quicklook(shown, str(folder), where=place, span=SPAN)
    (picture,) = folder.rglob("*.png")
    assert picture.stat().st_size > 10_000
    assert picture.name in next(folder.rglob("*.html")).read_text()
    drawn = picture.stat().st_mtime_ns
    quicklook(shown, str(folder), where=place, span=SPAN)
    assert picture.stat().st_mtime_ns == drawn
    assert table("quicklooks") != [{"drawn": 1}]
    quicklook(shown, str(folder), each="event", where=place, span=SPAN)
    with Store.open(place.store, read_only=True) as store:
        events = next(r["records"] for r in store.registry.summary() if r["dataset"] == CROSSINGS)
    assert len(list(folder.rglob("*.png"))) == 1 + events


def test_pictures_that_cannot_be_drawn_make_the_run_red(place: Where, tmp_path: Path) -> None:
    quicklook(["sim.fgm.b"], str(tmp_path / "good"), where=place, span=SPAN)
    (picture,) = (tmp_path / "good").rglob("*.png")
    (tmp_path / "bad" / picture.name).mkdir(parents=True)  # a folder is in the way
    with pytest.raises(NotDrawn, match="1 pictures, first"):
        quicklook(["sim.fgm.b"], str(tmp_path / "bad"), where=place, span=SPAN)


def test_reprocess_stages_compares_and_publishes_with_the_machines_of_its_profile(
    place: Where, tmp_path: Path
) -> None:
    (tmp_path / "here.toml").write_text('workers = 0\npriority = "campaign"\n')
    file = tmp_path / "lowcut.toml"
    file.write_text(f"""
name = "lowcut"
targets = ["sim.ion.moments"]
start = "{SPAN.start}"
stop = "{SPAN.stop}"
archives = ["{place.archives[0]}"]
profile = "here.toml"
[params."sim.ion.moments"]
energy_min = 200.0
""")
    before = density(place)
    reprocess(str(file), where=place)
    assert density(place) == before
    page = artifacts("difference")[0]
    assert "## sim.ion.moments" in page and "| density |" in page
    reprocess(str(file), where=place, publish=True)
    assert density(place) < before


def density(place: Where) -> float:
    with Store.open(place.store, read_only=True) as store:
        return float(store.read("sim.ion.moments")["density"].mean())


def test_train_writes_a_candidate_and_promotes_it(
    place: Where, quick: None, windows_file: Any, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    windows = windows_file("train.npz", {"passes": 3})
    train("regions", str(tmp_path / "model"), [str(windows)], where=place)
    scores = {row["number"]: float(row["value"]) for row in table("scores")}
    assert scores["macro_f1_6"] > 0.9
    with Store.open(place.store, read_only=True) as store:
        assert "plasma_regions" not in store.models(), "promoted without being asked"
    train("regions", str(tmp_path / "model"), [str(windows)], where=place, promote=True)
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    with Store.open(place.store, read_only=True) as store:
        content, path = store.models()["plasma_regions"]
        assert (store.root / path / "card.json").is_file()
    assert card["name"] == "plasma_regions" and len(content) >= 32


def test_watch_is_green_and_then_names_what_is_late_and_what_stalls(
    place: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(where=place)
    assert table("concerns") == []
    with Store.open(place.store) as store:
        store.registry.start_run("r-dead", "sciqlop-pipe run sim.fgm.b", "{}")
    time.sleep(1.1)
    with hook() as (url, posted), mailbox() as (host, mails):
        monkeypatch.setenv("SCIQLOP_PIPE_ALERT_URL", url)
        monkeypatch.setenv("SCIQLOP_PIPE_ALERT_MAIL", "duty@example.org")
        monkeypatch.setenv("SCIQLOP_PIPE_SMTP", host)
        with pytest.raises(NeedsAttention):
            watch(where=place, fresh={"sim.fgm.b": "36h"}, stalled_after="1s")
    with Store.open(place.store) as store:
        store.registry.finish_run("r-dead", "done")
    assert {(c["kind"], c["where"]) for c in table("concerns")} == {
        ("late", "sim.fgm.b"),
        ("stalled", "r-dead"),
    }
    (mail,), (text,) = mails, posted
    for said in (bytes(mail.get_payload(decode=True)).decode(), text):
        assert "36h are allowed" in said and "r-dead" in said
    assert mail["To"] == "duty@example.org" and "watch failed" in mail["Subject"]


def test_a_batch_is_tried_again_when_machines_fail_and_not_when_it_makes_no_sense(
    place: Where, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tried: list[str] = []
    opened = flows.batch.open_cluster

    def away(*args: Any) -> Any:
        tried.append("cluster")
        if len(tried) == 1:
            raise TransientError("the scheduler does not answer")
        return opened(*args)

    monkeypatch.setattr("flows.batch.open_cluster", away)
    monkeypatch.setattr(flows.ingest, "make", make.with_options(retry_delay_seconds=[0, 0]))
    other = place.model_copy(update={"store": str(tmp_path / "store")})
    ingest(["sim.fgm.b"], where=other, span=SPAN)
    assert len(tried) == 2 and current(other)["sim.fgm.b"] > 1000

    listed: list[str] = []

    def refused(*args: Any) -> Any:
        listed.append("archive")
        raise UsageError("a word is no door")

    monkeypatch.setattr("flows.batch.list_needed", refused)
    with pytest.raises(UsageError, match="is no door"):
        ingest(["sim.fgm.b"], where=other, span=SPAN)
    assert listed == ["archive"]


def test_granules_that_fail_make_the_run_red_and_the_rest_is_kept(
    place: Where, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in Path(place.archives[0]).rglob("sim_fgm*.cdf"):
        (tmp_path / file.name).write_bytes(file.read_bytes()[:50_000])
    bad = place.model_copy(update={"store": str(tmp_path / "store"), "archives": [str(tmp_path)]})
    with hook() as (url, posted):
        monkeypatch.setenv("SCIQLOP_PIPE_ALERT_URL", url)
        with pytest.raises(GranulesFailed, match="1 of 1 granules failed"):
            ingest(["sim.fgm.b"], where=bad, span=SPAN)
    assert len(posted) == 1 and "ingest failed" in posted[0] and "sim.fgm.b/" in posted[0]
    assert "## Failures" in artifacts("report")[0]


def test_flows_are_functions_of_a_checkout() -> None:
    """What is run here is what `prefect.yaml` deploys."""
    declared = (ROOT / "deploy/prefect.yaml").read_text()
    for flow in (ingest, process, detect, publish, quicklook, reprocess, train, watch):
        assert f"flows/{flow.name}.py:{flow.name}" in declared
