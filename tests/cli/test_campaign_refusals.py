"""What cannot work is refused by the command line with a clear message, before work is wasted."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciqlop_pipe.store import Store
from tests.cli.test_campaign_commands import FILE
from tests.cli.test_cli import Command, cli  # noqa: F401
from tests.toy import write_day, write_file


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    """A folder with raw files and a campaign's file."""
    write_day(tmp_path / "raw", range(3))
    (tmp_path / "triple.toml").write_text(FILE)
    return tmp_path


def made(folder: Path) -> int:
    """Return how many granules the store has, current or staged."""
    store = folder / "sciqlop-store"
    return len(list((store / "data").rglob("*.zip"))) if store.exists() else 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("targets =", "target =", "Did you mean targets"),
        ('"toy.double"]\n', '"toy.duoble"]\n', "Did you mean toy.double"),
        ('targets = ["toy.double"]\n', "", "targets"),
        ('stop = "2030-01-02"', 'stop = "2029-01-02"', "ends"),
        ('start = "2030-01-01"', 'start = "yesterday"', "not a time"),
        ('start = "2030-01-01"\nstop = "2030-01-02"', 'start = "2031-01-01"\nstop = "2031-01-02"',
         "neither the archives nor the store hold anything"),
        ("factor = 3.0", "facter = 3.0", "Did you mean factor?"),
        ("factor = 3.0", 'factor = "much"', "factor"),
        ('archives = ["raw"]', 'archives = ["rwa"]', "rwa"),
        ('free = "0"', "granules = 2", "granules"),
    ],
)  # fmt: skip
def test_a_campaign_that_makes_no_sense(
    cli: Command, ready: Path, old: str, new: str, said: str  # noqa: F811
) -> None:  # fmt: skip
    assert old in FILE
    (ready / "triple.toml").write_text(FILE.replace(old, new, 1))
    for command in ("plan", "run"):
        words = ["campaign", command, "triple.toml", *(["--workers", "0"] * (command == "run"))]
        done = cli(*words)
        assert done.status == 2 and said in done.err and "Traceback" not in done.err
    assert made(ready) == 0


def test_a_profile_without_credentials(
    cli: Command, ready: Path, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    monkeypatch.setenv("KUBECONFIG", str(ready / "none"))
    (ready / "pods.toml").write_text('kind = "kubernetes"\n[kubernetes]\nimage = "x"\n')
    done = cli("campaign", "run", "triple.toml", "--profile", "pods.toml")
    assert done.status == 2
    assert "no credentials of a Kubernetes cluster" in done.err and "KUBECONFIG" in done.err
    assert made(ready) == 0
    assert cli("campaign", "resume", "triple", "--workers", "0").status == 0, "it may go on"


def test_a_scheduler_whose_workers_have_other_versions(
    cli: Command, ready: Path, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    from distributed import LocalCluster

    mine = {"numpy": "0.1"}
    monkeypatch.setattr("sciqlop_pipe.cluster.workers.versions", lambda: mine)
    with LocalCluster(
        n_workers=1, processes=False, protocol="tcp://", dashboard_address=":0"
    ) as there:
        where = f'kind = "address"\naddress = "{there.scheduler_address}"\n'
        (ready / "there.toml").write_text(where)
        done = cli("campaign", "run", "triple.toml", "--profile", "there.toml")
    assert done.status == 2
    assert "numpy is" in done.err and "0.1 here" in done.err and "nothing was" in done.err
    assert made(ready) == 0


def test_doctor_tells_before_a_campaign_what_a_profile_gives(
    cli: Command, ready: Path  # noqa: F811
) -> None:  # fmt: skip
    (ready / "here.toml").write_text('workers = 0\nmemory = "1GB"\npriority = "daily"\n')
    said = cli("doctor", "--profile", "here.toml").out
    assert "1 of 1 workers" in said and "1 threads, 1.0 GB of memory each; priority daily" in said
    (ready / "gone.toml").write_text('kind = "slrum"\n')
    odd = cli("doctor", "--profile", "gone.toml")
    assert odd.status == 1 and "Did you mean slurm?" in odd.out


def test_two_campaigns_on_the_same_granules_and_a_moved_base(cli: Command, ready: Path) -> None:  # noqa: F811
    (ready / "four.toml").write_text(FILE.replace("triple", "four").replace("3.0", "4.0"))
    (ready / "here.toml").write_text('workers = 0\npriority = "interactive"\n')
    for name in ("triple", "four"):
        assert cli("campaign", "run", f"{name}.toml", "--workers", "0").status == 0
    assert cli("campaign", "publish", "triple").status == 0
    moved = cli("campaign", "publish", "four")
    assert moved.status == 2 and "--rebase" in moved.err and "toy." in moved.err
    assert factor(ready) == 3.0, "half of it was published"
    odd = cli("campaign", "publish", "four", "--rebase", "--profile", "none.toml")
    assert odd.status == 2 and "none.toml" in odd.err
    done = cli("campaign", "publish", "four", "--rebase", "--profile", "here.toml")
    assert done.status == 0 and "granules were computed again" in done.out
    assert factor(ready) == 4.0


def test_a_raw_file_that_came_meanwhile_moves_the_base(cli: Command, ready: Path) -> None:  # noqa: F811
    day = ("--start", "2030-01-01", "--stop", "2030-01-02", "--archive", "raw", "--workers", "0")
    cli("run", "toy.double", *day)
    cli("campaign", "run", "triple.toml", "--workers", "0")
    write_file(ready / "raw", "2030-01-01T01", version="2", offset=1.0)
    cli("run", "toy.double", *day)
    moved = cli("campaign", "publish", "triple")
    assert moved.status == 2 and "toy.double/20300101T0100" in moved.err
    done = cli("campaign", "publish", "triple", "--rebase", "--workers", "0")
    assert done.status == 0 and "1 granules were computed again" in done.out


def factor(folder: Path) -> float:
    """Return by what the current values were multiplied."""
    with Store.open(folder / "sciqlop-store", read_only=True) as store:
        doubled, raw = (store.read(n)["value"].values for n in ("toy.double", "toy.raw"))
    return float((doubled / raw).round(6)[1])
