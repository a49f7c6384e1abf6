"""Flows on a real Prefect: a server, the deployments of prefect.yaml, a worker that picks them up."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import yaml

from sciqlop_missions.sim.simulate import simulate
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.store import Store
from tests.conftest import ROOT
from tests.detect.learning.test_icme_training import catalog, omni_year
from tests.flows.loopback import hook, mailbox
from tests.sources.web import serving
from tests.store.test_postgres import new_database, server  # noqa: F401
from tests.waiting import answers, until

pytest.importorskip("prefect", reason="flows need the extra `flows`")
pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]

BEGIN, END = "2030-01-01T00:20", "2030-01-01T00:30"
#: A run of a flow may take that long on a busy machine [s].
LONG = 600.0
DEPLOYMENTS = yaml.safe_load((ROOT / "deploy/prefect.yaml").read_text())["deployments"]


@dataclass(frozen=True)
class Prefect:
    """A server with a worker; commands are those a person types."""

    folder: Path
    environment: dict[str, str]
    posted: list[str]
    mails: list[Message]

    @property
    def store(self) -> str:
        return self.environment["SCIQLOP_PIPE_STORE"]

    def __call__(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "prefect", *words], cwd=ROOT, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0 or not check, done.stdout[-3000:]
        return done.stdout

    def ask(self, path: str, **body: Any) -> Any:
        """Return what the server's API answers."""
        request = urllib.request.Request(
            f"{self.environment['PREFECT_API_URL']}/{path}", json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    def ended(self, flow: str) -> dict[str, Any]:
        """Wait until a run of a flow has ended, and return it."""
        states = {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}}

        def runs() -> list[dict[str, Any]]:
            return self.ask("flow_runs/filter", flow_runs=states, flows={"name": {"any_": [flow]}})

        return until(runs, lambda: f"no run of {flow} ended: {self.log()}", seconds=LONG)[0]

    def start(self, deployment: str, **params: Any) -> str:
        """Ask for a run of FLOW/DEPLOYMENT, as the form does; return its id."""
        found = self.ask_for(f"deployments/name/{deployment}")
        run = self.ask(f"deployments/{found['id']}/create_flow_run", parameters=params)
        return str(run["id"])

    def ask_for(self, path: str) -> Any:
        """Return what the server's API has."""
        with urllib.request.urlopen(f"{self.environment['PREFECT_API_URL']}/{path}") as answer:
            return json.loads(answer.read())

    def end_of(self, run: str) -> dict[str, Any]:
        """Wait for a run to end, and return it."""

        def found() -> dict[str, Any] | None:
            it = self.ask_for(f"flow_runs/{run}")
            return it if it["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED") else None

        it = until(found, lambda: f"run {run} does not end: {self.log()}", seconds=LONG, every=0.5)
        assert it is not None
        return it

    def shown(self, run: str, key: str) -> Any:
        """Return the data of an artifact of a run."""
        found = self.ask(
            "artifacts/filter",
            flow_runs={"id": {"any_": [run]}},
            artifacts={"key": {"any_": [key]}},
        )
        return found[0]["data"]

    def told(self, event: str) -> set[str]:
        """Return the names of resources that an event tells of; events take a moment to arrive."""

        def found() -> list[dict[str, Any]]:
            return self.ask("events/filter", filter={"event": {"name": [event]}})["events"]

        told = until(found, lambda: f"nothing tells of {event}: {self.log()}", every=0.5)
        return {e["resource"]["prefect.resource.name"] for e in told}

    def log(self) -> str:
        return (self.folder / "worker.log").read_text()[-4000:]

    def artifacts(self) -> dict[str, str]:
        """Return type and description of every artifact by key."""
        return {a["key"]: a["type"] for a in self.ask("artifacts/filter", limit=100)}


