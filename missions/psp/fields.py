"""Parker Solar Probe FIELDS: the magnetic field in RTN, full cadence, 4 per cycle and 1 min."""

from __future__ import annotations

from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.conventions import Quality
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import VectorAdapter
from sciqlop_pipe.sources.view import Seen, WordsAt

_MINUTE = 60_000_000_000

# Cadence: what variables call it, file name, longest file, granule.
CADENCES = {
    "full": ("", "psp_fld_l2_mag_rtn_{start:%Y%m%d%H}_v{version}.cdf", "6h", "6h"),
    "4sa": (
        "_4_Sa_per_Cyc",
        "psp_fld_l2_mag_rtn_4_sa_per_cyc_{start:%Y%m%d}_v{version}.cdf",
        "1d",
        "1d",
    ),
    "1min": ("_1min", "psp_fld_l2_mag_rtn_1min_{start:%Y%m%d}_v{version}.cdf", "1d", "1d"),
}

FLAGS = Flags(
    "FIELDS quality flags",
    (
        Flag(0, "bias_sweep", "antenna bias sweep"),
        Flag(1, "thruster", "thruster firing"),
        Flag(2, "scm_calibration", "search coil calibration"),
        Flag(3, "mag_rolls", "spacecraft rotations for MAG calibration"),
        Flag(4, "mag_calibration", "MAG calibration sequence"),
        Flag(5, "spc_electrons", "SPC in electron mode"),
        Flag(6, "sls_test", "solar limb sensor test"),
        Flag(7, "off_umbra", "spacecraft off umbra pointing"),
    ),
    # "Not all flags are relevant to all FIELDS data products": none is said to spoil MAG data.
    masking=0,
    source="VAR_NOTES of psp_fld_l2_quality_flags, mag_rtn v02",
)


def field(cadence: str) -> Seen:
    """Return the adapter for the magnetic field of one cadence."""
    variable = f"psp_fld_l2_mag_RTN{CADENCES[cadence][0]}"
    adapter = VectorAdapter(
        variable=variable,
        units="nT",
        frame="RTN",
        long_name="magnetic field (RTN)",
        quality=Quality("flags", FLAGS),
    )
    # Flags come once a minute, on times of their own.
    flags = WordsAt("flags", "psp_fld_l2_quality_flags", "epoch_quality_flags", variable, _MINUTE)
    return Seen(adapter, made=(flags,))


def _id(cadence: str) -> str:
    # Its flags have a clock of their own, so that HAPI cannot give both at once.
    return f"PSP_FLD_L2_MAG_RTN{CADENCES[cadence][0]}".upper()


def datasets() -> tuple[Dataset, ...]:
    """Return everything of FIELDS."""
    return tuple(
        raw(
            f"psp.fields.mag.{cadence}.b_rtn",
            VectorSeries,
            FileSource(files, field(cadence), span=span, remote=on_cdaweb(_id(cadence))),
            granule=granule,
            cadence=cadence if cadence == "1min" else "",
            description=f"magnetic field, RTN, {cadence} cadence",
        )
        for cadence, (_, files, span, granule) in CADENCES.items()
    )
