"""A profile is read whole or refused; workers that do not fit are turned away before work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sciqlop_pipe.cluster import Profile, open_cluster, read_profile
from sciqlop_pipe.cluster.fitness import facts_of, misfits
from sciqlop_pipe.cluster.workers import check_workers
from sciqlop_pipe.environment import versions
from sciqlop_pipe.errors import PipeError, TransientError, UsageError
from tests.serial import Bench
from tests.toy import toy_graph

SLURM = """
kind = "slurm"
workers = 40
memory = "4GB"
scratch = "/scratch/$USER"
priority = "daily"
[adaptive]
minimum = 2
maximum = 40
[slurm]
queue = "long"
walltime = "12:00:00"
cores = 8
processes = 8
"""


def profile(folder: Path, text: str) -> Profile:
    path = folder / "profile.toml"
    path.write_text(text)
    return read_profile(path)


def test_a_profile_says_where(tmp_path: Path) -> None:
    read = profile(tmp_path, SLURM)
    assert (read.kind, read.workers, read.nbytes) == ("slurm", 40, 4 * 10**9)
    assert read.adaptive is not None and read.adaptive.maximum == 40
    assert read.resources == {"MB": 4000.0}
    assert (read.slurm.queue, read.slurm.processes) == ("long", 8)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("walltime", "wall_time", "Did you mean walltime?"),
        ('"slurm"', '"slrum"', "Did you mean slurm?"),
        ('"daily"', '"urgent"', "There are: interactive, daily, campaign"),
        ("workers = 40", "workers = 0", "0 workers of 1 threads cannot work"),
        ("minimum = 2", "minimum = 50", "50 to 40 workers"),
        ('memory = "4GB"', "", "needs memory"),
        ("[slurm]", "[environment]\nAWS_SECRET_ACCESS_KEY = 'x'\n[slurm]", "looks like a secret"),
        ("[slurm]", "token = 'x'\n[slurm]", "Secrets come from the environment only"),
        ("[slurm]", "[ssh]\nport = 'x'\n[slurm]", "expected int, found 'x'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        profile(tmp_path, SLURM.replace(old, new, 1))
    assert said in str(error.value) and "profile.toml" in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "ssh"', "needs ssh.hosts"),
        ('kind = "kubernetes"', "needs kubernetes.image"),
        ('kind = "address"', "needs address"),
    ],
)
def test_what_a_kind_needs_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        profile(tmp_path, text)


def test_a_profile_without_credentials_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    where = profile(tmp_path, 'kind = "kubernetes"\n[kubernetes]\nimage = "x"')
    with pytest.raises(UsageError, match="no credentials of a Kubernetes cluster"):
        open_cluster(where).__enter__()
    with pytest.raises(UsageError, match="asks for a certificate, and there is none"):
        open_cluster(Profile(address="tls://127.0.0.1:1")).__enter__()


def test_a_scheduler_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import distributed

    def away(*args: Any, **kwargs: Any) -> None:
        raise OSError("Timed out")

    monkeypatch.setattr(distributed, "Client", away)
    with pytest.raises(TransientError, match="does not answer"):
        open_cluster(Profile(address="tcp://127.0.0.1:1")).__enter__()


def test_a_worker_with_other_versions_or_another_disk_does_not_fit(tmp_path: Path) -> None:
    mine = versions()
    good = facts_of("", "")
    assert misfits(mine, good) == []
    (said,) = misfits(mine | {"numpy": "1.0"}, good)
    assert said == f"numpy is {mine['numpy']} there and 1.0 here"
    (tmp_path / "data").mkdir()
    assert facts_of(str(tmp_path), "").store == ""
    assert "not shared" in facts_of(str(tmp_path), ".probe-that-nobody-wrote").store
    assert "there is no folder" in facts_of(str(tmp_path / "none"), "").store
    assert misfits({**mine, "dask": "1"}, good) == []


class Cluster:
    """Stands in for a client whose workers say what they are told to."""

    scheduler = None

    def __init__(self, *answers: object) -> None:
        self.answers = answers

    def run(self, function: Any, *args: Any, on_error: str) -> dict[str, object]:
        return {f"tcp://{i}": answer for i, answer in enumerate(self.answers)}


def test_workers_that_do_not_fit_are_named_before_work_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Any = Cluster(facts_of("", ""), ModuleNotFoundError("No module named 'sciqlop_pipe'"))
    with pytest.raises(UsageError, match=r"1 of 2 workers .*No module named 'sciqlop_pipe'"):
        check_workers(client)
    odd = facts_of("", "")
    monkeypatch.setattr("sciqlop_pipe.cluster.workers.versions", lambda: {"numpy": "0"})
    with pytest.raises(UsageError, match="nothing was computed"):
        check_workers(Cluster(odd))  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_dataset_that_needs_more_memory_than_a_worker_has_is_refused(bench: Bench) -> None:
    from dataclasses import replace

    bench.files(3)
    graph = toy_graph()
    nodes = dict(graph.nodes) | {"toy.raw": replace(graph["toy.raw"], memory="900GB")}
    with (
        open_cluster(Profile(workers=0, memory="1GB")) as client,
        pytest.raises(PipeError, match=r"toy\.raw: it needs 900,000 MB, no worker has more"),
    ):
        bench.run("toy.raw", graph=replace(graph, nodes=nodes), client=client)
    nodes["toy.raw"] = replace(graph["toy.raw"], memory="300MB")
    with open_cluster(Profile(workers=0, memory="1GB")) as client:
        assert bench.run("toy.raw", graph=replace(graph, nodes=nodes), client=client).status == 0
