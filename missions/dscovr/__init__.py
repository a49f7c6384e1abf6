"""DSCOVR: the table of contents of the mission."""

from __future__ import annotations

from sciqlop_pipe.model import Mission

from . import faraday_cup, mag

mission = Mission(
    "dscovr",
    (*mag.datasets(), *faraday_cup.datasets()),
    title="Deep Space Climate Observatory (DSCOVR)",
    authors="A. Szabo (mission, MAG: A. Koval); Faraday cup: J. C. Kasper, M. L. Stevens",
    citation="Burt & Smith 2012, IEEE Aerospace Conference, doi:10.1109/AERO.2012.6187025",
    archives=("https://spdf.gsfc.nasa.gov/pub/data/dscovr/",),
)
