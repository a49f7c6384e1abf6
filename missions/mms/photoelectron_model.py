"""The FPI team's model of the electrons that sunlight knocks out of MMS DES, and where it is kept.

One file per mode and energy table for the whole mission, as
`mms_fpi_brst_l2_des-bgdist_v1.1.0_p0-2.cdf`:
f of a photo-electron density of 1 for each degree of spin phase. The des-moms files name the model
and the factor of their interval, and have the spin phase of each record.

What is known of it, and what is not, is in the README of this folder.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from sciqlop_pipe.datatype import DataType, Var
from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.sources.archive import Listing, RawFile
from sciqlop_pipe.sources.cdf import CdfFile
from sciqlop_pipe.sources.conventions import Deltas, extent_of, finished, require, time_of
from sciqlop_pipe.sources.files import FileSource, LastFile, Loaded, LocalFile, merge_by_time

PHASES = 360
COUNTS_PER_PHASE = 16
"""A turn has 5760 counts of spin phase; the model has a record per degree."""

SPAN = {"fast": "121min", "brst": "15min"}
STAMP = "{start:%Y%m%d%H%M%S}_v{version}.cdf"
_CM6 = np.float32(1e12)
_AXES = ("table", "phase", "phi_bin", "theta_bin", "energy_bin")
_SHAPE = (PHASES, 32, 16, 32)
_ABOUT_F = {"units": "s^3 m^-6", "long_name": "photo-electrons of a factor of 1"}
_TABLES = {"fast": ("mms_des_bgdist_fast",),
           "brst": ("mms_des_bgdist_p0_brst", "mms_des_bgdist_p1_brst")}  # fmt: skip

Photoelectrons = DataType(
    "Photoelectrons",
    (
        Var("f", (_AXES,), "s^3 m^-6"),
        Var("table_index", (("time",),), "1"),
        Var("phase_index", (("time",),), "1"),
        Var("factor", (("time",),), "1"),
    ),
    main="factor",
    description="model of the instrument's photo-electrons, and where each record is in it",
)


@dataclass(frozen=True, slots=True)
class PhaseAdapter:
    """Reads of a des-moms file the spin phase and energy table of each record, and the factor.

    Indices are -1 where the file has a fill value. The model is in a file of its own, which the
    attribute `model` names: f has no table yet.
    """

    probe: str
    mode: str

    def _name(self, quantity: str) -> str:
        return f"mms{self.probe}_des_{quantity}_{self.mode}"

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self._name("startdelphi_count")])
        return extent_of(time_of(cdf, self._name("startdelphi_count"), Deltas()))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return Photoelectrons of every record, without tables of f."""
        count, parity = self._name("startdelphi_count"), self._name("steptable_parity")
        require(cdf, [count, parity] if self.mode == "brst" else [count])
        time = time_of(cdf, count, Deltas())
        counts = cdf.values(count).reshape(-1).astype(np.float64)
        table = np.zeros(time.size)
        if self.mode == "brst":
            table = cdf.values(parity).reshape(-1).astype(np.float64)
        phase = np.floor(counts / COUNTS_PER_PHASE) % PHASES
        known = {
            "table_index": (_index(table), "energy table of the model, -1 if unknown"),
            "phase_index": (_index(phase), "spin phase of the model [deg], -1 if unknown"),
            "factor": (np.full(time.size, _factor(cdf), np.float32), "factor of the model"),
        }
        found = {
            name: xr.DataArray(v, dims=("time",), attrs={"units": "1", "long_name": words})
            for name, (v, words) in known.items()
        }
        found["f"] = xr.DataArray(np.empty((0, *_SHAPE), np.float32), dims=_AXES, attrs=_ABOUT_F)
        ds = xr.Dataset(found, coords={"time": time}, attrs={"model": _model_name(cdf)})
        return finished(ds, cdf, None, [])


