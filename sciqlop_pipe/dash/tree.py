"""The data tree: what a store has, searched and chosen in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from .chrome import ASSETS
from .desk import Held


class DataTree(JSComponent):
    """A tree of datasets with a search field; `chosen` are the names of those ticked."""

    items = param.List(
        default=[], doc="Datasets as lists: name, kind, units, words, records, from, to"
    )
    chosen = param.List(default=[], doc="Names of chosen datasets, in the order of choice")

    _esm = ASSETS / "tree.js"
    _stylesheets: ClassVar[list[str]] = [(ASSETS / "tree.css").read_text()]


def tree_of(held: Sequence[Held], chosen: Sequence[str], **options: Any) -> DataTree:
    """Return the tree of what a store has."""
    return DataTree(items=items_of(held), chosen=list(chosen), **options)


def items_of(held: Sequence[Held]) -> list[list[Any]]:
    """Return datasets as the browser's side of the tree takes them."""
    return [[h.name, h.kind, h.units, h.words, h.records, h.start, h.stop] for h in held]
