"""A campaign's run held to its frozen plan, told of, and stopped when it is asked or at a limit."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from ..bundles import lacking
from ..errors import StoreError
from ..plan import Plan
from ..report import Control, Turn
from ..sources.access import size_of
from ..store import Store
from ..store import campaigns as book
from ..store.beat import Beat
from ..store.campaigns import Poison
from .frozen import Frozen, Room, room_of

BEAT_SECONDS = 3.0
#: How many running tasks are told to whoever asks.
SHOWN = 50


class Held(Control):
    """Keeps a run to its frozen plan, and stops it when somebody asks or a limit is reached.

    While it is entered, a thread tells the registry every few seconds how the campaign goes.
    """

    def __init__(self, store: Store, frozen: Frozen) -> None:
        self.store, self.frozen = store, frozen
        self.allows = frozen.allows()
        self.why = ""
        self.left_out = 0
        self._began = time.monotonic()
        self._asked = ""
        self._turn: Turn | None = None
        self._beat = Beat(self._tell, BEAT_SECONDS, "campaign")

    def __enter__(self) -> Held:
        self._beat.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._beat.__exit__(*error)

    def narrow(self, plan: Plan) -> None:
        """Take out of a plan what was not frozen, is quarantined or excused, or needs such."""
        withheld = {
            (p.granule.dataset, p.granule.interval.start): _said(p)
            for p in book.poison(self.store.registry.db, self.frozen.spec.name)
            if self.withholds(p)
        }
        self.left_out = 0
        for name, timeline in plan.timelines.items():
            spans = self.allows.get(name)
            for entry in timeline.entries:
                if not entry.stale:
                    continue
                if spans is None or not spans.hold(entry.interval):
                    entry.reason = ""
                    self.left_out += 1
                    continue
                said = withheld.get((name, entry.interval.start), "")
                if not said and withheld:
                    said = lacking(plan, name, entry)
                if said:
                    entry.reason, entry.failed = "", said

    def withholds(self, p: Poison) -> bool:
        """Tell whether a granule is not to be tried."""
        return p.decided == "excused" or p.quarantined(self.frozen.spec.limits.attempts)

    def asks(self, turn: Turn) -> str:
        """Return "pause" or "cancel" when somebody asked for it or a limit is reached."""
        self._turn = turn
        limits = self.frozen.spec.limits
        if self._asked:
            self.why = f"asked to {self._asked}"
            return self._asked
        if limits.hours and time.monotonic() - self._began > 3600 * limits.hours:
            self.why = f"limits.hours = {limits.hours:g} is reached"
            return "pause"
        room: Room = room_of(self.store.root)
        if room.nbytes is not None and room.nbytes < size_of(limits.free or "0"):
            self.why = (
                f"only {room.nbytes / 1e9:.2f} GB are free, limits.free is {limits.free}: free "
                "space, then resume"
            )
            return "pause"
        return ""

    def _tell(self) -> None:
        with suppress(StoreError):  # a registry that is busy hears the next beat
            self._asked = book.report_life(
                self.store.registry.db, self.frozen.spec.name, self._progress()
            )

    def _progress(self) -> dict[str, object]:
        turn = self._turn
        if turn is None:
            return {"phase": "planning, or waiting for workers"}
        return {
            "phase": "running",
            "running": [list(r) for r in turn.running[:SHOWN]],
            "outstanding": len(turn.running),
            "ready": turn.ready,
            "waiting": turn.waiting,
            "workers": turn.workers,
            "threads": turn.threads,
        }


def _said(p: Poison) -> str:
    if p.decided == "excused":
        return f"excused: {p.why or 'without reason'}"
    return f"quarantined after {p.attempts} attempts: {p.error}"
