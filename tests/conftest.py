"""Fixtures that every test may use."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer.testing
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.serial import Bench

ROOT = Path(__file__).resolve().parent.parent
QUICK = "not system and not long"
_OF_ANOTHER_SUITE = re.compile(r"^pytestmark = .*\bmark\.(system|long)\b", re.MULTILINE)

# A picture is never shown by a test, and a shared machine tells nothing about time.
os.environ.setdefault("MPLBACKEND", "Agg")
settings.register_profile("pipe", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("pipe"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "pipe")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave modules alone of which the quick suite takes nothing: they import servers, browsers."""
    if config.option.markexpr != QUICK or collection_path.suffix != ".py":
        return None
    return bool(_OF_ANOTHER_SUITE.search(collection_path.read_text())) or None


def pytest_collection_finish() -> None:
    """Spare the collector what has been imported and will stay: half a second each time."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Let modules go at the end as always: bindings complain about what is left of theirs."""
    gc.unfreeze()


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a test marked `long` does: `short` is the seeded version that CI runs."""

    short: bool
    seed: int


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real mission files; the test skips where it is absent."""
    named = os.environ.get("SCIQLOP_PIPE_TEST_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(
            f"no real mission files: {folder} is not a folder "
            "(SCIQLOP_PIPE_TEST_DATA names another place)"
        )
    return folder


@pytest.fixture(scope="session")
def effort() -> Effort:
    """Short with seed 1 for `make test-long EFFORT=short`; otherwise full, a seed of its own."""
    short = os.environ.get("SCIQLOP_PIPE_EFFORT", "full") == "short"
    seed = int(os.environ.get("SCIQLOP_PIPE_SEED", "1" if short else str(os.getpid())))
    print(f"effort: {'short' if short else 'full'}, SCIQLOP_PIPE_SEED={seed}")
    return Effort(short, seed)


@pytest.fixture(scope="session", autouse=True)
def _commands_are_put_together_once() -> Iterator[None]:
    """As `main` does; `CliRunner` would do it for each command, 50 ms every time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(typer.main.get_command), raising=False)
        yield


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A place with raw files, a store and the toy mission; tasks run one after the other."""
    from tests.serial import Bench

    return Bench(tmp_path)
