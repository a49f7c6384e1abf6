"""Missions come from other distributions; a broken one is left out and does no harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from sciqlop_pipe.graph import GROUP, Graph

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = ROOT / "tests" / "plugin"
NAME = "sciqlop-pipe-demo-probe"
MAIN = "from sciqlop_pipe.cli import main; main()"


@pytest.fixture(scope="module")
def installed() -> None:
    """The plugin in the environment, where `make test` puts it."""
    try:
        distribution(NAME)
    except PackageNotFoundError:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{NAME} is not installed: `make test` does it (pip install -e tests/plugin)")


def python(*words: str, path: Path | None = None, cwd: Path | None = None) -> tuple[int, str, str]:
    """Run an interpreter with `path` in front; return its status and what it said."""
    found = os.pathsep.join([str(path)] if path else [])
    done = subprocess.run(
        [sys.executable, *words],
        env=os.environ | {"PYTHONPATH": found, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=False, cwd=cwd,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def write_plugin(folder: Path, name: str, code: str, version: str = "1.0") -> None:
    """Write a module and the metadata of a distribution that installs it as a mission."""
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{module} = {module}:mission\n")


CLAIM = """
from sciqlop_pipe.datatypes import ScalarSeries
from sciqlop_pipe.model import Mission, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import ScalarAdapter
source = FileSource("{start:%Y}.cdf", ScalarAdapter("x", "V"))
mission = Mission("claims", [raw("claimed.by.both", ScalarSeries, source, granule="1d")])
"""


# --- the third-party mission of tests/plugin ------------------------------------------------------


@pytest.mark.usefixtures("installed")
def test_it_is_found_through_its_entry_point_and_stands_in_the_graph() -> None:
    points = {p.name: p.value for p in distribution(NAME).entry_points if p.group == GROUP}
    assert points == {"demo_probe": "sciqlop_demo_probe:mission"}
    graph = Graph.discover()
    assert "demo_probe" not in [b.name for b in graph.broken]
    names = {n for n, m in graph.mission_of.items() if m.name == "demo_probe"}
    assert {"demo_probe.esa.moments", "demo_probe.fgm.roughness.overview_1h"} <= names
    assert graph["demo_probe.esa.moments"].recipe is graph["sim.ion.moments"].recipe


def test_its_own_tests_pass() -> None:
    command = ["-m", "pytest", "-q", "-c", str(PLUGIN / "pyproject.toml"), str(PLUGIN / "tests")]
    status, said, errors = python(*command, cwd=PLUGIN)
    assert status == 0, said + errors


@pytest.mark.usefixtures("installed")
def test_it_runs_from_the_command_line_in_a_process_of_its_own(tmp_path: Path) -> None:
    make = "import archive, pathlib; archive.write_fgm(pathlib.Path('raw'), hours=1)"
    assert python("-c", make, path=PLUGIN / "tests", cwd=tmp_path)[0] == 0
    status, said, errors = python(
        "-c", MAIN, "run", "demo_probe.fgm.roughness", "--start", "2030-01-01", "--stop",
        "2030-01-01T01", "--archive", "raw", "--store", "store", "--workers", "1", "--json",
        cwd=tmp_path,
    )  # fmt: skip
    assert status == 0, errors
    assert json.loads(said)["rows"]["demo_probe.fgm.roughness"]["records"] == 3600 * 4


# --- plugins that go wrong ------------------------------------------------------------------------


def test_a_broken_plugin_warns_with_its_traceback_and_the_rest_stays(tmp_path: Path) -> None:
    write_plugin(tmp_path, "broken-probe", "import a_module_that_nobody_has\n")
    code = (
        "import warnings; from sciqlop_pipe.graph import Graph\n"
        "with warnings.catch_warnings(record=True) as said:\n"
        "    warnings.simplefilter('always'); graph = Graph.discover()\n"
        "print([str(w.message) for w in said if 'broken' in str(w.message)][0])\n"
        "print([b.name for b in graph.broken], 'sim.ion.moments' in graph.nodes)"
    )
    status, said, errors = python("-c", code, path=tmp_path)
    assert status == 0, errors
    assert "mission plugin 'broken_probe' (broken_probe:mission) is broken and left out" in said
    assert "Traceback (most recent call last)" in said
    assert "No module named 'a_module_that_nobody_has'" in said
    assert said.endswith("['broken_probe'] True\n")


WRONG_INPUT = """
from sciqlop_pipe.model import Mission, product
from sciqlop_pipe.recipes.moments import moments
mission = Mission("x", [product("x.moments", moments, vdf="sim.fgm.b")])
"""
BROKEN = {
    "raises": ("1 / 0", "ZeroDivisionError"),
    "exits": ("import sys; sys.exit('no licence')", "SystemExit: no licence"),
    "other-type": ("mission = {}", "is a dict, not a Mission"),
    "empty": ("missoin = None", "has no attribute 'mission'"),
    "wrong-input": (
        WRONG_INPUT,
        "product x.moments, argument vdf: expected a VDF, but sim.fgm.b is a VectorSeries",
    ),
}


def test_the_command_line_lists_what_is_broken_and_works(tmp_path: Path) -> None:
    for name, (code, _) in BROKEN.items():
        write_plugin(tmp_path, name, code)
    status, said, errors = python("-c", MAIN, "graph", "sim", path=tmp_path)
    assert status == 0, errors
    assert "moments Moments" in said
    for name, (_, words) in BROKEN.items():
        module = name.replace("-", "_")
        assert f"broken plugin {module} ({module}:mission)" in said
        assert words in errors
    assert "Traceback" not in errors


def test_two_distributions_that_claim_one_dataset_are_both_named(tmp_path: Path) -> None:
    write_plugin(tmp_path, "first-probe", CLAIM, "1.2")
    write_plugin(tmp_path, "second-probe", CLAIM, "3.4")
    status, _, errors = python("-c", MAIN, "graph", path=tmp_path)
    assert status == 2
    assert "two plugins claim the dataset 'claimed.by.both'" in errors
    assert (
        "first_probe:mission (first-probe 1.2) and second_probe:mission (second-probe 3.4)"
        in errors
    )
    assert "Uninstall one, or rename the dataset" in errors