@dataclass(frozen=True, slots=True)
class ModelAdapter:
    """Reads f [s^3 m^-6] of a model file, (table, phase, phi_bin, theta_bin, energy_bin)."""

    mode: str

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return f of one energy table (fast) or two (burst)."""
        names = _TABLES[self.mode]
        require(cdf, names)
        parts = [cdf.values(name) for name in names]
        if odd := [p.shape for p in parts if p.shape != _SHAPE]:
            raise SourceError(f"the model has shape {odd[0]}, expected {_SHAPE}", str(cdf.path))
        f = np.empty((len(parts), *_SHAPE), np.float32)
        for i, part in enumerate(parts):
            np.multiply(part, _CM6, out=f[i], casting="same_kind")
        return xr.Dataset({"f": (_AXES, f, dict(_ABOUT_F))})


@dataclass(frozen=True)
class PhotoelectronSource(FileSource):
    """Moments files of DES, each with the files of the model: read with a `PhaseAdapter`.

    Model files have no time in their names: each is listed once with every file of moments, over
    the same time. Which of them counts is written in the file of moments.
    """

    mode: str = "brst"

    @property
    def models(self) -> str:
        """Return what the names of the model files begin with."""
        return f"mms_fpi_{self.mode}_l2_des-bgdist_"

    def candidates(self, listing: Listing) -> tuple[RawFile, ...]:
        """Return the files of moments and, over the same times, those of the model."""
        files = super().candidates(listing)
        found: dict[str, RawFile] = {}
        for i in range(bisect_left(listing.names, self.models), len(listing.names)):
            name = listing.names[i]
            if not name.startswith(self.models):
                break
            if (version := _version(name)) is not None and name not in found:
                folder = listing.folders[listing.folder_of[i]]
                found[name] = RawFile(name, folder + name, 0, None, version, listing.sizes[i],
                                      listing.stamps[i])  # fmt: skip
        spans = [(file, self.extent(file)) for file in files]
        beside = [replace(model, start=span.start, stop=span.stop)
                  for _, span in spans for model in found.values()]  # fmt: skip
        return tuple(sorted([*files, *beside], key=lambda f: f.start))

    def extent(self, file: RawFile) -> Interval:
        """Return the interval that a file may hold records of."""
        if file.name.startswith(self.models) and file.stop is not None:
            return Interval(file.start, file.stop)
        return super().extent(file)

    def read(self, files: Sequence[LocalFile], interval: Interval, *, salvage: bool) -> Loaded:
        """Return the Photoelectrons of [start, stop).

        Raises
        ------
        SourceError
            When the model that a file of moments names is not in the archives.
        """
        models = [f for f in files if f.raw.name.startswith(self.models)]
        pieces: list[xr.Dataset] = []
        used: list[LocalFile] = []
        chosen: dict[str, LocalFile] = {}
        tables = len(_TABLES[self.mode])
        for file in files:
            if file in models:
                continue
            piece = self._piece(file, interval, salvage)
            if piece is None:
                continue
            model = _chosen(piece.attrs.pop("model"), models, str(file.path))
            chosen.setdefault(model.checksum, model)
            index, first = piece["table_index"], tables * list(chosen).index(model.checksum)
            moved = np.where(index.values < 0, -1, index.values + first).astype(np.int32)
            placed = piece.drop_vars("f").assign(table_index=("time", moved, index.attrs))
            pieces.append(placed)
            used.append(file)
        merged = merge_by_time(pieces)
        if merged is not None:
            maps = [self._model(file)["f"] for file in chosen.values()]
            merged["f"] = maps[0] if len(maps) == 1 else xr.concat(maps, dim="table")
            merged.attrs["model"] = ", ".join(f.raw.name for f in chosen.values())
        return Loaded(merged, (*used, *chosen.values()), ())

    def _model(self, file: LocalFile) -> xr.Dataset:
        adapter = ModelAdapter(self.mode)
        key = (file.checksum, adapter)
        ds = _last_model.content(key)
        if ds is None:
            with self.open(file.path) as cdf:
                ds = adapter(cdf)
            _last_model.remember(key, ds)
        return ds


_last_model = LastFile()


def _index(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, -1).astype(np.int32)


def _word(cdf: CdfFile, name: str) -> str:
    entries = cdf.global_attrs.get(name, ())
    return str(entries[0]).strip() if entries else ""


def _model_name(cdf: CdfFile) -> str:
    word = _word(cdf, "Photoelectron_model_filenames")
    if _stepper(word) is None:
        raise SourceError(f"no model of photo-electrons is named ('{word}')", str(cdf.path),
                          "Use the distribution as it is: `.vdf`, `.moments`")  # fmt: skip
    return word


def _factor(cdf: CdfFile) -> float:
    word = _word(cdf, "Photoelectron_model_scaling_factor")
    try:
        return float(word)
    except ValueError:
        raise SourceError(
            f"'{word}' is no factor of a photo-electron model", str(cdf.path)
        ) from None


def _version(name: str) -> tuple[int, ...] | None:
    found = re.search(r"_v(\d+(?:\.\d+)*)_p\d+-\d+\.cdf$", name)
    return tuple(map(int, found.group(1).split("."))) if found else None


def _stepper(name: str) -> str | None:
    found = re.search(r"_p(\d+-\d+)\.cdf$", name)
    return found.group(1) if found else None


def _chosen(name: str, models: Sequence[LocalFile], where: str) -> LocalFile:
    """Return the model of this name, or the newest version of it."""
    same = [m for m in models if _stepper(m.raw.name) == _stepper(name)]
    if not same:
        raise SourceError(f"the model of photo-electrons {name} is in no archive", where,
                          "Put it there: the SDC has it in data/models/fpi/")  # fmt: skip
    named = [m for m in same if m.raw.name == name]
    return named[0] if named else max(same, key=lambda m: m.raw.version)
