"""SciQLOP itself, without a screen, shows a scalar, a vector, a spectrogram and catalogs of ours."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.publish.sciqlop_headless import EMPTY
from tests.publish.served import NAMES

pytestmark = pytest.mark.system
SCRIPT = Path(__file__).with_name("sciqlop_headless.py")
DISABLED = "amda,csa,cda,ssc,uiowaephtool,cdpp3dview,archive"


@pytest.mark.timeout(900)
def test_products_and_catalogs_are_shown(served: Path, sciqlop: Path, tmp_path: Path) -> None:
    folders = {f"XDG_{n}_HOME": str(tmp_path / n) for n in ("CONFIG", "CACHE", "DATA")}
    for folder in folders.values():
        Path(folder).mkdir()
    env = os.environ | folders | {
        "QT_API": "PySide6", "QT_QPA_PLATFORM": "offscreen", "TZ": "UTC", "INSIDE_SCIQLOP": "1",
        "QTWEBENGINE_DISABLE_SANDBOX": "1", "SCIQLOP_WORKSPACE_DIR": str(tmp_path / "work"),
        "SPEASY_PROXY_ENABLED": "false", "SPEASY_CORE_DISABLED_PROVIDERS": DISABLED,
        "SPEASY_PIPE_ADDRESS": str(served), "SPEASY_PIPE_COMPUTE": "false",
    }  # fmt: skip
    tree = {k: "//".join(["speasy", "pipe", *NAMES[k].split(".")]) for k in NAMES}
    products = [
        tree["scalar"] + "//value",
        tree["vector"] + "//vector",
        tree["spectrum"] + "//spectrum",
    ]
    command = [str(sciqlop), str(SCRIPT), str(tmp_path / "shown.png"), *products]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=500, check=False)
    said = [x for x in ran.stdout.splitlines() if x.startswith("FOUND ")]
    assert said, ran.stderr[-2000:]
    found = json.loads(said[0].removeprefix("FOUND "))
    assert list(found["types"].values()) == ["Scalar", "Vector", "Spectrogram"]
    assert "Remote//pipe//Catalogs//a1_crossings" in found["catalogs"]
    assert "Remote//pipe//TimeTables//a1_crossings" in found["catalogs"]
    # SciQLOP loads the events of a catalog when they are first asked for, behind: none at first.
    first = found["events at first"]["Remote//pipe//Catalogs//a1_crossings"]
    assert first == [] or len(first) == 3
    events = found["events"]["Remote//pipe//Catalogs//a1_crossings"]
    assert [e["jump"] for e in events] == [1.5] * 3 and all(e["kind"] == "rise" for e in events)
    assert len(found["events"]["Remote//pipe//TimeTables//a1_crossings"]) == 3
    assert found["colours"] > EMPTY  # a spectrogram has many
    assert "dropping data" not in ran.stderr + ran.stdout
