"""The README tells the truth: its map, its commands, its code."""

from __future__ import annotations

import ast
import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from sciqlop_missions.sim.simulate import simulate
from sciqlop_pipe.cli.app import app
from sciqlop_pipe.granule import Interval

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
CHAPTER = "## Add a mission, a product, a detector"


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Every command line, in blocks and in the running text."""
    inline = re.findall(r"`(sciqlop-pipe [^`]+)`", README)
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return sorted({" ".join(c.split()) for c in [*inline, *lines] if c.startswith("sciqlop-pipe ")})


def house() -> Iterator[str]:
    """Every path in the map of the house."""
    folders: list[tuple[int, str]] = []
    for line in blocks("text")[0].splitlines():
        depth = len(line) - len(line.lstrip())
        folders = [f for f in folders if f[0] < depth]
        parent = folders[-1][1] if folders else ""
        for name in re.split(r"\s{2,}", line.strip())[0].split():
            yield parent + name
            if name.endswith("/"):
                folders.append((depth, parent + name))


def test_every_path_in_the_map_exists() -> None:
    paths = list(house())
    assert "sciqlop_pipe/store/" in paths
    missing = [
        p for p in paths if not ((ROOT / p).is_dir() if p[-1] == "/" else (ROOT / p).is_file())
    ]
    assert missing == []


def test_every_module_and_folder_of_the_package_is_in_the_map() -> None:
    entries = (ROOT / "sciqlop_pipe").iterdir()
    there = {
        p.name + "/" * p.is_dir()
        for p in entries
        if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    assert there - {p.removeprefix("sciqlop_pipe/") for p in house()} == {"__init__.py"}


@pytest.mark.parametrize("command", commands())
def test_every_command_is_one(command: str) -> None:
    _, *words = shlex.split(command)
    said = CliRunner().invoke(app, [*words, "--help"])
    assert said.exit_code == 0, said.output


def test_every_file_it_refers_to_exists() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert "docs/images/demo.png" in targets
    assert [t for t in targets if not (ROOT / t).exists()] == []
    named = re.findall(r"`((?:tests|docs|missions)/[\w./]+|[A-Z]+\.\w+)`", README)
    assert [n for n in named if not (ROOT / n).exists()] == []


def test_every_target_of_make_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?:`|^    )make ([a-z-]+)", README, flags=re.MULTILINE))
    assert {"demo", "test"} <= targets
    assert [t for t in targets if not re.search(rf"^{t}:", makefile, flags=re.MULTILINE)] == []


def test_every_block_of_code_compiles() -> None:
    for block in blocks("python"):
        ast.parse(textwrap.dedent(block))


def test_the_chapter_for_authors_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its blocks one after the other, as in a notebook, on a few minutes of the simulated mission."""
    monkeypatch.chdir(tmp_path)
    simulate(Path("demo/archive"), Interval.of("2030-01-01", "2030-01-01T00:05"))
    cells: dict[str, object] = {"__name__": "readme"}
    chapter = README[README.index(CHAPTER) :]
    for block in blocks("python", chapter):
        exec(compile(block, "README.md", "exec"), cells)
    assert cells["report"].failures == []
    moments = xr.open_dataset("demo/store", engine="sciqlop", dataset="sim.ion.moments").load()
    speed = np.linalg.norm(moments["velocity"], axis=1)
    np.testing.assert_allclose(cells["ds"]["value"], 1.67262e-6 * moments["density"] * speed**2)
    assert {"mine.dynamic_pressure", "mine.pulses"} <= set(cells["graph"].nodes)
    assert "cassini.ion.moments.overview_1h" in cells["Graph"].of([cells["mission"]]).nodes
