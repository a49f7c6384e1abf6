"""Double Star TC-1: the table of contents of the mission."""

from __future__ import annotations

from sciqlop_pipe.model import Mission

from . import fgm, hia

mission = Mission(
    "tc1",
    (*fgm.datasets(), *hia.datasets()),
    title="Double Star TC-1",
    authors="Z. X. Liu, C. P. Escoubet (mission); FGM: C. M. Carr; HIA: H. Reme, I. Dandouras",
    citation=(
        "Liu et al. 2005, Ann. Geophys. 23, 2707, https://www.ann-geophys.net/23/2707/2005/; "
        "Carr et al. 2005 (FGM), Ann. Geophys. 23, 2713, "
        "https://angeo.copernicus.org/articles/23/2713/2005/"
    ),
    archives=("https://csa.esac.esa.int/",),
)
