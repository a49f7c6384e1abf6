"""The store: immutable granules on disk, and a registry that says which of them are true."""

from __future__ import annotations

from .store import Store

__all__ = ["Store"]
