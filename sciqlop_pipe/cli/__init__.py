"""The command line, `sciqlop-pipe`. Heavy imports wait until a command needs them."""

from __future__ import annotations

from .app import main

__all__ = ["main"]
