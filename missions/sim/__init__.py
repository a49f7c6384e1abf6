"""The simulated mission: a table of contents like any other; `simulate` makes its archive."""

from __future__ import annotations

from sciqlop_pipe.datatypes import VDF, Position, VectorSeries
from sciqlop_pipe.detect.detectors import near_earth_events
from sciqlop_pipe.detect.products import boundary_products
from sciqlop_pipe.model import Mission, raw
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.conventions import Deltas, Quality
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import PositionAdapter, VectorAdapter
from sciqlop_pipe.sources.skymap import Angle, SkymapAdapter
from sciqlop_pipe.sources.species import PROTON
from sciqlop_pipe.standard import (
    field_products,
    particle_products,
    plasma_products,
    position_products,
    wave_products,
)

from . import instruments

ACCUMULATION = "4.5s"
"""Of the distributions, at the cadence the simulation has unless told otherwise."""

_STAMP = "{start:%Y%m%d%H%M%S}_v{version}.cdf"

DISTRIBUTION = SkymapAdapter(
    f="sim_dis_dist",
    f_error="sim_dis_disterr",
    phi=Angle("sim_dis_phi", "sim_dis_phi_delta", ("phi_bin",)),
    theta=Angle("sim_dis_theta", "sim_dis_theta_delta", ("theta_bin",)),
    energy="sim_dis_energy",
    species=PROTON,
    frame="DBCS",
    directions="look",
    time_tag=Deltas(),
    quality=Quality(
        "sim_dis_errorflags",
        Flags(
            "error flags of the simulated spectrometer",
            (
                Flag(0, "manually_flagged", "interval flagged by hand"),
                Flag(1, "saturated", "so many counts that a real detector would lose some"),
            ),
            masking=1 << 0,
            source="VAR_NOTES of sim_dis_errorflags",
        ),
    ),
)


def _field(frame: str) -> FileSource:
    adapter = VectorAdapter(f"sim_fgm_b_{frame.lower()}", "nT", frame, "magnetic field")
    return FileSource(f"sim_fgm_l2_{_STAMP}", adapter, span="54min")


mission = Mission(
    "sim",
    (
        # Spans are those of 4.5 s distributions; files of faster ones are shorter.
        raw("sim.ion.vdf", VDF,
            FileSource(f"sim_dis_l2_dist_{_STAMP}", DISTRIBUTION, span="48min"), granule="30min",
            description="ions: velocity distribution, 32 x 16 directions x 32 energies"),
        raw("sim.fgm.b", VectorSeries, _field("GSE"), granule="2h",
            description="magnetic field at 16 Hz, GSE"),
        raw("sim.fgm.b_dbcs", VectorSeries, _field("DBCS"), granule="2h",
            description="magnetic field at 16 Hz, in the frame of the distributions"),
        raw("sim.mec.position", Position,
            FileSource(f"sim_mec_l2_{_STAMP}",
                       PositionAdapter("sim_mec_r_gse", "GSE", "sim_mec_v_gse"), span="1d"),
            granule="1d", description="position and velocity of the spacecraft, GSE"),
        *particle_products("sim.ion.vdf", b="sim.fgm.b_dbcs", accumulation=ACCUMULATION,
                           v_max=1500.0, errors=True),
        # 16 Hz: frames of 32 s.
        *wave_products("sim.fgm", "sim.fgm.b", b="sim.fgm.b", e=instruments.E_GSE,
                       moments="sim.ion.moments", samples=512, step="2min", reach="2min",
                       octaves=(0.05, 6.0)),
        *boundary_products("sim", moments="sim.ion.moments", b="sim.fgm.b"),
        *near_earth_events("sim", moments="sim.ion.moments", state="sim.plasma_state",
                           labels="sim.region_labels", b="sim.fgm.b", fast_b="sim.fgm.b_dbcs",
                           b_gsm="sim.fgm.b_gsm", fast_b_gsm="sim.fgm.b_gsm",
                           spectrum="sim.ion.energy_spectrum", position="sim.mec.position"),
        *field_products("sim.fgm.b", scaling=("5min", "1min", "500ms")),
        *plasma_products("sim.ion.moments", b="sim.fgm.b_dbcs", e=instruments.E_DBCS,
                         electrons=instruments.ELECTRONS,
                         accumulation=ACCUMULATION, reach="9s", window="2min", step="30s"),
        *position_products("sim.mec.position", wind_b=instruments.WIND_B, wind=instruments.WIND),
        *instruments.datasets(),
    ),
    title="Simulated mission",
    authors="The SciQLOP Pipe developers",
    citation="Not a measurement: known truth, for demonstrations, tests and load",
)  # fmt: skip
