"""A store that is served, in this process and over loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.publish.served import served_store


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of every shape; tests do not change it."""
    return served_store(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="session")
def sciqlop() -> Path:
    """A Python with SciQLOP, of `SCIQLOP_PIPE_TEST_SCIQLOP` or installed for these tests."""
    from tests.publish.sciqlop_env import NotInstalled, python

    try:
        return python()
    except NotInstalled as why:
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def hapi(served: Path) -> Iterator[str]:
    """The address of a HAPI server of that store."""
    from tests.publish.hapi.running import running

    with running(served) as address:
        yield address
