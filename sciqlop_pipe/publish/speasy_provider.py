"""The entry point of `speasy.providers`: `spz.get_data("pipe/DATASET/VARIABLE", start, stop)`.

Importing this costs nothing; what it needs is imported when speasy asks for the inventory.
"""

from __future__ import annotations

import os
from typing import Any

DEFAULT = "./sciqlop-store"


def register() -> None:
    """Make the provider `pipe` known to speasy."""
    from speasy.core.dataprovider import DataProvider, register_provider

    class PipeProvider(DataProvider):
        """Products and catalogs of a store or of a HAPI server."""

        NAME = "pipe"
        ALIASES = ("sciqlop_pipe",)

        def __init__(self) -> None:
            self._session: Any = None
            DataProvider.__init__(self, inventory_disable_proxy=True)

        @staticmethod
        def is_server_up() -> bool:
            """Return True: nothing is asked over the network before it is needed."""
            return True

        def build_inventory(self, root: Any) -> Any:
            """Return the tree of everything that can be had."""
            from .speasy_session import Session

            address, compute = configured()
            if self._session is not None:
                self._session.close()
            self._session = Session(address, compute=compute)
            return self._session.inventory(root)

        def parameter_range(self, parameter_id: Any) -> Any:
            """Return from when to when there are data."""
            return self._parameter_range(parameter_id)

        def dataset_range(self, dataset_id: Any) -> Any:
            """Return from when to when there are data."""
            return self._dataset_range(dataset_id)

        def get_data(
            self, product: Any, start_time: Any = None, stop_time: Any = None, **options: Any
        ) -> Any:
            """Return a product in [start, stop), a catalog, or a timetable; None without data."""
            uid = product if isinstance(product, str) else product.spz_uid()
            return self._session.get(uid, start_time, stop_time, options)

    register_provider(PipeProvider)


def configured() -> tuple[str, bool]:
    """Return the address to read from, and whether to make what it lacks.

    They are `address` and `compute` of section [PIPE] in speasy's configuration (or the variables
    SPEASY_PIPE_ADDRESS and SPEASY_PIPE_COMPUTE); without an address SCIQLOP_PIPE_STORE.
    """
    from speasy import config

    section = getattr(config, "pipe", None)
    if section is None:
        section = config.ConfigSection(
            "PIPE",
            address={
                "default": "",
                "description": "Folder of a SciQLOP Pipe store, or the address of a HAPI server.",
            },
            compute={
                "default": "true",
                "description": "Whether products that a store lacks are made when asked for.",
            },
        )
        config.pipe = section  # type: ignore[attr-defined]
    address = str(section.address.get()) or os.environ.get("SCIQLOP_PIPE_STORE", "") or DEFAULT
    return address, str(section.compute.get()).lower() in ("1", "true", "yes", "on")
