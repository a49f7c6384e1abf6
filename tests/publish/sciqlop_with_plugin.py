"""Starts SciQLOP itself without a screen, with our plugin; run by an interpreter that has both.

    python sciqlop_with_plugin.py STORE FOLDER VDF START STOP

prints what a person would see, as JSON in the last line.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from pathlib import Path

store, lab = sys.argv[1], Path(sys.argv[2])
for name in ("config", "data", "cache", "work"):
    (lab / name).mkdir(parents=True, exist_ok=True)
os.environ.update(
    QT_API="PySide6",
    INSIDE_SCIQLOP="1",
    QTWEBENGINE_DISABLE_SANDBOX="1",
    XDG_CONFIG_HOME=str(lab / "config"),
    XDG_DATA_HOME=str(lab / "data"),
    XDG_CACHE_HOME=str(lab / "cache"),
    SCIQLOP_WORKSPACE_DIR=str(lab / "work"),
    SPEASY_PROXY_ENABLED="false",
    SPEASY_CORE_DISABLED_PROVIDERS="amda,csa,cda,ssc,uiowaephtool,cdpp3dview,archive",
    SCIQLOP_PIPE_STORE=store,
)
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6 import QtCore  # noqa: E402

QtCore.QCoreApplication.setAttribute(QtCore.Qt.AA_ShareOpenGLContexts, True)
from tscat.base import backend  # noqa: E402

backend()
from SciQLop.core.sciqlop_application import sciqlop_app, sciqlop_event_loop  # noqa: E402

app = sciqlop_app()
from SciQLop.components.theming.icons import flush_deferred_icons  # noqa: E402

flush_deferred_icons()
loop = sciqlop_event_loop()
from SciQLop.components.plugins import load_all, loaded_plugins  # noqa: E402
from SciQLop.core.ui.mainwindow import SciQLopMainWindow  # noqa: E402
from SciQLop.user_api.catalogs import catalogs  # noqa: E402
from SciQLop.user_api.plot import TimeRange, create_plot_panel  # noqa: E402
from SciQLopPlots import ProductsModel  # noqa: E402

window = SciQLopMainWindow()
window.show()
app.processEvents()
load_all(window)
found: dict[str, object] = {"plugin": hasattr(loaded_plugins, "pipe")}
at = ["pipe with knobs", *sys.argv[3].split(".")]
found["node"] = ProductsModel.instance().node([*at, "energy spectrum"]) is not None
found["catalogs"] = [str(c) for c in catalogs.list() if "SciQLOP Pipe" in str(c)]
panel = create_plot_panel()
panel.time_range = TimeRange(sys.argv[4], sys.argv[5])
found["plot"] = type(panel.plot("//".join([*at, "energy spectrum"]))[1]).__name__
provider = loaded_plugins.pipe["catalogs"]
shelf = provider.catalogs()[0]
first, second = provider.events(shelf)[:2]
provider.set_event_meta(shelf, first, "verdict", "reject")
second.stop = second.stop + dt.timedelta(seconds=7)
provider.save()
found["saved"] = not provider.is_dirty(shelf)
print(json.dumps(found), flush=True)
os._exit(0)
