"""Writes what the instruments saw into CDF files with ISTP attributes, laid out like FPI, FGM, MEC.

A file is a pure function of its records; it bears no date of its making, so that the same
simulation gives the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pycdfpp
from numpy.typing import NDArray
from pycdfpp import CompressionType, DataType

from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import SECOND

from .instrument import SkyMaps, Spectrometer
from .wind import Times

TT2000 = DataType.CDF_TIME_TT2000
REAL4, REAL8 = DataType.CDF_REAL4, DataType.CDF_REAL8
UINT1, UINT4, CHAR = DataType.CDF_UINT1, DataType.CDF_UINT4, DataType.CDF_CHAR

FILL = np.float32(-1e31)
SATURATED = 1 << 1
"""Bit of the error flags: so many counts in a bin that a real detector would lose some."""

_SATURATION = 1_000.0  # counts of one bin in 150 ms; the solar wind reaches it
_RANGES = {
    TT2000: (np.datetime64("1990-01-01", "ns"), np.datetime64("2099-12-31", "ns")),
    REAL4: (0.0, 1e30),
    REAL8: (-1e9, 1e9),
    UINT1: (0, 254),
    UINT4: (0, 4_294_967_294),
}


@dataclass(frozen=True, slots=True)
class Compression:
    """How the big variables are stored; level 0 is not at all, 1 to 9 are those of gzip."""

    level: int = 0

    @classmethod
    def named(cls, name: str) -> Compression:
        """Return the compression called "none" or "gzip1" ... "gzip9".

        Raises
        ------
        UsageError
            For another name.
        """
        known = {"none": 0} | {f"gzip{level}": level for level in range(1, 10)}
        if name not in known:
            raise UsageError(f"'{name}' is not a compression", todo="Choose none or gzip1 to gzip9")
        return cls(known[name])


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a file: values with records first, type, and what its attributes say."""

    name: str
    values: NDArray[np.generic]
    type: DataType
    attrs: dict[str, str] = field(default_factory=dict)
    varies: bool = True
    big: bool = False


def distribution_variables(maps: SkyMaps, instrument: Spectrometer) -> tuple[Variable, ...]:
    """Return the variables of an ion distribution file (sim_dis_l2_dist).

    Parameters
    ----------
    maps : SkyMaps
        The records.
    instrument : Spectrometer
        What made them.
    """
    seconds = instrument.accumulation * 1e-9
    saturated = maps.most_counts > _SATURATION * seconds / 0.15
    angles = ("sim_dis_phi", "sim_dis_theta", "sim_dis_energy")
    depends = {"DEPEND_0": "Epoch"} | {f"DEPEND_{i}": name for i, name in enumerate(angles, 1)}
    labels = {f"LABL_PTR_{i}": f"{name}_label" for i, name in enumerate(angles, 1)}
    map_attrs = depends | labels | {
        "UNITS": "s^3/cm^6", "SI_CONVERSION": "1e12>s^3 m^-6", "DISPLAY_TYPE": "spectrogram",
        "SCALETYP": "log",
    }  # fmt: skip
    per_record = {"DEPEND_0": "Epoch"}
    despun = {"COORDINATE_SYSTEM": "DBCS>Despun Body Coordinate System", "UNITS": "deg"}
    look = "Angle of the look direction; the ions fly the opposite way"
    half = (180.0 / instrument.azimuths, 90.0 / instrument.polars)
    return (
        *epoch_variables(maps.start, "Begin of the accumulation", plus=seconds, minus=0.0),
        Variable("sim_dis_errorflags", np.where(saturated, SATURATED, 0).astype(np.uint32), UINT4,
                 per_record | {"CATDESC": "Data-quality indicators", "UNITS": "32-bit error flags",
                 "VAR_NOTES": "Bit-0 = manually flagged interval, Bit-1 = overcounting/saturation "
                 "effects likely present in skymap"}),
        Variable("sim_dis_steptable_parity", maps.parity, UINT1,
                 per_record | {"CATDESC": "Energy table, 0 even, 1 odd", "UNITS": "0, 1"}),
        Variable("sim_dis_phi", maps.phi, REAL4, per_record | despun | {
                 "CATDESC": "Sky-map azimuth", "VAR_NOTES": look, "VAR_TYPE": "support_data",
                 "DELTA_PLUS_VAR": "sim_dis_phi_delta", "DELTA_MINUS_VAR": "sim_dis_phi_delta"}),
        Variable("sim_dis_phi_delta", np.full((1, instrument.azimuths), half[0], np.float32), REAL4,
                 despun | {"CATDESC": "Half width in azimuth"}, varies=False),
        Variable("sim_dis_dist", maps.f, REAL4,
                 map_attrs | {"CATDESC": "Ion sky-map distribution"}, big=True),
        Variable("sim_dis_disterr", maps.error, REAL4,
                 map_attrs | {"CATDESC": "Ion sky-map distribution 1-sigma error"}, big=True),
        Variable("sim_dis_theta", maps.theta[None], REAL4, despun | {
                 "CATDESC": "Sky-map polar angle", "VAR_NOTES": look,
                 "DELTA_PLUS_VAR": "sim_dis_theta_delta",
                 "DELTA_MINUS_VAR": "sim_dis_theta_delta"}, varies=False),
        Variable("sim_dis_theta_delta", np.full((1, instrument.polars), half[1], np.float32), REAL4,
                 despun | {"CATDESC": "Half width in polar angle"}, varies=False),
        Variable("sim_dis_energy", maps.energy, REAL4, per_record | {
                 "CATDESC": "Energy table of each record", "UNITS": "eV", "SCALETYP": "log",
                 "VAR_TYPE": "support_data"}),
        *(_labels(f"{name}_label", name.removeprefix("sim_dis_"), size)
          for name, size in zip(angles, instrument.shape, strict=True)),
    )  # fmt: skip


