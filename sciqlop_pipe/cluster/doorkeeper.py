"""A plugin of Dask workers that keeps one which does not fit from starting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distributed import Status, WorkerPlugin

from ..errors import UsageError
from .fitness import facts_of, misfits

if TYPE_CHECKING:
    from distributed import Worker


class Doorkeeper(WorkerPlugin):
    """Compares a worker that comes later with the coordinator.

    Parameters
    ----------
    mine : dict
        Versions of the coordinator.
    store : str
        Folder of the store, "" for none.
    """

    idempotent = True

    def __init__(self, mine: dict[str, str], store: str) -> None:
        self.mine, self.store = mine, store

    def setup(self, worker: Worker) -> None:
        """Close the worker where something does not fit, before it has run anything.

        Dask logs what a plugin raises, and lets the worker work all the same.
        """
        if wrong := misfits(self.mine, facts_of(self.store, "")):
            worker.status = Status.paused
            worker.loop.add_callback(worker.close, nanny=True, reason="it does not fit")
            raise UsageError(f"this worker does not fit: {', '.join(wrong)}", str(worker.address))
