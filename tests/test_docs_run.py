"""Every how-to page is followed literally: its blocks one after the other, in a clone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
#: Pages that have a test of their own, which does between the blocks what a reader would.
ELSEWHERE = {"add-a-mission": "tests/authors/test_how_to.py"}
PAGES = sorted(p for p in (ROOT / "docs/how-to").glob("*.md") if p.stem not in ELSEWHERE)
#: A block is run unless the line before it says why not: <!-- not run: needs a cluster -->
BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<why>[^\n]+) -->\n+)?^```(?P<language>sh|python)\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)


@pytest.fixture
def clone(tmp_path: Path, shared_data: Path) -> Path:
    """A folder that looks like a clone with the mission files beside it, and keeps what is made."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in {".git", "demo", "store"}:
            (folder / entry.name).symlink_to(entry)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/data").symlink_to(shared_data)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_a_page_can_be_followed(page: Path, clone: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(clone.parent),
        "XDG_CACHE_HOME": str(clone.parent / "cache"),
        "MPLBACKEND": "Agg",
        "PREFECT_HOME": str(clone.parent / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }
    # A variable that a block exports is there for the next one, as in a terminal.
    state = clone.parent / "exported"
    state.touch()
    shell = shutil.which("bash") or "/bin/bash"
    blocks = [m for m in BLOCK.finditer(page.read_text()) if not m["why"]]
    if not blocks:
        pytest.skip("nothing on the page runs without a network or a server that stays")
    for block in blocks:
        code = block["code"]
        if block["language"] == "python":
            script = f'. "{state}"; exec "$0" -c "$1"'
            command = [shell, "-c", script, sys.executable, code]
        else:
            script = f'set -eo pipefail; . "{state}"; {{\n{code}\n}}; export -p > "{state}"'
            command = [shell, "-c", script]
        done = subprocess.run(
            command, cwd=clone, env=environment, capture_output=True, text=True, check=False,
            timeout=600, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{code}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
