"""Wind: the table of contents of the mission."""

from __future__ import annotations

from sciqlop_pipe.model import Mission

from . import connection, mfi, swe, threedp

mission = Mission(
    "wind",
    (d for instrument in (mfi, swe, threedp, connection) for d in instrument.datasets()),
    title="Wind",
    authors=(
        "L. B. Wilson III (mission); MFI: R. P. Lepping, A. Koval; SWE: K. W. Ogilvie, "
        "J. C. Kasper; 3DP: R. P. Lin, S. D. Bale"
    ),
    citation=(
        "Wilson et al. 2021, Rev. Geophys. 59, e2020RG000714, doi:10.1029/2020RG000714; "
        "Lepping et al. 1995 (MFI), Space Sci. Rev. 71, 207, doi:10.1007/BF00751330; "
        "Ogilvie et al. 1995 (SWE), Space Sci. Rev. 71, 55, doi:10.1007/BF00751326; "
        "Kasper et al. 2006 (SWE), J. Geophys. Res. 111, A03105, doi:10.1029/2005JA011442; "
        "Lin et al. 1995 (3DP), Space Sci. Rev. 71, 125, doi:10.1007/BF00751328"
    ),
    archives=("https://spdf.gsfc.nasa.gov/pub/data/wind/",),
)
