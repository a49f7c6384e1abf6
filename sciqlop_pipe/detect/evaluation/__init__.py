"""How good labels and events are, on data that nobody trained on.

`tables` reads catalogs of any layout that is known, `matching` pairs what was found with what is
true, `events` and `points` make numbers of it with intervals (`groups`), `report` makes a page.
Nothing here knows a detector.
"""

from __future__ import annotations

from .events import EventScores, score_events
from .matching import Mark, Overlap, Within, match
from .points import Classified, score_points
from .tables import Table, read_table

__all__ = [
    "Classified",
    "EventScores",
    "Mark",
    "Overlap",
    "Table",
    "Within",
    "match",
    "read_table",
    "score_events",
    "score_points",
]
