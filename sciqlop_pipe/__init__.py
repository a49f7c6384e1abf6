"""SciQLOP Pipe: raw measurements of space plasmas become products, events and catalogs."""

from __future__ import annotations

__version__ = "0.1.0"
