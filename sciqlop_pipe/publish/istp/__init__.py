"""ISTP CDF files of what a store has: written, read back, kept as a tree that can be served."""

from __future__ import annotations
