"""Mission-free physics: pure functions from DataTypes to a DataType."""

from __future__ import annotations