def field_variables(
    time: Times, gse: NDArray[np.float64], dbcs: NDArray[np.float64]
) -> tuple[Variable, ...]:
    """Return the variables of a magnetometer file (sim_fgm_l2): vector and magnitude, two frames.

    About every ten minutes one sample is missing and holds the fill value.

    Parameters
    ----------
    time : int64 array, (time)
        Centres of the samples [ns since 1970 UTC].
    gse, dbcs : arrays, (time, 3)
        The measured field [nT].
    """
    missing = time // (SECOND // 16) % 9973 == 0

    def four(vector: NDArray[np.float64]) -> NDArray[np.float32]:
        magnitude = np.sqrt((vector * vector).sum(axis=1, keepdims=True))
        values = np.concatenate([vector, magnitude], axis=1).astype(np.float32)
        values[missing] = FILL
        return values

    def attrs(frame: str, words: str) -> dict[str, str]:
        return {
            "DEPEND_0": "Epoch", "UNITS": "nT", "SI_CONVERSION": "1.0e-9>T",
            "COORDINATE_SYSTEM": words, "CATDESC": f"Magnetic field vector and total, {frame}",
            "LABL_PTR_1": "sim_fgm_label", "DISPLAY_TYPE": "time_series",
        }  # fmt: skip

    names = np.array([["Bx", "By", "Bz", "Bt"]])
    return (
        *epoch_variables(time, "Interval centered time tag", plus=1 / 32, minus=1 / 32),
        Variable("sim_fgm_b_gse", four(gse), REAL4, attrs("GSE", "GSE"), big=True),
        Variable("sim_fgm_b_dbcs", four(dbcs), REAL4,
                 attrs("DBCS", "DBCS>Despun Body Coordinate System"), big=True),
        Variable("sim_fgm_flag", np.zeros(time.size, np.uint32), UINT4,
                 {"DEPEND_0": "Epoch", "UNITS": " ", "CATDESC": "0 = no identified problems"}),
        Variable("sim_fgm_label", names, CHAR, {"VAR_TYPE": "metadata"}, varies=False),
    )  # fmt: skip


def ephemeris_variables(
    time: Times, position: NDArray[np.float64], velocity: NDArray[np.float64]
) -> tuple[Variable, ...]:
    """Return the variables of an ephemeris file (sim_mec_l2).

    Parameters
    ----------
    time : int64 array, (time)
        Nanoseconds since 1970 UTC.
    position, velocity : arrays, (time, 3)
        In GSE [km] and [km/s].
    """

    def attrs(words: str, units: str) -> dict[str, str]:
        return {
            "DEPEND_0": "Epoch", "UNITS": units, "COORDINATE_SYSTEM": "GSE",
            "CATDESC": f"{words} of the spacecraft, GSE", "LABL_PTR_1": "sim_mec_label",
            "DISPLAY_TYPE": "time_series",
        }  # fmt: skip

    return (
        _time(time, {"CATDESC": "Time of the position"}),
        Variable("sim_mec_r_gse", position, REAL8, attrs("Position", "km")),
        Variable("sim_mec_v_gse", velocity, REAL8, attrs("Velocity", "km/s")),
        Variable("sim_mec_label", np.array([["x", "y", "z"]]), CHAR,
                 {"VAR_TYPE": "metadata"}, varies=False),
    )  # fmt: skip


