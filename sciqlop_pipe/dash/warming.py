"""What a server does before the first look: kernels are compiled by looking at its own data."""

from __future__ import annotations

import logging
import threading

from ..granule import Interval
from .desk import Desk, load, opening
from .looking import beside, distributions_of, seen, session


def warmed(desk: Desk) -> threading.Thread:
    """Begin to compile what looks need, beside the server; `desk.warming` says while it goes on."""
    thread = threading.Thread(target=warm, args=(desk,), name="warming", daemon=True)
    desk.warming = True
    thread.start()
    return thread


def warm(desk: Desk) -> None:
    """Draw what the explorer opens with, and look once at every kind of distribution.

    A kernel is compiled for the types and shapes that it is given, so the store's own data are
    taken. Compiled code is kept on disk: the second server on a machine is done at once. What goes
    wrong here is said again, to whoever asks for it.
    """
    try:
        import hvplot.pandas  # noqa: F401 - which takes seconds, too

        store = desk.store()
        view = opening(desk)
        if view.interval is not None:
            load(desk, view)
        for name in distributions_of(store, desk.graph):
            what = beside(store, desk.graph, name)
            last = [c for c in store.registry.stored(name) if c.n and c.last is not None][-1]
            at = int(last.last or 0)
            kept = session(store, what, Interval(at, at + 1))
            for sliced in (False, True):
                axes = "field" if what.b else "instrument"
                seen(kept, at, None, {"sliced": sliced, "axes": axes, "bulk": False,
                                      "v_max": what.v_max})  # fmt: skip
    except Exception:
        logging.getLogger(__name__).info("warming", exc_info=True)
    finally:
        desk.warming = False
