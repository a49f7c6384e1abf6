"""OMNI 2, hourly: field, plasma and indices near the Earth, from yearly text files and from CDF."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Moments, ScalarSeries, VectorSeries
from sciqlop_pipe.detect.icme import icmes
from sciqlop_pipe.model import Dataset, product, raw
from sciqlop_pipe.sources.conventions import begin
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import MomentsAdapter, ScalarAdapter, VectorAdapter
from sciqlop_pipe.sources.species import PROTON
from sciqlop_pipe.sources.text import Column, TextSource, TextTable, YearDayHour
from sciqlop_pipe.sources.view import Made, Seen, Stacked

from .flow import Flow

TEXT = ("omni2_{start:%Y}.dat", "omni2_{start:%Y}.dat.gz")
CDF = "omni2_h0_mrg1hr_{start:%Y%m%d}_v{version}.cdf"

_TAG = begin("1h")

# Words of a row, named as the variables of the CDF files are; fills by column.
TABLE = TextTable(
    (
        Column(12, "BX_GSE", "nT", 999.9), Column(13, "BY_GSE", "nT", 999.9),
        Column(14, "BZ_GSE", "nT", 999.9), Column(15, "BY_GSM", "nT", 999.9),
        Column(16, "BZ_GSM", "nT", 999.9), Column(22, "T", "K", 9999999.0),
        Column(23, "N", "cm-3", 999.9), Column(24, "V", "km/s", 9999.0),
        Column(25, "PHI-V", "deg", 999.9), Column(26, "THETA-V", "deg", 999.9),
        Column(8, "ABS_B", "nT", 999.9), Column(18, "SIGMA-B", "nT", 999.9),
        Column(27, "Ratio", "1", 9.999), Column(28, "Pressure", "nPa", 99.99),
        Column(38, "KP", "1", 99.0),
        Column(40, "DST", "nT", 99999.0), Column(41, "AE", "nT", 9999.0),
    ),
    width=55,
    clock=YearDayHour(),
)  # fmt: skip

# The largest value a column may have that is no fill, whatever FILLVAL a file declares.
_LIMITS = (
    *((name, -999.0, 999.0) for name in ("BX_GSE", "BY_GSE", "BZ_GSE", "BY_GSM", "BZ_GSM")),
    ("T", 0.0, 9999998.0), ("N", 0.0, 999.0), ("V", 0.0, 9998.0),
    ("PHI-V", -360.0, 360.0), ("THETA-V", -90.0, 90.0),
)  # fmt: skip
_UNITS = (("T", "K"), ("N", "cm-3"), ("V", "km/s"), ("PHI-V", "deg"), ("THETA-V", "deg"))
_SCALARS = {
    "dst": ("DST", "nT", "Dst index"),
    "kp": ("KP", "1", "Kp index, ten times (27 is 3-, 30 is 3, 33 is 3+)"),
    "ae": ("AE", "nT", "AE index"),
    "dynamic_pressure": ("Pressure", "nPa", "dynamic pressure of the solar wind"),
    "b_strength": ("ABS_B", "nT", "mean strength of the magnetic field"),
    "b_spread": ("SIGMA-B", "nT", "standard deviation of the magnetic field vector in the hour"),
    "alpha_ratio": ("Ratio", "1", "density of alpha particles over that of protons"),
}


def field(frame: str) -> Seen:
    """Return the adapter for the magnetic field in "gse" or "gsm", which share x."""
    parts = ("BX_GSE", f"BY_{frame.upper()}", f"BZ_{frame.upper()}")
    adapter = VectorAdapter(
        variable="b",
        units="nT",
        frame=frame.upper(),
        long_name=f"magnetic field ({frame.upper()})",
        time_tag=_TAG,
    )
    return _seen(adapter, Stacked("b", parts, "nT"))


def plasma() -> Seen:
    """Return the adapter for density, velocity (GSE, without aberration) and temperature."""
    adapter = MomentsAdapter(
        density="N",
        velocity="velocity",
        temperature="T",
        species=PROTON,
        frame="GSE",
        time_tag=_TAG,
    )
    return _seen(adapter, Flow("velocity", "V", "THETA-V", "PHI-V", x=-1))


def scalar(quantity: str) -> ScalarAdapter:
    """Return the adapter for one number per hour ("dst")."""
    variable, units, words = _SCALARS[quantity]
    return ScalarAdapter(variable, units, words, time_tag=_TAG, declared=units)


def _seen(adapter: object, made: Made) -> Seen:
    restated = tuple((name, (("UNITS", units),)) for name, units in _UNITS)
    return Seen(adapter, restated=restated, limits=_LIMITS, made=(made,))


def datasets() -> tuple[Dataset, ...]:
    """Return everything hourly: of the text files, and field and plasma of the CDF files."""
    text, cdf = "omni.omni2.1h", "omni.omni2_cdf.1h"

    def table(adapter: object) -> TextSource:
        return TextSource(TEXT, adapter, span="366d", table=TABLE)  # type: ignore[arg-type]

    def files(adapter: Seen) -> FileSource:
        return FileSource(CDF, adapter, span="184d")

    return (
        *(raw(f"{text}.b_{frame}", VectorSeries, table(field(frame)), granule="month", cadence="1h",
              description=f"magnetic field near the Earth, {frame.upper()}, 1 h")
          for frame in ("gse", "gsm")),
        raw(f"{text}.plasma", Moments, table(plasma()), granule="month", cadence="1h",
            description="ions near the Earth: density, velocity (GSE), temperature, 1 h"),
        *(raw(f"{text}.{name}", ScalarSeries, table(scalar(name)), granule="month", cadence="1h",
              description=f"{words}, 1 h")
          for name, (_, _, words) in _SCALARS.items()),
        product(
            f"{text}.icmes", icmes, plasma=f"{text}.plasma", b=f"{text}.b_gse",
            strength=f"{text}.b_strength", spread=f"{text}.b_spread", alpha=f"{text}.alpha_ratio",
            granule="month", model="icme", description="magnetic obstacles of ICMEs near the Earth",
        ),
        *(raw(f"{cdf}.b_{frame}", VectorSeries, files(field(frame)), granule="month", cadence="1h",
              description=f"magnetic field near the Earth, {frame.upper()}, 1 h, CDF files")
          for frame in ("gse", "gsm")),
        raw(f"{cdf}.plasma", Moments, files(plasma()), granule="month", cadence="1h",
            description="ions near the Earth: density, velocity (GSE), T, 1 h, CDF files"),
    )  # fmt: skip
