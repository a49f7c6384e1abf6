"""Attributes of ISTP variables: what each is, in which range, how it is drawn.

Names and limits: ISTP Metadata Guidelines (istp-metadata.readthedocs.io), sections 4 and 5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from ...quality import FLAGS_MISSING
from .units import si_conversion

CATDESC, LABLAXIS = 80, 10
#: ISTP's fill values by numpy dtype.
FILL: dict[str, Any] = {
    "f4": np.float32(-1e31),
    "f8": np.float64(-1e31),
    "i1": np.int8(-128),
    "i2": np.int16(-32768),
    "i4": np.int32(-2147483648),
    "i8": np.int64(-9223372036854775808),
    "u1": np.uint8(255),
    "u2": np.uint16(65535),
    "u4": np.uint32(4294967295),
}
_SHORT = {
    "density": "n",
    "velocity": "V",
    "temperature": "T",
    "pressure": "P",
    "heat": "Q",
    "flux": "",
    "parallel": "par",
    "perpendicular": "perp",
    "magnetic": "B",
    "field": "",
    "spectrum": "flux",
    "frequency": "f",
    "energy": "E",
    "error": "err",
    "number": "",
    "probability": "prob",
    "coverage": "cover",
    "quality": "flags",
    "position": "R",
}
#: The range of valid values by units: where a sign is meant, it can only be positive.
_RANGE: dict[str, tuple[float, float]] = {
    "s^3 m^-6": (0.0, 1e5),
    "eV": (0.0, 1e10),
    "cm^-3": (0.0, 1e8),
    "Hz": (0.0, 1e10),
    "deg": (-360.0, 360.0),
    "sr": (0.0, 12.6),
    "km s^-1": (-3e5, 3e5),
    "nT": (-1e6, 1e6),
    "mV m^-1": (-1e6, 1e6),
    "km": (-1e10, 1e10),
    "eV cm^-2 s^-1 sr^-1 eV^-1": (0.0, 1e20),
    "cm^-2 s^-1 sr^-1 eV^-1": (0.0, 1e20),
}
#: Where ours are longer than the twenty letters that ISTP asks for.
_UNITS = {
    "eV cm^-2 s^-1 sr^-1 eV^-1": "eV/(cm^2 s sr eV)",
    "cm^-2 s^-1 sr^-1 eV^-1": "1/(cm^2 s sr eV)",
}
_FLUXES = ("s^3 m^-6", "eV cm^-2 s^-1 sr^-1 eV^-1", "cm^-2 s^-1 sr^-1 eV^-1")
_LOG = (*_FLUXES, "eV", "Hz")


def short_name(name: str) -> str:
    """Return a label of at most ten letters: "temperature_parallel" is "T par"."""
    words = [_SHORT.get(word, word) for word in name.split("_")]
    text = " ".join(word for word in words if word) or name
    if len(text) > LABLAXIS:
        text = " ".join(word[:4] for word in text.split())
    return text[:LABLAXIS].rstrip()


def units_of(array: xr.DataArray) -> str:
    """Return the units as ISTP writes them; a space for none."""
    units = str(array.attrs.get("units", "")).strip()
    return " " if units in ("", "1") else _UNITS.get(units, units)


def described(array: xr.DataArray, species: str = "") -> str:
    """Return in words what a variable is: of which particles, in which frame."""
    text = str(array.attrs.get("long_name", "") or str(array.name).replace("_", " "))
    if species and species not in text and array.attrs.get("units") not in (None, "1", "deg", "sr"):
        text = f"{species} {text}"
    frame = str(array.attrs.get("frame", ""))
    return f"{text} ({frame})" if frame and frame not in text else text


def base(name: str, array: xr.DataArray, kind: str, species: str = "") -> dict[str, Any]:
    """Return the attributes that every numeric variable has, its range and fill among them.

    Parameters
    ----------
    name : str
        Of the variable.
    array : DataArray
        Its values (not times) and attributes.
    kind : str
        "data" or "support_data".
    species : str
        Of which particles, '' where of none.
    """
    text, units = described(array, species), units_of(array)
    attrs: dict[str, Any] = {
        "CATDESC": text if len(text) <= CATDESC else text[: CATDESC - 3].rstrip() + "...",
        "FIELDNAM": name[:50],
        "VAR_TYPE": kind,
        "UNITS": units,
        "LABLAXIS": short_name(name),
    }
    low, high = valid_range(array)
    attrs |= {"FILLVAL": FILL[array.dtype.str[1:]], "VALIDMIN": low, "VALIDMAX": high}
    attrs["FORMAT"] = {"f4": "E13.6", "f8": "E22.15"}.get(array.dtype.str[1:], "I20")
    logarithmic = str(array.attrs.get("units", "")) in _LOG and array.dtype.kind == "f"
    attrs["SCALETYP"] = "log" if logarithmic else "linear"
    if si := si_conversion(str(array.attrs.get("units", ""))):
        attrs["SI_CONVERSION"] = si
    if frame := array.attrs.get("frame"):
        attrs["COORDINATE_SYSTEM"] = str(frame)
    if notes := _notes(array, text):
        attrs["VAR_NOTES"] = notes
    return attrs


def valid_range(array: xr.DataArray) -> tuple[Any, Any]:
    """Return the least and greatest valid value, in the variable's type.

    They follow from units, so that all files of a dataset agree; where a value lies outside, the
    limit is the next power of ten beyond it: nothing that is published is called invalid.
    """
    dtype = array.dtype
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        # The fill value is the least one of signed, the greatest of unsigned integers.
        signed = dtype.kind == "i"
        return dtype.type(info.min + signed), dtype.type(info.max - (not signed))
    units = str(array.attrs.get("units", ""))
    values = np.asarray(array.values)
    known = values[np.isfinite(values)]
    low, high = _RANGE.get(units, (-1e30, 1e30))
    if units == "km s^-1" and "component" not in array.dims and known.size and known.min() >= 0:
        low = min(low, 0.0)
    if known.size:
        low, high = min(low, _beyond(float(known.min()))), max(high, _beyond(float(known.max())))
    limit = float(np.finfo(dtype).max)
    return dtype.type(max(low, -limit)), dtype.type(min(high, limit))


def _beyond(value: float) -> float:
    """Return the next power of ten that is as far from zero, with the sign of a value."""
    if value == 0:
        return 0.0
    return float(np.sign(value)) * 10.0 ** float(np.ceil(np.log10(abs(value))))


def _notes(array: xr.DataArray, text: str) -> str:
    notes = [text] if len(text) > CATDESC else []
    if "flag_masks" in array.attrs:
        masks = np.atleast_1d(array.attrs["flag_masks"])
        words = str(array.attrs.get("flag_meanings", "")).split()
        known = {int(m).bit_length() - 1: w for m, w in zip(masks, words, strict=False)}
        masking = int(array.attrs.get("masking", 0))
        notes += [
            f"bit {bit}: {word.replace('_', ' ')}{' (masks)' if masking >> bit & 1 else ''}"
            for bit, word in sorted({FLAGS_MISSING: "flags missing", **known}.items())
        ]
    notes += [
        f"{key}: {value}"
        for key, value in sorted(array.attrs.items())
        if key
        not in (
            "long_name",
            "units",
            "frame",
            "flag_masks",
            "flag_meanings",
            "masking",
            "_FillValue",
        )
    ]
    return "; ".join(notes)
