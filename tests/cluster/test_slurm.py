"""A campaign through a real SLURM: a job is killed in mid-run, and nothing is lost."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sciqlop_pipe.campaign import Limits, Spec, launch, plan_campaign, publish_campaign
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.cluster.profile import Slurm
from sciqlop_pipe.report import Progress
from sciqlop_pipe.store.compare import contents_on_disk
from tests.cli.test_campaign_commands import FILE
from tests.cli.test_cli import Command, cli  # noqa: F401
from tests.cluster import slurm
from tests.conftest import ROOT
from tests.serial import Bench
from tests.toy import toy_graph, write_day
from tests.waiting import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

TARGETS = ("toy.both", "toy.rises")


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if why := slurm.lacking():
        pytest.skip(why)
    with slurm.slurm(tmp_path_factory.mktemp("slurm")) as conf:
        yield conf


@pytest.fixture
def profile(queue: Path, tmp_path: Path) -> Profile:
    return Profile(
        kind="slurm", workers=2, memory="1GB", scratch=str(tmp_path / "scratch"), wait="90s",
        environment={"PYTHONPATH": str(ROOT)}, slurm=Slurm(interface="lo", queue="test", logs=str(tmp_path / "logs")),
    )  # fmt: skip


class KillsAJob(Progress):
    """Cancels a job once so many granules are made."""

    def __init__(self, after: int) -> None:
        self.left, self.killed = after, ""

    def outcome(self, outcome: object, verdict: str) -> None:
        self.left -= 1
        if self.left == 0:
            self.killed = slurm.jobs()[0]
            slurm.cancel(self.killed)


def test_a_campaign_survives_a_killed_job(bench: Bench, profile: Profile) -> None:
    bench.files(*range(4, 20), trouble="slow0.3")
    assert bench.run(*TARGETS, name="undisturbed").status == 0
    spec = Spec("all", TARGETS, start="2030-01-01", stop="2030-01-02", archives=("raw",),
                limits=Limits(free="0"))  # fmt: skip
    killer = KillsAJob(6)
    with bench.store() as store:
        frozen = plan_campaign(store, toy_graph(), spec, bench.folder)
        with open_cluster(profile, str(store.root)) as client:
            report = launch(store, toy_graph(), frozen, lambda: client, progress=killer)
        assert (report.status, report.failures) == (0, [])
        assert killer.killed
        publish_campaign(store, toy_graph(), "all")
        hosts = {a["host"] for a in store.registry.attempts()}
        assert len(hosts) == 1
        made = contents_on_disk(store)
    with bench.store("undisturbed") as store:
        assert made == contents_on_disk(store)
    until(lambda: not slurm.jobs(), "jobs outlive the campaign", seconds=60)


def test_a_full_queue_is_told_before_anything_is_computed(
    cli: Command, queue: Path, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    write_day(tmp_path / "raw", range(3))
    (tmp_path / "triple.toml").write_text(FILE)
    (tmp_path / "slurm.toml").write_text(f"""
kind = "slurm"
memory = "1GB"
wait = "5s"
[slurm]
interface = "lo"
queue = "test"
logs = "{tmp_path}"
""")
    held = subprocess.run(
        ["sbatch", "--parsable", "--exclusive", "--output=/dev/null", "--wrap=sleep 600"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    try:
        done = cli("campaign", "run", "triple.toml", "--profile", "slurm.toml")
    finally:
        slurm.cancel(held)
    assert done.status == 2
    assert "no worker has come within 5s (jobs: " in done.err and "PENDING" in done.err
    assert "nothing was computed" in done.err
    assert not list((tmp_path / "sciqlop-store").rglob("*.zip"))
    said = cli("campaign", "status", "triple").out
    assert "paused" in said and "no worker has come" in said
