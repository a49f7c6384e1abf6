"""A server sees no more requests at once than it was promised, whoever asks."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from distributed import Client, LocalCluster, get_worker

from sciqlop_pipe.errors import TransientError
from sciqlop_pipe.sources.access import Access
from sciqlop_pipe.sources.rate import Servers, in_task, tell
from tests.waiting import until

HOST = "archive.example"


def visit(folder: str, access: Access) -> int:
    """Take a turn in a Dask task; return how many others were inside."""
    assert in_task()
    with Servers().turn(HOST, access):
        mark = Path(folder) / f"{time.monotonic_ns()}-{threading.get_ident()}"
        mark.touch()
        inside = len(list(Path(folder).iterdir()))
        time.sleep(0.05)
        mark.unlink()
    tell(access.topic, 1000)
    return inside


def test_a_cluster_keeps_to_the_limit_and_tells_its_bytes(tmp_path: Path):
    access = Access(at_once=2, topic="bytes-of-a-test")
    heard: list[int] = []
    with (
        # No task shares anything but the scheduler: each makes its own Servers.
        LocalCluster(n_workers=2, threads_per_worker=3, processes=False, dashboard_address=":0",
                     silence_logs=50) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):  # fmt: skip
        client.subscribe_topic(access.topic, lambda event: heard.append(event[1]["bytes"]))
        futures = [client.submit(visit, str(tmp_path), access, key=f"v{i}") for i in range(8)]
        most = max(client.gather(futures))
        until(lambda: sum(heard) >= 8000)
    assert 1 <= most <= 2
    assert sum(heard) == 8000


def test_outside_of_a_cluster_the_process_counts():
    assert not in_task()
    with pytest.raises(ValueError, match="No worker"):
        get_worker()
    servers, access = Servers(), Access(at_once=1)
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        with servers.turn(HOST, access):
            inside += 1
            most = max(most, inside)
            time.sleep(0.02)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_an_answer_forgives_the_faults_before():
    servers, access = Servers(), Access()
    for _ in range(2):
        with pytest.raises(TransientError, match="fault"), servers.turn(HOST, access):
            raise TransientError("fault")
    with servers.turn(HOST, access):
        pass
    with pytest.raises(TransientError, match="fault"), servers.turn(HOST, access):
        raise TransientError("fault")
    with servers.turn(HOST, access):
        pass
