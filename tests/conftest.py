"""Fixtures that every test may use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.serial import Bench

ROOT = Path(__file__).resolve().parent.parent

# A picture is never shown by a test, and a shared machine tells nothing about time.
os.environ.setdefault("MPLBACKEND", "Agg")
settings.register_profile("pipe", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("pipe"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "pipe")


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


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A place with raw files, a store and the toy mission; tasks run one after the other."""
    from tests.serial import Bench

    return Bench(tmp_path)
