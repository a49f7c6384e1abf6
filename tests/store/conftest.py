"""The store that tests of the registry use; `test_postgres` gives them another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sciqlop_pipe.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", create=True, durable=False) as opened:
        yield opened
