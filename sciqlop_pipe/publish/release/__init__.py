"""Releases: what a store held at a moment, under a name, with a manifest, for ever."""

from __future__ import annotations
