"""Imports point one way (the contracts of import-linter), and the leaves import what they may."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "sciqlop_pipe"

# Folder -> what it may import beside the standard library and itself.
MAY_IMPORT = {
    # llvmlite is numba's own: `lanes` says with it what numba has no words for.
    "kernels": {"numpy", "numba", "llvmlite", "sciqlop_pipe.constants"},
}


def imported_modules(path: Path) -> Iterator[str]:
    """Absolute names of the modules that a file imports, in functions too."""
    package = [*path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*base, *([node.module] if node.module else [])])


def strangers(folder: Path, allowed: set[str]) -> list[str]:
    """What modules of the folder import and should not."""
    own = ".".join(folder.relative_to(ROOT).parts)
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted(folder.rglob("*.py"))
        for name in imported_modules(path)
        if not {name, name.split(".")[0]} & (allowed | sys.stdlib_module_names)
        and name != own
        and not name.startswith(f"{own}.")
    ]


@pytest.mark.parametrize("folder", sorted(MAY_IMPORT))
def test_a_leaf_imports_only_what_it_may(folder: str):
    assert strangers(PACKAGE / folder, MAY_IMPORT[folder]) == []


def test_the_contracts_between_modules_hold():
    lint = Path(sys.executable).with_name("lint-imports")
    if not lint.exists():
        pytest.skip("import-linter is not installed (extra `dev`)")
    command = [lint, "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
