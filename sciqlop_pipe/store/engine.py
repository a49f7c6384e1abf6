"""The xarray engine "sciqlop": a dataset of a store as one lazy xarray.Dataset."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import xarray as xr
from xarray.backends import BackendEntrypoint

from .mark import MARK
from .store import Store


class SciqlopBackend(BackendEntrypoint):
    """Opens `xr.open_dataset(store, engine="sciqlop", dataset="mms1.fpi.dis.brst.moments")`."""

    description = "Datasets of a SciQLOP Pipe store, lazily concatenated over all granules"
    open_dataset_parameters = (
        "filename_or_obj",
        "drop_variables",
        "dataset",
        "time",
        "as_of",
        "stage",
        "registry",
    )

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Tell whether this is the folder of a store."""
        return isinstance(filename_or_obj, (str, Path)) and (Path(filename_or_obj) / MARK).exists()

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        dataset: str = "",
        time: slice | tuple[Any, Any] | None = None,
        as_of: Any = None,
        stage: str = "",
        registry: str = "",
    ) -> xr.Dataset:
        """Return one lazy Dataset of everything current of a dataset.

        Parameters
        ----------
        filename_or_obj : str or path
            The store.
        drop_variables : str or iterable of str
            Variables to leave out.
        dataset : str
            Name of the dataset.
        time : slice or pair
            Half-open limits [start, stop), UTC.
        as_of : time or release name
            Read what was current then.
        stage : str
            Read a staged run over what is current.
        registry : str
            Address of the registry where the store does not remember it.
        """
        start, stop = (time.start, time.stop) if isinstance(time, slice) else time or (None, None)
        with Store.open(filename_or_obj, read_only=True, registry=registry) as store:
            return store.read(
                dataset, start, stop, as_of=as_of, stage=stage, drop_variables=drop_variables
            )
