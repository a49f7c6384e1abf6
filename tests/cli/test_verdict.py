"""What `catalog verdict` refuses, leaving nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from sciqlop_pipe.catalog import import_catalog, load_catalog
from sciqlop_pipe.cli.app import app
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Path:
    file = tmp_path / "found.csv"
    file.write_text("start,stop,kind\n2012-01-01,2012-01-02,icme\n")
    with Store.open(tmp_path / "store", create=True) as opened:
        import_catalog(opened, "lists.found", file)
    return tmp_path / "store"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("lists.found", "missed"), "a missed event needs a start and a stop"),
        (("lists.found", "missed", "--start", "2012-02-01"), "needs a start and a stop"),
        (("lists.found", "missed", "--stop", "2012-02-01"), "needs a start and a stop"),
        (("ID", "moved"), "nobody said where to"),
    ],
)
def test_a_verdict_that_does_not_say_where_is_refused(
    words: tuple[str, ...], says: str, store: Path
):
    with Store.open(store, read_only=True) as opened:
        id_ = load_catalog(opened, "lists.found").events[0].id
    asked = [id_ if w == "ID" else w for w in words]
    done = CliRunner().invoke(
        app, ["catalog", "verdict", *asked, "--author", "me", "--store", str(store)]
    )
    assert isinstance(done.exception, UsageError) and says in str(done.exception)
    assert done.exception.todo.startswith("Give --start")
    with Store.open(store, read_only=True) as opened:
        catalog = load_catalog(opened, "lists.found")
    assert not catalog.verdicts and not catalog.unmatched
