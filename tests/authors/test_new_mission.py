"""What `new-mission` writes is a plugin that works unedited; names and folders are checked."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sciqlop_pipe.authors import FILES, write_mission
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.graph import GROUP


def python(*words: str, path: Path | None = None, cwd: Path | None = None) -> tuple[int, str]:
    """Run an interpreter with `path` in front; return its status and what it said."""
    done = subprocess.run(
        [sys.executable, *words],
        env=os.environ | {"PYTHONPATH": str(path or "")},
        capture_output=True, text=True, check=False, cwd=cwd,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plugin as the command writes it."""
    folder = tmp_path_factory.mktemp("authors") / "hayabusa"
    code = "from sciqlop_pipe.cli import main; main()"
    status, said = python("-c", code, "new-mission", "hayabusa_2", "--dir", str(folder))
    assert status == 0, said
    assert f"wrote {folder / 'pyproject.toml'}" in said
    assert "sciqlop-pipe graph hayabusa_2" in said
    return folder


def test_it_passes_its_own_test_unedited(plugin: Path) -> None:
    status, said = python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=plugin)
    assert status == 0, said
    assert "1 passed" in said


def test_once_installed_it_stands_in_the_graph(plugin: Path, tmp_path: Path) -> None:
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    points = project["entry-points"][GROUP]
    assert points == {"hayabusa_2": "sciqlop_hayabusa_2:mission"}
    # What an installer leaves of an editable install.
    info = tmp_path / f"sciqlop_pipe_hayabusa_2-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    lines = [f"{name} = {value}" for name, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines]))
    (tmp_path / "sciqlop_hayabusa_2").symlink_to(plugin / "src" / "sciqlop_hayabusa_2")
    code = "from sciqlop_pipe.cli import main; main()"
    status, said = python("-c", code, "graph", "hayabusa_2", path=tmp_path)
    assert status == 0, said
    assert "pressure ScalarSeries (1d pieces, magnetic_pressure) Magnetic pressure" in said
    again = python(
        "-c", code, "new-mission", "hayabusa_2", "--dir", str(tmp_path / "x"), path=tmp_path
    )
    assert again[0] == 2
    assert "there is a mission 'hayabusa_2' already" in again[1]


def test_it_is_as_tidy_as_the_house(plugin: Path) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("ruff is not installed (extra `dev`)")
    for command in (["format", "--check"], ["check", "--select", "E,F,UP,B,PTH,NPY"]):
        done = subprocess.run(
            [ruff, *command, "--isolated", "--line-length", "100", plugin],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "name", ["", "Cassini", "2mars", "solar-orbiter", "a b", "class", "../x", "m.x", "é"]
)
def test_a_name_that_cannot_begin_a_dataset_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a mission"):
        write_mission(name, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_name_in_use_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is a mission 'sim' already"):
        write_mission("sim", tmp_path / "new", {"sim", "mms1"})


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    for folder in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(UsageError, match="there is something here already"):
            write_mission("cassini", folder)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    assert len(write_mission("cassini", tmp_path / "empty")) == len(FILES)
