"""OMNI, the solar wind near the Earth of many spacecraft: the table of contents."""

from __future__ import annotations

from sciqlop_pipe.model import Mission

from . import coho, hourly, hro

mission = Mission(
    "omni",
    (*hro.datasets(), *hourly.datasets(), *coho.datasets()),
    title="OMNI",
    authors="J. H. King, N. E. Papitashvili (SPDF)",
    citation=("King and Papitashvili 2005, J. Geophys. Res. 110, A02104, doi:10.1029/2004JA010649"),
    archives=("https://spdf.gsfc.nasa.gov/pub/data/omni/",),
)
