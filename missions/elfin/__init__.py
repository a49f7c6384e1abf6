"""ELFIN: the table of contents of the mission."""

from __future__ import annotations

from sciqlop_pipe.model import Mission

from . import epd

PROBES = ("a", "b")

mission = Mission(
    "elfin",
    tuple(d for probe in PROBES for d in epd.datasets(probe)),
    title="Electron Losses and Fields Investigation (ELFIN)",
    authors="V. Angelopoulos (mission, EPD)",
    citation=("Angelopoulos et al. 2020, Space Sci. Rev. 216, 103, doi:10.1007/s11214-020-00721-7"),
    archives=("https://data.elfin.ucla.edu/",),
)
