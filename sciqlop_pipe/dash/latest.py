"""Answers beside the server's thread, of which only the newest is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn
from bokeh.document import without_document_lock
from panel.io import hold

PAUSE = 0.01
"""Seconds that a request waits for the next one: both ends of a range come one after the other."""


class Latest:
    """Makes an answer in a thread of its own and applies it in that of the page.

    While one answer is made, further requests wait as one; an answer that another request has
    overtaken is not applied. Without a server all of it happens at once, in order.

    Parameters
    ----------
    asked : callable
        Returns what is wanted now, as the arguments of `made`.
    made : callable
        Returns the answer; runs in a thread and touches nothing of the page.
    apply : callable
        Shows the answer.
    """

    def __init__(
        self,
        asked: Callable[[], tuple[Any, ...]],
        made: Callable[..., Any],
        apply: Callable[[Any], None],
    ) -> None:
        self._asked, self._made, self._apply = asked, made, apply
        self._busy, self._wanted = False, 0

    def request(self) -> None:
        """Ask for what is wanted now."""
        self._wanted += 1
        doc = pn.state.curdoc
        if doc is None or doc.session_context is None:
            self._apply(self._made(*self._asked()))
        elif not self._busy:
            self._busy = True
            doc.add_next_tick_callback(partial(self._work, doc))

    @without_document_lock
    async def _work(self, doc: Any) -> None:
        try:
            done = -1
            while done != self._wanted:
                await asyncio.sleep(PAUSE)
                done = self._wanted
                answer = await asyncio.to_thread(self._made, *self._asked())
                if done == self._wanted:
                    doc.add_next_tick_callback(partial(self._shown, doc, answer))
        finally:
            self._busy = False

    def _shown(self, doc: Any, answer: Any) -> None:
        """Apply an answer as one message: a browser that gets it in parts draws it in parts."""
        with hold(doc):
            self._apply(answer)
