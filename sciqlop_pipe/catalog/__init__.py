"""Catalogs: events as tables, in and out of the store, and what people said of them."""

from __future__ import annotations

from .entry import Entry, Reading, Said, event_id
from .importing import import_catalog, read_catalog
from .merging import Merge, judged, merge
from .opinion import Opinion
from .plain import to_csv, to_json
from .table import Catalog, add_missed, find_event, load_catalog, rows, statistics
from .tscat import pull, push, to_tscat
from .votable import to_votable

__all__ = [
    "Catalog",
    "Entry",
    "Merge",
    "Opinion",
    "Reading",
    "Said",
    "add_missed",
    "event_id",
    "find_event",
    "import_catalog",
    "judged",
    "load_catalog",
    "merge",
    "pull",
    "push",
    "read_catalog",
    "rows",
    "statistics",
    "to_csv",
    "to_json",
    "to_tscat",
    "to_votable",
]
