"""A plugin of Dask workers that keeps one which does not fit from starting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distributed import WorkerPlugin

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
        """Refuse to start where something does not fit."""
        if wrong := misfits(self.mine, facts_of(self.store, "")):
            raise UsageError(f"this worker does not fit: {', '.join(wrong)}", str(worker.address))
