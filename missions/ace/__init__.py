"""Advanced Composition Explorer (ACE): the table of contents of the mission."""

from __future__ import annotations

from sciqlop_pipe.model import Mission

from . import connection, mfi, swepam

mission = Mission(
    "ace",
    (*mfi.datasets(), *swepam.datasets(), *connection.datasets()),
    title="Advanced Composition Explorer",
    authors="E. C. Stone (mission); MFI: C. W. Smith, N. F. Ness; SWEPAM: D. J. McComas",
    citation=(
        "Stone et al. 1998, Space Sci. Rev. 86, 1, doi:10.1023/A:1005082526237; "
        "Smith et al. 1998 (MFI), Space Sci. Rev. 86, 613, doi:10.1023/A:1005092216668; "
        "McComas et al. 1998 (SWEPAM), Space Sci. Rev. 86, 563, doi:10.1023/A:1005040232597"
    ),
    archives=("https://spdf.gsfc.nasa.gov/pub/data/ace/",),
)
