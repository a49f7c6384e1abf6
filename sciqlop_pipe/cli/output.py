"""Where text goes: a terminal at its width, a file or pipe without cutting."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_PIPE_WIDTH = 2000  # trees are cut at the width, tables take no more than they need


def wide(*, stderr: bool = False) -> Console:
    """Return a console that does not cut tables where nobody sees a terminal."""
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False, soft_wrap=True)
    return (
        console
        if console.is_terminal
        else Console(stderr=stderr, highlight=False, soft_wrap=True, width=_PIPE_WIDTH)
    )
