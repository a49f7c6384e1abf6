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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sciqlop_missions.sim.simulate import simulate
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.store import Store
from tests.conftest import ROOT
from tests.store.test_postgres import new_database, server  # noqa: F401

pytest.importorskip("prefect", reason="flows need the extra `flows`")
pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

BEGIN, END = "2030-01-01T00:20", "2030-01-01T00:30"
DEPLOYMENTS = yaml.safe_load((ROOT / "deploy/prefect.yaml").read_text())["deployments"]


@dataclass(frozen=True)
class Prefect:
    """A server with a worker; commands are those a person types."""

    folder: Path
    environment: dict[str, str]

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

    def ended(self, flow: str, seconds: float = 180) -> dict[str, Any]:
        """Wait until a run of a flow has ended, and return it."""
        until = time.monotonic() + seconds
        states = {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}}
        while time.monotonic() < until:
            runs = self.ask("flow_runs/filter", flow_runs=states, flows={"name": {"any_": [flow]}})
            if runs:
                return runs[0]
            time.sleep(1)
        raise AssertionError(f"no run of {flow} ended: {self.log()}")

    def told(self, event: str, seconds: float = 30) -> set[str]:
        """Return the names of resources that an event tells of; events take a moment to arrive."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = self.ask("events/filter", filter={"event": {"name": [event]}})["events"]
            if found:
                return {e["resource"]["prefect.resource.name"] for e in found}
            time.sleep(1)
        return set()

    def log(self) -> str:
        return (self.folder / "worker.log").read_text()[-4000:]

    def artifacts(self) -> dict[str, str]:
        """Return type and description of every artifact by key."""
        return {a["key"]: a["type"] for a in self.ask("artifacts/filter", limit=100)}


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

    try:
        start("server", "server", "start", "--host", "127.0.0.1", "--port", str(port))
        made = Prefect(folder, environment)
        _wait_for_health(made)
        made("work-pool", "create", "sciqlop", "--type", "process")
        made("--no-prompt", "deploy", "--all", "--prefect-file", "deploy/prefect.yaml")
        for d in made.ask("deployments/filter"):  # the real schedules do not run in a test
            made.ask(f"deployments/{d['id']}/pause_deployment")
        start("worker", "worker", "start", "--pool", "sciqlop")
        yield made
    finally:
        for process in reversed(running):
            stop(process)


def _wait_for_health(made: Prefect) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{made.environment['PREFECT_API_URL']}/health", timeout=5)
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError((made.folder / "server.log").read_text()[-3000:])


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


def test_nothing_of_science_is_in_the_result_store(prefect: Prefect) -> None:
    storage = Path(prefect.environment["PREFECT_HOME"]) / "storage"
    assert not storage.exists() or not list(storage.iterdir())


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
