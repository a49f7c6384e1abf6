"""What is installed is what lies in the repository."""

from __future__ import annotations

import importlib.util
import re
import runpy
import subprocess
import sys
import tomllib
import types
from fnmatch import fnmatch
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
INSTALLED_EXTRAS = ("detect", "plot", "postgres", "speasy", "test", "dev")


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def mission_folders() -> set[str]:
    return {init.parent.name for init in (ROOT / "missions").glob("*/__init__.py")}


def requirement_name(line: str) -> str:
    """Name of a requirement, in the spelling that indexes compare."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]).lower()


def test_every_mission_folder_has_its_entry_point_and_no_entry_point_lacks_its_folder(pyproject):
    declared = pyproject["project"]["entry-points"]["sciqlop_pipe.missions"]
    assert set(declared) == mission_folders()
    assert declared == {name: f"sciqlop_missions.{name}:mission" for name in declared}


def test_the_installed_entry_points_are_those_of_the_project_file(pyproject):
    declared = pyproject["project"]["entry-points"]["sciqlop_pipe.missions"]
    installed = {point.name: point.value for point in entry_points(group="sciqlop_pipe.missions")}
    assert declared.items() <= installed.items(), "run make install again"


def test_a_mission_folder_is_imported_under_sciqlop_missions():
    for name in mission_folders():
        spec = importlib.util.find_spec(f"sciqlop_missions.{name}")
        assert spec is not None
        assert spec.origin is not None
        assert Path(spec.origin).resolve() == ROOT / "missions" / name / "__init__.py"


def test_every_folder_with_modules_is_a_package():
    """A folder without `__init__.py` works in a checkout and is missing from a wheel."""
    modules = [*(ROOT / "sciqlop_pipe").rglob("*.py"), *(ROOT / "missions").rglob("*.py")]
    folders = {module.parent for module in modules}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


def packages(where: str = ".", include: tuple[str, ...] = ("*",)) -> list[str]:
    """What find_packages of setuptools returns."""
    found = (init.parent.relative_to(where) for init in Path(where).glob("[!.]*/**/__init__.py"))
    names = {".".join(folder.parts) for folder in found if folder.parts}
    return sorted(n for n in names if any(fnmatch(n, pattern) for pattern in include))


def test_every_file_beside_the_modules_is_in_the_wheel(monkeypatch):
    """Templates, trained models: what an editable install has, a wheel must have too."""
    told: dict[str, Any] = {}
    fake = types.ModuleType("setuptools")  # not a dependency: only builds need it
    fake.setup, fake.find_packages = told.update, packages
    monkeypatch.setitem(sys.modules, "setuptools", fake)
    monkeypatch.chdir(ROOT)
    runpy.run_path(str(ROOT / "setup.py"))
    homes = {
        name: ROOT / name.replace("sciqlop_missions", "missions").replace(".", "/")
        for name in told["packages"]
    }
    packed = {
        file
        for name, home in homes.items()
        for pattern in (*told["package_data"]["*"], *told["package_data"].get(name, ()))
        for file in home.glob(pattern)
    }
    there = {
        file
        for folder in (ROOT / "sciqlop_pipe", ROOT / "missions")
        for file in folder.rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc", ".nbi", ".nbc", ".md")
    }
    assert sorted(str(file.relative_to(ROOT)) for file in there - packed) == []


def test_the_version_is_the_same_everywhere():
    import sciqlop_pipe

    citation = (ROOT / "CITATION.cff").read_text()
    assert version("sciqlop-pipe") == sciqlop_pipe.__version__
    assert f"\nversion: {sciqlop_pipe.__version__}\n" in citation


def test_constraints_cover_what_is_installed_and_name_no_index(pyproject):
    text = (ROOT / "constraints.txt").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    constrained = {requirement_name(line) for line in lines}
    extras = pyproject["project"]["optional-dependencies"]
    wanted = [
        *pyproject["project"]["dependencies"],
        *(line for extra in INSTALLED_EXTRAS for line in extras[extra]),
    ]
    assert {requirement_name(line) for line in wanted} <= constrained
    assert all("==" in line for line in lines)
    assert "://" not in text
    assert "index" not in text


def test_constraints_can_be_met_by_every_extra_the_peers_too(pyproject):
    from packaging.requirements import Requirement

    pins: dict[str, list[Requirement]] = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            pins.setdefault(requirement_name(line), []).append(Requirement(line))
    extras = pyproject["project"]["optional-dependencies"]
    for extra in set(extras) - {"all"}:
        for wanted in map(Requirement, extras[extra]):
            found = pins[requirement_name(wanted.name)]
            versions = [next(iter(pin.specifier)).version for pin in found]
            assert all(wanted.specifier.contains(v) for v in versions), (extra, wanted)
            if wanted.marker is not None:
                assert all(pin.marker is not None for pin in found), (extra, wanted)


def test_a_dask_worker_installs_neither_prefect_nor_panel(pyproject):
    base = {requirement_name(line) for line in pyproject["project"]["dependencies"]}
    assert base.isdisjoint({"prefect", "fastapi", "panel", "bokeh", "hvplot", "speasy"})


def test_importing_the_package_imports_no_heavy_library():
    heavy = "{'numpy', 'xarray', 'pandas', 'dask', 'distributed', 'numba', 'zarr', 'sqlalchemy'}"
    code = f"import sys, sciqlop_pipe; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