def write_file(
    path: Path,
    variables: Sequence[Variable],
    description: str,
    compression: Compression,
) -> int:
    """Write a CDF file, complete or not at all, and return its size in bytes.

    Parameters
    ----------
    path : Path
        Where; folders are made.
    variables : sequence of Variable
        Its variables, in order.
    description : str
        What is in it, for the global attributes.
    compression : Compression
        Of the variables that are marked big.
    """
    cdf = pycdfpp.CDF()
    for name, value in _global_attrs(path.stem, description).items():
        cdf.add_attribute(name, [value])
    for variable in variables:
        _add(cdf, variable, compression.level if variable.big else 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pycdfpp.save(cdf, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path.stat().st_size


def _add(cdf: pycdfpp.CDF, variable: Variable, level: int) -> None:
    """Add a variable with its ISTP attributes, those of its type included."""
    borrowed = variable.type in (REAL4, REAL8, UINT4)
    values = np.ascontiguousarray(variable.values) if borrowed else variable.values
    compression = CompressionType.gzip_compression if level else CompressionType.no_compression
    added = cdf.add_variable(
        variable.name, values, variable.type, is_nrv=not variable.varies, compression=compression,
        compression_level=level or 6, copy=not borrowed,
    )  # fmt: skip
    attrs = {"FIELDNAM": variable.name, "LABLAXIS": variable.name}
    attrs |= {"VAR_TYPE": "data" if "DEPEND_0" in variable.attrs else "support_data"}
    for name, text in (attrs | variable.attrs).items():
        added.add_attribute(name, text)
    if variable.type != CHAR:
        low, high = _RANGES[variable.type]
        added.add_attribute("FILLVAL", pycdfpp.default_fill_value(variable.type), variable.type)
        for name, value in (("VALIDMIN", low), ("VALIDMAX", high)):
            typed = np.array([value], variable.values.dtype)
            added.add_attribute(name, typed, variable.type)


def _time(time: Times, attrs: dict[str, str]) -> Variable:
    known = {
        "UNITS": "ns", "TIME_BASE": "J2000", "TIME_SCALE": "Terrestrial Time",
        "VAR_TYPE": "support_data", "MONOTON": "INCREASE",
        "REFERENCE_POSITION": "Rotating Earth Geoid", "SI_CONVERSION": "1.0e-9>s",
    }  # fmt: skip
    return Variable("Epoch", time.view("datetime64[ns]"), TT2000, known | attrs)


def epoch_variables(time: Times, words: str, plus: float, minus: float) -> tuple[Variable, ...]:
    """Return the time variable and the two that say what stretch a record spans [s]."""
    attrs = {"CATDESC": words, "DELTA_PLUS_VAR": "Epoch_plus_var",
             "DELTA_MINUS_VAR": "Epoch_minus_var"}  # fmt: skip
    deltas = (("Epoch_plus_var", plus), ("Epoch_minus_var", minus))
    return (
        _time(time, attrs),
        *(Variable(name, np.array([value], np.float32), REAL4,
                   {"UNITS": "s", "CATDESC": name, "SI_CONVERSION": "1.0>s"}, varies=False)
          for name, value in deltas),
    )  # fmt: skip


def _labels(name: str, word: str, size: int) -> Variable:
    texts = np.array([[f"{word}{i:02d}" for i in range(size)]])
    return Variable(name, texts, CHAR, {"VAR_TYPE": "metadata"}, varies=False)


def _global_attrs(stem: str, description: str) -> dict[str, str]:
    return {
        "Project": "SciQLOP Pipe>Simulated mission",
        "Source_name": "SIM>Simulated spacecraft",
        "Discipline": "Space Physics>Magnetospheric Science",
        "Data_type": "l2>Level 2",
        "Descriptor": description,
        "Data_version": "1.0.0",
        "Logical_source": "_".join(stem.split("_")[:-2]),
        "Logical_file_id": stem,
        "Logical_source_description": description,
        "TEXT": "Not a measurement: simulated, with known truth beside the files.",
        "Mission_group": "SIM",
    }
