from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("panel", reason="panel is not installed (extra `dash`)")

from sciqlop_pipe.dash.desk import Desk
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.store import Store


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "store", create=True, durable=False) as opened:
        yield opened


@pytest.fixture
def desk(store: Store) -> Desk:
    """The desk of an application that declares nothing beside what the store holds."""
    return Desk(str(store.root), "", Graph.of([]))
