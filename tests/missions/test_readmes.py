"""The examples in the READMEs of the missions work as they are written, offline, on real files."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sciqlop_pipe.cli.app import app
from tests.conftest import ROOT
from tests.missions.double_star import files as double_star
from tests.missions.dscovr.files import field_file, proton_file

MISSIONS = sorted(p.parent.name for p in (ROOT / "missions").glob("*/README.md"))
DATA = "../shared/data/"


def commands(mission: str) -> list[str]:
    """Return the lines of the blocks that are to be typed."""
    text = (ROOT / "missions" / mission / "README.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def made(mission: str, folder: Path) -> Path:
    """Return a folder with files like those of a mission's archive."""
    folder.mkdir()
    if mission == "double_star":
        double_star.field_file(folder, np.full((60, 3), 5.0))
        double_star.moments_file(folder, np.full(60, 5.0), np.full((60, 3), -400.0))
        return folder
    assert mission == "dscovr", f"write files for {mission} here, or name real ones in its README"
    field_file(folder, np.full((60, 3), 5, "f4"))
    proton_file(folder, np.full((60, 3), -400, "f4"))
    return folder


@pytest.mark.parametrize("mission", MISSIONS)
def test_every_mission_shows_a_run(mission: str):
    runs = [c for c in commands(mission) if c.startswith("sciqlop-pipe run ")]
    assert runs
    assert all(" --store DIR" in c and "--archive" in c for c in runs)


@pytest.mark.system
@pytest.mark.parametrize("mission", MISSIONS)
def test_what_a_readme_shows_runs_and_gives_records(mission: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(ROOT)
    for command in commands(mission):
        words = [w.replace("DIR", str(tmp_path / "dir")) for w in shlex.split(command)]
        if "FOLDER" in words:  # no real file is at hand
            words[words.index("FOLDER")] = str(made(mission, tmp_path / "made"))
        if any(w.startswith(DATA) and not Path(w).exists() for w in words):
            pytest.skip(f"{DATA} is absent")
        if words[:2] == ["python", "-m"]:
            monkeypatch.setattr(sys, "argv", words[2:])
            with pytest.raises(SystemExit) as end:
                runpy.run_module(words[2], run_name="__main__")
            assert not end.value.code
            continue
        # In this process: a cluster takes longer to start than most examples to run.
        said = CliRunner().invoke(app, [*words[1:], "--workers", "0", "--no-sync", "--offline"])
        assert said.exit_code == 0, said.output
        assert re.search(r"[1-9][\d,]* records", said.output), said.output
