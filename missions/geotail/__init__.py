"""Geotail: the table of contents of the mission."""

from __future__ import annotations

from sciqlop_pipe.model import Mission

from . import cpi

mission = Mission(
    "geotail",
    cpi.datasets(),
    title="Geotail",
    authors="A. Nishida (mission); CPI: L. A. Frank, W. R. Paterson",
    citation=(
        "Nishida 1994, Geophys. Res. Lett. 21, 2871; "
        "Frank et al. 1994 (CPI), J. Geomag. Geoelectr. 46, 23, "
        "https://www.jstage.jst.go.jp/article/jgg1949/46/1/46_1_23/_article"
    ),
    archives=("https://spdf.gsfc.nasa.gov/pub/data/geotail/",),
)
