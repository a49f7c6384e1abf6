"""THEMIS and ARTEMIS: the table of contents of the mission."""

from __future__ import annotations

from sciqlop_pipe.model import Mission

from . import boundaries, esa, esd, events, fgm, state

PROBES = ("a", "b", "c", "d", "e")
"""B and C are ARTEMIS P1 and P2, at the Moon since 2011."""

INSTRUMENTS = (esd, esa, fgm, state, events, boundaries)

mission = Mission(
    "themis",
    (d for probe in PROBES for instrument in INSTRUMENTS for d in instrument.datasets(probe)),
    title="THEMIS and ARTEMIS",
    authors=(
        "V. Angelopoulos (mission); ESA: C. W. Carlson, J. P. McFadden; "
        "FGM: U. Auster, K. H. Glassmeier, W. Baumjohann"
    ),
    citation=(
        "Angelopoulos 2008, Space Sci. Rev. 141, 5, doi:10.1007/s11214-008-9336-1; "
        "Angelopoulos 2011 (ARTEMIS), Space Sci. Rev. 165, 3, reprinted as "
        "doi:10.1007/978-1-4614-9554-3_2; "
        "McFadden et al. 2008 (ESA), Space Sci. Rev. 141, 277, doi:10.1007/s11214-008-9440-2; "
        "Auster et al. 2008 (FGM), Space Sci. Rev. 141, 235, doi:10.1007/s11214-008-9365-9"
    ),
    archives=(
        "https://themis.ssl.berkeley.edu/data/themis/",
        "https://spdf.gsfc.nasa.gov/pub/data/themis/",
    ),
)
