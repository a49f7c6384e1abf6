"""Where PSP is and what connects it to the Sun, by the positions that come with SPC's moments."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Position
from sciqlop_pipe.detect.detectors import solar_wind_events
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import PositionAdapter
from sciqlop_pipe.standard.fields import heliospheric_products

FILES = "psp_swp_spc_l3i_{start:%Y%m%d}_v{version}.cdf"
FIELD = "psp.fields.mag.4sa.b_rtn"


def datasets() -> tuple[Dataset, ...]:
    """Return the position of the spacecraft and its connection to the Sun."""
    return (
        raw("psp.spc.position_hci", Position,
            FileSource(FILES, PositionAdapter("sc_pos_HCI", "HCI", "sc_vel_HCI")), granule="1d",
            description="position and velocity of the spacecraft, HCI"),
        *heliospheric_products("psp.spc", "psp.spc.position_hci", plasma="psp.spc.moms",
                               b="psp.fields.mag.1min.b_rtn"),
        *solar_wind_events("psp.spc", moments="psp.spc.moms", b=FIELD, fast_moments="psp.spc.moms",
                           fast_b=FIELD, lag="4s"),
    )  # fmt: skip
