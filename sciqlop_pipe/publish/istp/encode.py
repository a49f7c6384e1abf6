"""A dataset as an ISTP CDF file, in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pycdfpp
import xarray as xr

from ... import __version__
from ...errors import PipeError
from ...granule import datetime64, iso
from ...store.layout import layout_of
from ..citing import dois
from .attributes import base, described, short_name
from .facts import Facts, Provenance

EPOCH = "Epoch"
LAYOUT = "Pipe_layout"
CONTENT = "Pipe_content"
DATASET = "Pipe_dataset"
_TT2000 = pycdfpp.DataType.CDF_TIME_TT2000
_GZIP = pycdfpp.CompressionType.gzip_compression
_YEARS = 1970, 2250
_FILL_TIME = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class _Axis:
    """What a dimension of the file is described by: a DEPEND variable, labels, or both."""

    depend: str = ""
    labels: str = ""


def to_cdf(
    ds: xr.Dataset, facts: Facts, provenance: Provenance, file_id: str, version: str
) -> bytes:
    """Return the bytes of a CDF file that holds everything of a dataset, by ISTP's guidelines.

    NaN becomes the fill value, times TT2000 (variable Epoch), text labels. Dimensions point to the
    variables that describe them, which may change with time. The layout of the dataset is kept in
    a global attribute, so that `from_cdf` gives back just what was published.

    Parameters
    ----------
    ds : Dataset
        In memory, with the coordinate `time`.
    facts, provenance
        What the global attributes say.
    file_id : str
        Name of the file without its suffix.
    version : str
        As in its name: "1.0.0".

    Raises
    ------
    PipeError
        When a value cannot be told from the fill value, or a time does not survive TT2000.
    """
    cdf = pycdfpp.CDF()
    cdf.checksum = pycdfpp.Checksum.md5_checksum
    for name, entries in _global_attributes(ds, facts, provenance, file_id, version).items():
        cdf.add_attribute(name, [str(e) for e in entries])
    cdf.add_attribute(LAYOUT, [layout_of(ds).to_json()])
    _add_time(cdf, EPOCH, ds["time"], _epoch_attributes())
    axes = _axes(cdf, ds)
    species = str(ds.attrs.get("species", ""))
    supports = {axis.depend for axis in axes.values()}
    for name in _order(ds):
        array = ds[name]
        if array.dtype.kind in "UOT":
            _add_text(cdf, name, array.values, described(array))
        elif array.dtype.kind == "M":
            _add_time(cdf, name, array, _support(name, array) | _depends(array, {}))
        else:
            kind = "support_data" if name in supports or "time" not in array.dims else "data"
            attrs = base(name, _plain(array), kind, species)
            attrs |= _pointers(cdf, name, array, axes, kind)
            _add_numbers(cdf, name, array, attrs)
    return bytes(pycdfpp.save(cdf))


def file_facts(path: Any) -> dict[str, str]:
    """Return content digest and dataset of a published file; empty where it does not read."""
    import cdflib

    try:
        found = cdflib.CDF(path).globalattsget()
        return {key: str(found[key][0]) for key in (CONTENT, DATASET)}
    except Exception:  # noqa: BLE001 - a damaged file may fail in any way; it is replaced
        return {}


# -- variables ---------------------------------------------------------------------------------


def _order(ds: xr.Dataset) -> Iterator[str]:
    names = [str(n) for n in ds.variables if n != "time"]
    if EPOCH in names:
        raise PipeError(f"a variable is called '{EPOCH}' already", todo="Rename it")
    yield from sorted(names, key=lambda n: ("time" not in ds[n].dims, n))


def _plain(array: xr.DataArray) -> xr.DataArray:
    """Return numbers in a type that CDF has: bool and 64 bits without sign become integers."""
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype == np.uint64 or array.dtype.kind == "m":
        return array.copy(data=np.asarray(array.values).view(np.int64))
    if array.dtype == np.float16:
        return array.astype(np.float32)
    return array


def _axes(cdf: pycdfpp.CDF, ds: xr.Dataset) -> dict[str, _Axis]:
    """Return what describes each dimension, and add to the file what is missing for it."""
    axes = {}
    for dim in map(str, ds.dims):
        if dim == "time":
            continue
        depend = next((n for n in _candidates(dim) if _describes(ds, n, dim)), "")
        labels = dim if dim in ds.coords and ds[dim].dtype.kind in "UOT" else ""
        if not depend:
            depend = _free(f"{dim}_index", ds)
            index = xr.DataArray(
                np.arange(1, ds.sizes[dim] + 1, dtype=np.int32), dims=dim, name=depend,
                attrs={"long_name": f"number of the {dim.replace('_', ' ')}", "units": "1"},
            )  # fmt: skip
            _add_numbers(cdf, depend, index, base(depend, index, "support_data"))
        axes[dim] = _Axis(depend, labels)
    return axes


def _candidates(dim: str) -> tuple[str, ...]:
    return (dim, dim.removesuffix("_bin"), f"{dim}_seconds")


def _describes(ds: xr.Dataset, name: str, dim: str) -> bool:
    """Tell whether a variable has a number per place along a dimension, per time at most."""
    if name not in ds.variables or ds[name].dtype.kind not in "fiu":
        return False
    return ds[name].dims in ((dim,), ("time", dim))


def _free(name: str, ds: xr.Dataset) -> str:
    while name in ds.variables:
        name += "_"
    return name


def _depends(array: xr.DataArray, axes: Mapping[str, _Axis]) -> dict[str, str]:
    """Return DEPEND_0 and, where it describes no axis itself, DEPEND_1 ... of a variable."""
    found = {"DEPEND_0": EPOCH} if "time" in array.dims else {}
    for i, dim in enumerate((d for d in array.dims if d != "time"), 1):
        if dim in axes and axes[str(dim)].depend != array.name:
            found[f"DEPEND_{i}"] = axes[str(dim)].depend
    return found


def _pointers(
    cdf: pycdfpp.CDF, name: str, array: xr.DataArray, axes: Mapping[str, _Axis], kind: str
) -> dict[str, Any]:
    """Return DEPEND_i, LABL_PTR_i and DISPLAY_TYPE of a variable; its labels are added."""
    attrs: dict[str, Any] = _depends(array, axes)
    dims = [str(d) for d in array.dims if d != "time"]
    words = [d for d in dims if axes[d].labels]
    for i, dim in enumerate(dims, 1):
        if len(dims) > 1 or axes[dim].labels:
            attrs[f"LABL_PTR_{i}"] = _labels(cdf, name, array, dim, axes[dim], i)
    if dims == words:  # components of a vector or a tensor: lines
        for i in range(1, len(dims) + 1):
            attrs.pop(f"DEPEND_{i}", None)
    if dims and f"LABL_PTR_{len(dims)}" in attrs:
        attrs.pop("LABLAXIS", None) if len(dims) == 1 else None
    if kind == "data":
        plotted = "time_series" if dims == words else "spectrogram" if len(dims) < 4 else "no_plot"
        attrs["DISPLAY_TYPE"] = plotted
        attrs["TENSOR_ORDER"] = str(len(dims)) if dims and dims == words else ""
    return {k: v for k, v in attrs.items() if v != ""}


def _labels(cdf: pycdfpp.CDF, name: str, array: xr.DataArray, dim: str, axis: _Axis, i: int) -> str:
    """Return the variable that labels the places along a dimension, made where there is none."""
    label = f"{name}_labels_{i}"
    if axis.labels:
        frame = str(array.attrs.get("frame", ""))
        words = [str(v) for v in array[dim].values]
        if dim.startswith("component"):
            head = short_name(name)
            words = [f"{head} {w} {frame}".strip() if i == 1 else w for w in words]
    else:
        label = f"{dim}_labels"
        words = [f"{dim.replace('_', ' ')} {k}" for k in range(1, array.sizes[dim] + 1)]
    if label not in cdf:
        what = f"labels of {name.replace('_', ' ')} along {dim.replace('_', ' ')}"
        _add_text(cdf, label, np.array(words), what if axis.labels else f"labels of {dim}")
    return label


def _add_numbers(
    cdf: pycdfpp.CDF, name: str, array: xr.DataArray, attrs: Mapping[str, Any]
) -> None:
    values = np.ascontiguousarray(_plain(array).transpose("time", ...).values
                                  if "time" in array.dims else _plain(array).values)  # fmt: skip
    if values.dtype.kind == "f":
        unknown = np.isnan(values)
        if (values == attrs["FILLVAL"]).any():
            raise PipeError(
                f"{name} holds {attrs['FILLVAL']}, which means 'no value' in a CDF file", name,
                "Make it NaN in the adapter or recipe",
            )  # fmt: skip
        if unknown.any():
            values = np.where(unknown, attrs["FILLVAL"], values)
    fixed = "time" not in array.dims
    _add(cdf, name, values.reshape(1, *values.shape) if fixed else values, attrs, fixed=fixed)


def _add_time(cdf: pycdfpp.CDF, name: str, array: xr.DataArray, attrs: Mapping[str, Any]) -> None:
    values = np.ascontiguousarray(array.values.astype("datetime64[ns]"))
    stamps = pycdfpp.to_tt2000(values.ravel())  # NaT becomes the fill value
    back = np.asarray(pycdfpp.to_datetime64(stamps)) if stamps.size else values.ravel()
    if (back != values.ravel())[~np.isnat(values.ravel())].any():
        raise PipeError("a time cannot be written as TT2000 and read back", name)
    fixed = "time" not in array.dims
    shaped = stamps.reshape((1, *values.shape) if fixed else values.shape)
    low, high = (pycdfpp.to_tt2000(datetime(year, 1, 1, tzinfo=UTC)) for year in _YEARS)
    limits = {"FILLVAL": pycdfpp.tt2000_t(_FILL_TIME), "VALIDMIN": low, "VALIDMAX": high}
    _add(cdf, name, shaped, {**attrs, **limits}, fixed=fixed, data_type=_TT2000)


def _add_text(cdf: pycdfpp.CDF, name: str, values: np.ndarray, what: str) -> None:
    words = np.asarray(values.tolist(), np.str_)
    width = max(1, words.dtype.itemsize // 4)
    attrs = {
        "CATDESC": what[:80],
        "FIELDNAM": name[:50],
        "VAR_TYPE": "metadata",
        "FORMAT": f"A{width}",
        "FILLVAL": " ",
    }
    encoded = np.char.encode(words, "utf-8")
    width = max(1, encoded.dtype.itemsize)
    padded = np.array([w.ljust(width) for w in encoded.ravel()]).reshape(words.shape)
    _add(
        cdf,
        name,
        padded.reshape(1, *padded.shape),
        attrs,
        fixed=True,
        data_type=pycdfpp.DataType.CDF_CHAR,
    )


def _add(
    cdf: pycdfpp.CDF, name: str, values: np.ndarray, attrs: Mapping[str, Any], *, fixed: bool,
    data_type: Any = None,
) -> None:  # fmt: skip
    packed = _GZIP if values.nbytes > 1024 else pycdfpp.CompressionType.no_compression
    listed = {k: v if isinstance(v, str) else [v] for k, v in attrs.items()}
    cdf.add_variable(name, values, data_type, fixed, packed, listed)


def _support(name: str, array: xr.DataArray) -> dict[str, Any]:
    return {
        "CATDESC": described(array)[:80],
        "FIELDNAM": name[:50],
        "VAR_TYPE": "support_data",
        "UNITS": "ns",
        "LABLAXIS": short_name(name),
        "SCALETYP": "linear",
    }


def _epoch_attributes() -> dict[str, Any]:
    return {
        "CATDESC": "time at the centre of the measurement (TT2000)",
        "FIELDNAM": EPOCH,
        "LABLAXIS": EPOCH,
        "UNITS": "ns",
        "VAR_TYPE": "support_data",
        "SCALETYP": "linear",
        "MONOTON": "INCREASE",
        "TIME_BASE": "J2000",
        "TIME_SCALE": "Terrestrial Time",
        "REFERENCE_POSITION": "Rotating Earth Geoid",
        "BIN_LOCATION": np.float32(0.5),
    }


# -- global attributes -------------------------------------------------------------------------


def _global_attributes(
    ds: xr.Dataset, facts: Facts, made: Provenance, file_id: str, version: str
) -> dict[str, tuple[Any, ...]]:
    names = facts.names
    links = tuple(f"https://doi.org/{doi}" for doi in dois(facts.citation))
    title = facts.mission_title or facts.mission or names.source
    day = str(datetime64(made.written).astype("datetime64[D]")).replace("-", "")
    notes = [f"{k}: {v}" for k, v in sorted(ds.attrs.items(), key=lambda i: str(i[0]))]
    conventions = (
        f"{facts.datatype} in the conventions of SciQLOP Pipe: times at the centre of the "
        "measurement, directions are those of velocities."
    )
    text = [facts.text, conventions, *notes]
    every: dict[str, tuple[Any, ...]] = {
        "TITLE": (facts.title or facts.dataset,),
        "Project": ("SciQLOP>SciQLOP Pipe, products of in situ space plasma data",),
        "Source_name": (f"{names.source}>{title}",),
        "Descriptor": (f"{names.descriptor}>{names.descriptor.replace('-', ' ')}",),
        "Data_type": (f"{names.data_type}>{facts.datatype}",),
        "Data_version": (version,),
        "Logical_source": (names.logical_source,),
        "Logical_file_id": (file_id,),
        "Logical_source_description": (f"{title}: {facts.text or facts.datatype}",),
        "File_naming_convention": ("source_descriptor_datatype_yyyyMMdd",),
        "Mission_group": (title,),
        "Instrument_type": (_instrument(ds, facts.datatype),),
        "PI_name": (facts.authors or "see Acknowledgement",),
        "PI_affiliation": (title,),
        "TEXT": tuple(t for t in text if t),
        "MODS": (f"v{version}, values committed {iso(made.written)} UTC",),
        "Generation_date": (day,),
        "Generated_by": ("SciQLOP Pipe",),
        "Software_version": (__version__,),
        "Time_resolution": (facts.cadence or _cadence(ds),),
        "Acknowledgement": (facts.acknowledgement or f"We thank the teams of {title}.",),
        "Rules_of_use": (facts.citation or f"Cite the mission {title} and its instrument teams.",),
        "HTTP_LINK": links,
        "LINK_TITLE": ("publication",) * len(links),
        "Parents": made.inputs,
        DATASET: (facts.dataset,),
        CONTENT: (made.content,),
        "Pipe_code": made.code,
        "Pipe_fingerprints": made.fingerprints,
        "Pipe_release": (made.release,),
        "Pipe_attributes": (json.dumps({str(k): str(v) for k, v in ds.attrs.items()}),),
    }
    return {k: tuple(e for e in v if e) for k, v in every.items() if any(v)}


def _instrument(ds: xr.Dataset, datatype: str) -> str:
    """Return ISTP's word for what measures such things."""
    if datatype.startswith("Wave"):
        return "Radio and Plasma Waves (space)"
    if datatype in ("Position", "Attitude", "MagneticLocation", "TetrahedronShape"):
        return "Ephemeris/Attitude/Ancillary"
    if "species" in ds.attrs:
        return "Plasma and Solar Wind"
    units = {str(v.attrs.get("units", "")) for v in ds.data_vars.values()}
    if "mV m^-1" in units:
        return "Electric Fields (space)"
    return "Magnetic Fields (space)" if "nT" in units else "Plasma and Solar Wind"


def _cadence(ds: xr.Dataset) -> str:
    steps = np.diff(ds["time"].values[:1000]).astype(np.int64)
    return f"{float(np.median(steps)) / 1e9:.4g} s" if steps.size else ""
