"""THEMIS magnetopause events: text tables of FGM and ESA on one clock of 3 s, in GSM."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Moments, VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.series import MomentsAdapter, VectorAdapter
from sciqlop_pipe.sources.species import PROTON
from sciqlop_pipe.sources.text import Column, SinceName, TextSource, TextTable
from sciqlop_pipe.sources.view import Seen, Stacked

# The header says |B| in km/s and temperature in K; the numbers are nT and eV (README).
TABLE = TextTable(
    (
        Column(1, "bx", "nT"), Column(2, "by", "nT"), Column(3, "bz", "nT"),
        Column(5, "vx", "km/s"), Column(6, "vy", "km/s"), Column(7, "vz", "km/s"),
        Column(9, "density", "cm-3"), Column(10, "temperature", "eV"),
    ),
    width=11,
    clock=SinceName(r"_(\d{4})(\d{2})(\d{2})_(\d{2})(\d{2})_"),
    header=1,
)  # fmt: skip


def field() -> Seen:
    """Return the adapter for the magnetic field."""
    adapter = VectorAdapter("b", "nT", "GSM", "magnetic field (GSM)")
    return Seen(adapter, made=(Stacked("b", ("bx", "by", "bz"), "nT"),))


def moments() -> Seen:
    """Return the adapter for density, velocity and temperature of the ions."""
    adapter = MomentsAdapter(
        density="density",
        velocity="velocity",
        temperature="temperature",
        species=PROTON,
        frame="GSM",
    )
    return Seen(adapter, made=(Stacked("velocity", ("vx", "vy", "vz"), "km s^-1"),))


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return the tables of one spacecraft."""
    stem = f"th{probe}_{{start:%Y%m%d_%H%M}}_{{stop:%H%M}}_GSM_v{{version}}"
    patterns = (f"{stem}.dat", f"{stem}_onboard.dat")
    return tuple(
        raw(f"themis{probe}.events.{name}", gives, TextSource(patterns, adapter, table=TABLE),
            granule="1d", description=f"{words}, GSM, 3 s, tables of single events")
        for name, gives, adapter, words in (
            ("b_gsm", VectorSeries, field(), "magnetic field"),
            ("moms", Moments, moments(), "ions: density, velocity, temperature"),
        )
    )  # fmt: skip
