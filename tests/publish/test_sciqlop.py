"""SciQLOP itself, without a screen, shows a scalar, a vector, a spectrogram and catalogs of ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.publish.served import NAMES

pytestmark = pytest.mark.system
SCRIPT = Path(__file__).with_name("sciqlop_headless.py")
DISABLED = "amda,csa,cda,ssc,uiowaephtool,cdpp3dview,archive"


@pytest.mark.timeout(280)
def test_products_and_catalogs_are_shown(served: Path, tmp_path: Path) -> None:
    python = os.environ.get("SCIQLOP_PIPE_TEST_SCIQLOP", "")
    if not python:
        pytest.skip(
            "SCIQLOP_PIPE_TEST_SCIQLOP names no Python with sciqlop, tscat and sciqlop-pipe"
        )
    if shutil.which("xvfb-run") is None:
        pytest.skip("xvfb-run is not installed")
    folders = {f"XDG_{n}_HOME": str(tmp_path / n) for n in ("CONFIG", "CACHE", "DATA")}
    for folder in folders.values():
        Path(folder).mkdir()
    env = os.environ | folders | {
        "QT_API": "PySide6", "QT_QPA_PLATFORM": "xcb", "TZ": "UTC", "INSIDE_SCIQLOP": "1",
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
    command = ["xvfb-run", "-a", "-s", "-screen 0 1280x1024x24", python, str(SCRIPT),
               str(tmp_path / "shown.png"), *products]  # fmt: skip
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=270, check=False)
    said = [x for x in ran.stdout.splitlines() if x.startswith("FOUND ")]
    assert said, ran.stderr[-2000:]
    found = json.loads(said[0].removeprefix("FOUND "))
    assert list(found["types"].values()) == ["Scalar", "Vector", "Spectrogram"]
    assert "Remote//pipe//Catalogs//a1_crossings" in found["catalogs"]
    assert "Remote//pipe//TimeTables//a1_crossings" in found["catalogs"]
    assert found["colours"] > 40  # an empty panel has a dozen, a spectrogram many
    assert "dropping data" not in ran.stderr + ran.stdout
