"""Detectors that learn: from labelled windows or lists of events to a model with a card."""

from __future__ import annotations
