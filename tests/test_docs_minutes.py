"""How-to pages with blocks that take minutes, from their first block to their last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Effort
from tests.test_docs_run import BLOCK, PAGES, Terminal, terminal

__all__ = ["terminal"]

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]
SLOW = [p for p in PAGES if any(m["slow"] for m in BLOCK.finditer(p.read_text()))]


@pytest.mark.parametrize("page", SLOW, ids=lambda p: p.stem)
def test_the_whole_of_a_page_can_be_followed(
    page: Path, terminal: Terminal, effort: Effort
) -> None:
    if effort.short:
        pytest.skip("it trains for minutes: run it with the full effort")
    terminal.follow(m for m in BLOCK.finditer(page.read_text()) if not m["why"])
