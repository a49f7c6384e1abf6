"""Run by SciQLOP's own Python without a screen: prints, as JSON, what it shows of the provider `pipe`.

Products are the arguments, as paths in its tree; the first argument is the picture to save.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

#: How long it may take to load what is shown [s].
PATIENCE = 180
#: How many colours a panel has before anything is drawn, at most.
EMPTY = 40


def main() -> None:
    picture, *products = sys.argv[1:]
    from PySide6 import QtCore

    QtCore.QCoreApplication.setAttribute(QtCore.Qt.AA_ShareOpenGLContexts, True)
    from tscat.base import backend

    backend()  # two threads that migrate its new database at once would fail
    from SciQLop.core.sciqlop_application import sciqlop_app, sciqlop_event_loop

    sciqlop_app()
    from SciQLop.components.theming.icons import flush_deferred_icons

    flush_deferred_icons()
    loop = sciqlop_event_loop()
    from SciQLop.components.plugins import load_all
    from SciQLop.core.ui.mainwindow import SciQLopMainWindow

    window = SciQLopMainWindow()
    window.resize(1200, 800)
    window.show()
    load_all(window)
    from SciQLop.user_api.catalogs import catalogs
    from SciQLop.user_api.plot import TimeRange, create_plot_panel
    from SciQLopPlots import ProductsModel

    panel = create_plot_panel()
    panel.time_range = TimeRange("2020-11-19T23:00:00", "2020-11-19T23:03:00")
    found: dict[str, Any] = {}
    graphs = []
    for product in products:
        path = product.split("//")
        node = ProductsModel.instance().node(path)
        found[product] = None if node is None else node.parameter_type().name
        graphs.append(panel.plot(product))

    listed = [str(c) for c in catalogs.list() if "//pipe//" in str(c)]
    at_first = {c: _events(catalogs.get(c)) for c in listed}

    events: dict[str, list[dict[str, Any]]] = {}
    colours: set[str] = set()

    async def look() -> None:
        """Look again until everything is there, or long after it should have been."""
        nonlocal events, colours
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            await asyncio.sleep(3)
            events = {c: _events(catalogs.get(c)) for c in listed}
            shown = window.grab().toImage()
            shown.save(picture)
            colours = {
                shown.pixelColor(x, y).name()
                for x in range(0, shown.width(), 3)
                for y in range(0, shown.height(), 3)
            }
            if events and all(events.values()) and len(colours) > EMPTY:
                return

    loop.run_until_complete(look())
    told = {"types": found, "catalogs": listed, "colours": len(colours)}
    print("FOUND " + json.dumps(told | {"events at first": at_first, "events": events}))
    sys.stdout.flush()
    os._exit(0)


def _events(catalog: Any) -> list[dict[str, Any]]:
    """What SciQLOP has of a catalog: the plain attributes of each event."""
    plain = (str, int, float, bool)
    return [{k: v for k, v in dict(e.meta).items() if isinstance(v, plain)} for e in catalog]


if __name__ == "__main__":
    main()
