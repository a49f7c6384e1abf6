"""Van Allen Probes (RBSP): the table of contents of the mission."""

from __future__ import annotations

from sciqlop_pipe.model import Mission

from . import hope

PROBES = ("a", "b")

mission = Mission(
    "rbsp",
    tuple(d for probe in PROBES for d in hope.datasets(probe)),
    title="Van Allen Probes",
    authors="B. H. Mauk (mission); HOPE: H. O. Funsten, R. M. Skoug, G. D. Reeves",
    citation=(
        "Mauk et al. 2013, Space Sci. Rev. 179, 3, doi:10.1007/s11214-012-9908-y; "
        "Funsten et al. 2013 (HOPE), Space Sci. Rev. 179, 423, doi:10.1007/s11214-013-9968-7"
    ),
    archives=("https://spdf.gsfc.nasa.gov/pub/data/rbsp/",),
)
