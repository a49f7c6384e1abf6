"""Where tasks run: a Dask cluster by profile. No engine of our own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True, slots=True)
class Profile:
    """Where and how wide to run.

    Parameters
    ----------
    workers : int
        Worker processes on this machine; 0 runs in threads of this process.
    address : str
        An existing scheduler instead.
    memory : str
        Memory limit of one local worker.
    """

    workers: int = 2
    address: str = ""
    memory: str = "auto"


@contextmanager
def open_cluster(profile: Profile) -> Iterator[Client]:
    """Give a Dask client for a profile; what was started here is closed afterwards."""
    import dask
    from distributed import Client, LocalCluster

    settings = {
        # A task whose worker died twice is rerun by us, alone, in a process of its own.
        "distributed.scheduler.allowed-failures": 1,
        "distributed.comm.timeouts.connect": "30s",
        "distributed.admin.large-graph-warning-threshold": "100MB",
        "distributed.worker.daemon": True,
    }
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with dask.config.set(settings):
        if profile.address:
            with Client(profile.address, set_as_default=False) as client:
                yield client
            return
        with (
            LocalCluster(
                n_workers=max(1, profile.workers),
                threads_per_worker=1,
                processes=profile.workers > 0,
                memory_limit=profile.memory,
                dashboard_address=":0",
                silence_logs=50,
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield client
