"""The page that walks through adding an instrument is followed to the letter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sciqlop_pipe.authors import write_mission
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "how-to" / "add-a-mission.md").read_text()


def written() -> dict[str, str]:
    """Return the files that the page tells to write: the code after the last path it names."""
    found, end = {}, 0
    for block in re.finditer(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL):
        said = PAGE[end : block.start()].strip().split("\n\n")[-1]
        end = block.end()
        names = re.findall(r"`((?:src|tests)/[\w/]+\.py)`", said)
        if block[1] == "python" and names:
            found[names[-1]] = block[2]
    return found


@pytest.mark.system
def test_the_page_leads_to_a_mission_that_passes_its_tests(tmp_path: Path):
    write_mission("cassini", tmp_path / "cassini")
    files = written()
    assert len(files) == 3
    for name, text in files.items():
        (tmp_path / "cassini" / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "cassini", env=os.environ | {"PYTHONPATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
