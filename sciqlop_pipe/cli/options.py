"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

DEFAULT_STORE = "./sciqlop-store"

StoreOpt = Annotated[
    str, typer.Option("--store", envvar="SCIQLOP_PIPE_STORE", help="The store.", metavar="DIR")
]
RegistryOpt = Annotated[
    str,
    typer.Option(
        "--registry",
        envvar="SCIQLOP_PIPE_REGISTRY",
        metavar="URL",
        help="Registry database, when it is not inside the store.",
    ),
]
JsonOpt = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