def body(mail: Message) -> str:
    """Return the text of a mail."""
    return bytes(mail.get_payload(decode=True)).decode()


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything that it started."""
    for sign in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(15)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


@pytest.fixture(scope="module")
def prefect(
    tmp_path_factory: pytest.TempPathFactory,
    server: str,  # noqa: F811
) -> Iterator[Prefect]:
    """A server on PostgreSQL with deployments and a worker, everything in temporary folders."""
    folder = tmp_path_factory.mktemp("prefect")
    port = free_port()
    environment = os.environ | {
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": new_database(server).replace(
            "postgresql:", "postgresql+asyncpg:"
        ),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "3",
        "DO_NOT_TRACK": "1",
        "SCIQLOP_PIPE_HOME": str(ROOT),
        "SCIQLOP_PIPE_STORE": str(folder / "store"),
        "PYTHONPATH": str(ROOT),
        "SCIQLOP_PIPE_ALERT_MAIL": "duty@example.org",
    }
    running: list[subprocess.Popen[bytes]] = []

    def start(name: str, *words: str) -> None:
        with (folder / f"{name}.log").open("wb") as log:
            running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "prefect", *words], cwd=ROOT, env=environment,
                    stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                )
            )  # fmt: skip

    with ExitStack() as alive:
        environment["SCIQLOP_PIPE_ALERT_URL"], posted = alive.enter_context(hook())
        environment["SCIQLOP_PIPE_SMTP"], mails = alive.enter_context(mailbox())
        alive.callback(lambda: [stop(process) for process in reversed(running)])
        start("server", "server", "start", "--host", "127.0.0.1", "--port", str(port))
        made = Prefect(folder, environment, posted, mails)
        until(
            lambda: answers(f"{environment['PREFECT_API_URL']}/health"),
            (folder / "server.log").read_text,
        )
        made("work-pool", "create", "sciqlop", "--type", "process")
        made("--no-prompt", "deploy", "--all", "--prefect-file", "deploy/prefect.yaml")
        for d in made.ask("deployments/filter"):  # the real schedules do not run in a test
            made.ask(f"deployments/{d['id']}/pause_deployment")
        start("worker", "worker", "start", "--pool", "sciqlop")
        yield made


def _flow(deployment: dict[str, Any]) -> str:
    return str(deployment["entrypoint"]).rpartition(":")[2]


@pytest.fixture(scope="module")
def archive(prefect: Prefect) -> str:
    """Ten minutes of the simulated mission."""
    folder = prefect.folder / "archive"
    simulate(folder, Interval.of(BEGIN, END))
    return str(folder)


def where(prefect: Prefect, archive: str) -> dict[str, Any]:
    return {"store": prefect.store, "archives": [archive], "workers": 0}


SPAN = {"start": BEGIN, "stop": END}


def test_every_deployment_is_there_with_its_schedule(prefect: Prefect) -> None:
    there = {(_flow(d), d["name"]): d for d in prefect.ask("deployments/filter")}
    assert len(there) == len(DEPLOYMENTS)
    for declared in DEPLOYMENTS:
        found = there[declared["entrypoint"].rpartition(":")[2], declared["name"]]
        crons = [s["schedule"]["cron"] for s in found["schedules"]]
        assert crons == [s["cron"] for s in declared.get("schedules", [])]
        assert found["parameter_openapi_schema"]["properties"]


def test_a_scheduled_run_is_picked_up_and_fills_the_store(prefect: Prefect, archive: str) -> None:
    """Twice a minute, until one has ended: nobody starts the run."""
    given = {"targets": ["sim.fgm.b"], "where": where(prefect, archive), "span": SPAN}
    prefect(
        "--no-prompt", "deploy", "flows/process.py:process", "--name", "soon", "--pool", "sciqlop",
        "--prefect-file", "deploy/prefect.yaml", "--params", json.dumps(given), "--interval", "30",
    )  # fmt: skip
    run = prefect.ended("process")
    (made,) = (d for d in prefect.ask("deployments/filter") if d["name"] == "soon")
    prefect.ask(f"deployments/{made['id']}/pause_deployment")
    assert run["state"]["type"] == "COMPLETED", prefect.log()
    assert run["auto_scheduled"]
    with Store.open(prefect.store, read_only=True) as store:
        assert store.read("sim.fgm.b").sizes["time"] > 1000
    artifacts = prefect.artifacts()
    assert artifacts["granules"] == "progress"
    assert artifacts["report"] == "markdown"
    assert "sim.fgm.b" in prefect.told("sciqlop.pipe.granules.current")


def run_now(prefect: Prefect, deployment: str, **params: Any) -> str:
    return prefect(
        "deployment", "run", deployment, "--params", json.dumps(params), "--watch", check=False
    )


def test_a_campaign_is_staged_compared_and_published_when_asked(
    prefect: Prefect, archive: str
) -> None:
    campaign = {
        "name": "finer", "targets": ["sim.ion.moments"], "start": BEGIN, "stop": END,
        "archives": [archive],
    }  # fmt: skip
    said = run_now(prefect, "reprocess/on-demand", campaign=campaign, where=where(prefect, archive))
    assert "Completed" in said, said + prefect.log()
    with Store.open(prefect.store, read_only=True) as store:
        assert not [d for d in store.registry.summary() if d["dataset"] == "sim.ion.moments"]
    assert prefect.artifacts()["difference"] == "markdown"
    campaign["name"] = "finer-2"
    said = run_now(
        prefect,
        "reprocess/on-demand",
        campaign=campaign,
        where=where(prefect, archive),
        publish=True,
    )
    assert "Completed" in said, said + prefect.log()
    with Store.open(prefect.store, read_only=True) as store:
        assert store.read("sim.ion.moments").sizes["time"] > 100


def test_a_run_with_a_wrong_parameter_is_refused_before_it_is_made(prefect: Prefect) -> None:
    said = run_now(prefect, "process/daily", targets=["sim.fgm.b"], where={"stoer": "x"})
    assert "stoer" in said


def test_failed_granules_make_a_run_red_and_tell_why(prefect: Prefect, archive: str) -> None:
    """Negative control: the same flow on an archive whose file is cut short."""
    bad = prefect.folder / "bad"
    bad.mkdir()
    whole = next(Path(archive).rglob("sim_fgm*.cdf"))
    (bad / whole.name).write_bytes(whole.read_bytes()[:50_000])
    place = {"store": str(prefect.folder / "store-2"), "archives": [str(bad)], "workers": 0}
    said = run_now(prefect, "process/daily", targets=["sim.fgm.b"], where=place, span=SPAN)
    assert "Failed" in said or "FAILED" in said
    assert "granules failed" in prefect.log()
    (text,) = [t for t in prefect.posted if "process failed" in t]
    (mail,) = [m for m in prefect.mails if "process failed" in str(m["Subject"])]
    assert "sim.fgm.b/" in text and "sim.fgm.b/" in body(mail)


@pytest.fixture(scope="module")
def others(prefect: Prefect, archive: str) -> dict[str, dict[str, Any]]:
    """Runs of the flows that the tests above did not run, all at once, when they have ended."""
    place, folder = where(prefect, archive), prefect.folder
    old = {"store": str(folder / "store-3"), "archives": [archive]}
    with Store.open(old["store"], create=True) as store:
        store.registry.start_run("r-dead", "sciqlop-pipe run sim.fgm.b", "{}")
    years = [omni_year(folder, y, days=90) for y in (2001, 2002, 2003)]
    runs = {
        "ingest": prefect.start("ingest/hourly", datasets=["sim.mec.*"], where=place, span=SPAN),
        "detect": prefect.start(
            "detect/daily", catalogs=["sim.boundary_crossings"], where=place, span=SPAN,
            export=str(folder / "catalogs"),
        ),
        "publish": prefect.start(
            "publish/daily", datasets=["sim.fgm.b"], folder=str(folder / "cdf"), where=place,
            span=SPAN,
        ),
        "quicklook": prefect.start(
            "quicklook/daily", datasets=["sim.fgm.b"], folder=str(folder / "pictures"),
            where=place, span=SPAN,
        ),
        "watch": prefect.start(
            "watch/hourly", where=old, fresh={"sim.fgm.b": "36h"}, stalled_after="1s"
        ),
        "train": prefect.start(
            "train/on-demand", detector="icme", folder=str(folder / "model"),
            inputs=[str(file) for file, _ in years],
            labels=[str(catalog(folder, [r for _, rows in years for r in rows]))],
            promote=True, where=place,
        ),
    }  # fmt: skip
    return {name: prefect.end_of(run) for name, run in runs.items()}


@pytest.mark.parametrize("flow", ["ingest", "detect", "publish", "quicklook", "train"])
def test_every_other_flow_ends_well(
    prefect: Prefect, others: dict[str, dict[str, Any]], flow: str
) -> None:
    state = others[flow]["state"]
    assert state["type"] == "COMPLETED", f"{state['message']}\n{prefect.log()}"


def test_they_leave_data_catalogs_files_pictures_and_a_model(
    prefect: Prefect, others: dict[str, dict[str, Any]]
) -> None:
    with Store.open(prefect.store, read_only=True) as store:
        assert store.read("sim.mec.position").sizes["time"] == 10
        assert "icme" in store.models()
    events = json.loads((prefect.folder / "catalogs/sim.boundary_crossings.json").read_text())
    (row,) = json.loads(prefect.shown(others["detect"]["id"], "catalogs"))
    assert row["events"] == len(events["events"])
    assert list((prefect.folder / "cdf").rglob("2030/sim_fgm_b_*_v1.0.0.cdf"))
    assert list((prefect.folder / "pictures").rglob("*.png"))
    assert json.loads(prefect.shown(others["train"]["id"], "scores"))
    assert "sim.mec.position" in prefect.told("sciqlop.pipe.granules.current")
    assert prefect.told("sciqlop.pipe.files.published") == {str(prefect.folder / "cdf")}


def test_what_is_late_and_what_stalls_is_told_by_mail_and_to_a_web_address(
    prefect: Prefect, others: dict[str, dict[str, Any]]
) -> None:
    assert others["watch"]["state"]["type"] == "FAILED"
    concerns = json.loads(prefect.shown(others["watch"]["id"], "concerns"))
    assert {c["kind"] for c in concerns} == {"late", "stalled"}
    (text,) = [t for t in prefect.posted if "watch failed" in t]
    (mail,) = [m for m in prefect.mails if "watch failed" in str(m["Subject"])]
    for said in (text, body(mail)):
        assert "the store holds nothing of it" in said and "r-dead" in said


def test_batches_that_ask_one_server_take_turns(prefect: Prefect, archive: str) -> None:
    """Both ask the same host, each for a folder of its own; requests never interleave."""
    for name in ("one", "two"):
        (prefect.folder / "web" / name).mkdir(parents=True)
        for file in Path(archive).rglob("sim_fgm*.cdf"):
            (prefect.folder / "web" / name / file.name).write_bytes(file.read_bytes())
    prefect("gcl", "create", "archive-127.0.0.1", "--limit", "1")
    with serving(prefect.folder / "web") as web:
        runs = [
            prefect.start("process/daily", targets=["sim.fgm.b"], span=SPAN, where={
                "store": str(prefect.folder / f"store-{name}"),
                "archives": [f"{web.address}{name}/"], "workers": 0})
            for name in ("one", "two")
        ]  # fmt: skip
        limit: set[int] = set()
        while any(
            prefect.ask_for(f"flow_runs/{r}")["state"]["type"]
            in ("SCHEDULED", "PENDING", "RUNNING")
            for r in runs
        ):
            limit.add(prefect.ask_for("v2/concurrency_limits/archive-127.0.0.1")["active_slots"])
            time.sleep(0.2)
        assert [prefect.end_of(r)["state"]["type"] for r in runs] == ["COMPLETED"] * 2
    asked = [r.split("/")[1] for r in web.requests if "fgm" in r or r.endswith("/")]
    assert set(asked) == {"one", "two"}
    assert asked == sorted(asked, reverse=asked[0] == "two"), "they did not take turns"
    assert limit == {0, 1}


def test_nothing_of_science_is_in_the_result_store(prefect: Prefect) -> None:
    storage = Path(prefect.environment["PREFECT_HOME"]) / "storage"
    kept = [file.stat().st_size for file in storage.glob("*")]  # why runs failed, no more
    assert all(size < 10_000 for size in kept)
