"""PSP's field and plasma together, where it is (by SPC's files), and what ties it to the Sun."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Position
from sciqlop_pipe.detect.detectors import solar_wind_events
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import PositionAdapter
from sciqlop_pipe.standard.fields import field_products, heliospheric_products, plasma_products
from sciqlop_pipe.standard.waves import wave_products

FILES = "psp_swp_spc_l3i_{start:%Y%m%d}_v{version}.cdf"
FIELD = "psp.fields.mag.4sa.b_rtn"


def datasets() -> tuple[Dataset, ...]:
    """Return what follows from FIELDS and SPC, the position, and the connection to the Sun."""
    full = "psp.fields.mag.full"
    return (
        *field_products(FIELD, frames=(), window="10min", step="5min", lag="4s",
                        average="20min", scaling=("30min", "10min", "1s")),
        # 2 to 293 Hz: frames of 1024 samples are minutes far from the Sun, seconds near it.
        *wave_products(full, f"{full}.b_rtn", b=f"{full}.b_rtn", moments="psp.spc.moms",
                       samples=1024, step="10min", reach="20min"),
        *plasma_products("psp.spc.moms", b=FIELD, accumulation="900ms", reach="4s", window="10min",
                         step="5min", shocks=False),
        raw("psp.spc.position_hci", Position,
            FileSource(FILES, PositionAdapter("sc_pos_HCI", "HCI", "sc_vel_HCI")), granule="1d",
            description="position and velocity of the spacecraft, HCI"),
        *heliospheric_products("psp.spc", "psp.spc.position_hci", plasma="psp.spc.moms",
                               b="psp.fields.mag.1min.b_rtn"),
        *solar_wind_events("psp.spc", moments="psp.spc.moms", b=FIELD, fast_moments="psp.spc.moms",
                           fast_b=FIELD, lag="4s"),
    )  # fmt: skip
