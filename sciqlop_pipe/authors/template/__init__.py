"""The files of a new mission, with `$name` where its name goes."""

from __future__ import annotations
