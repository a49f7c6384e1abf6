"""What is the same in the files of all instruments: flags of ESA, times in Unix seconds."""

from __future__ import annotations

from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.tags import UnixSeconds
from sciqlop_pipe.sources.view import Attributes

CENTRED_UNIX = UnixSeconds()
"""Times in the level 2 files are the centres of the samples."""

ESA_FLAGS = Flags(
    "ESA data quality",
    (
        Flag(0, "before_booms", "before the deployment of the booms: spacecraft potential of zero"),
        Flag(1, "counter_overflow", "counter overflow"),
        Flag(2, "solar_wind_mode", "solar wind without its mode, or the mode without it (unused)"),
        Flag(3, "flow", "flow too fast for the reduced angles of slow survey"),
        Flag(4, "earth_shadow", "in the shadow of the Earth"),
        Flag(5, "lunar_shadow", "in the shadow of the Moon"),
        Flag(6, "manoeuvre", "manoeuvre"),
        Flag(16, "invalid", "distribution marked as not valid (VALID is 0)"),
    ),
    masking=1 << 16,
    source="thm_esa_quality_flags.pro (SPEDAS)",
)


def dated(variable: str, time: str) -> tuple[str, Attributes]:
    """Restate that a variable goes by a time in Unix seconds.

    Its DEPEND_0 names an epoch that CDAWeb would compute, of which files hold no record.
    """
    return variable, (("DEPEND_0", time),)
