"""The demo probe: its table of contents."""

from __future__ import annotations

from sciqlop_pipe.model import Mission

from . import esa, fgm

mission = Mission(
    "demo_probe",
    (*esa.datasets(), *fgm.datasets()),
    title="Demo probe",
    authors="The SciQLOP Pipe developers",
    citation="Not a spacecraft: an example of a plugin",
)
