"""Small CDF files of every kind that the reader must tell apart."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Literal

import numpy as np
import pycdfpp

Packing = Literal["plain", "blocks", "whole"]
RECORDS = 40
EPOCHS = np.datetime64("2016-12-31T23:59:58.123", "ns") + np.arange(RECORDS) * np.timedelta64(
    150_000_000, "ns"
)
EPOCH_FILL = -1e31


def small_cdf(
    path: Path, packing: Packing = "plain", *, md5: bool = False, large: bool = False
) -> Path:
    """Write a file with all time types, fill values, text and a variable without records.

    With `large` it has a variable of 320 kB too, which is read another way.
    """
    gzip = pycdfpp.CompressionType.gzip_compression
    none = pycdfpp.CompressionType.no_compression
    cdf = pycdfpp.CDF()
    cdf.compression = gzip if packing == "whole" else none
    if md5:
        cdf.checksum = pycdfpp.Checksum.md5_checksum
    cdf.add_attribute("Project", ["STP", "second entry"])
    packed = gzip if packing == "blocks" else none

    def add(name: str, values: np.ndarray, *, fixed: bool = False, kind=None, **attrs) -> None:
        known = {k: v if isinstance(v, str) else [v] for k, v in attrs.items()}
        cdf.add_variable(
            name, values=values, data_type=kind, is_nrv=fixed, compression=packed, attributes=known
        )

    add("Epoch", EPOCHS, kind=pycdfpp.DataType.CDF_TIME_TT2000, UNITS="ns")
    add("epoch_ms", epochs_ms(), kind=pycdfpp.DataType.CDF_EPOCH)
    add("epoch_ps", EPOCHS, kind=pycdfpp.DataType.CDF_EPOCH16)
    flux = np.arange(RECORDS * 12, dtype="f4").reshape(RECORDS, 4, 3)
    flux[3, 1, 2] = -1e31
    add("flux", flux, FILLVAL=np.float32(-1e31), DEPEND_0="Epoch", DEPEND_2="energy", UNITS="1/s")
    wide = np.linspace(0.0, 1.0, RECORDS)
    wide[5] = np.float64(np.float32(-1e31))
    add("wide", wide, FILLVAL=np.float64(-1e31))
    counts = np.arange(RECORDS, dtype="u2")
    add("counts", counts, FILLVAL=np.uint16(65535))
    holes = np.arange(RECORDS, dtype="i4")
    holes[7] = -2147483648
    add("holes", holes, FILLVAL=np.int32(-2147483648))
    add("energy", np.array([[10.0, 100.0, 1000.0]], "f4"), fixed=True, UNITS="eV")
    if large:
        many = np.random.default_rng(2).poisson(0.5, (RECORDS, 50, 40)).astype("f4")
        add("large", many, FILLVAL=np.float32(-1e31), DEPEND_0="Epoch")
    add("labels", np.array([["x", "yy", "zzz"]]), fixed=True)
    pycdfpp.save(cdf, str(path))
    return path


def epochs_ms() -> np.ndarray:
    """The epochs as CDF_EPOCH, one of them fill."""
    stamps = pycdfpp.to_epoch(EPOCHS)
    stamps.view("f8")[2] = EPOCH_FILL
    return stamps


def big_cdf(path: Path, megabytes: int = 8, *, compressed: bool = True) -> Path:
    """Write a file whose one variable fills several blocks, without MD5."""
    values = np.random.default_rng(1).poisson(0.5, (megabytes * 16, 64, 256)).astype("f4")
    cdf = pycdfpp.CDF()
    kind = pycdfpp.CompressionType
    cdf.add_variable(
        "f", values=values, compression=kind.gzip_compression if compressed else kind.no_compression
    )
    cdf.add_variable("index", values=np.arange(len(values), dtype="i4"))
    pycdfpp.save(cdf, str(path))
    return path


def patched(source: Path, path: Path, changes: dict[int, bytes]) -> Path:
    """Write a copy of a file with some bytes replaced, {offset: bytes}."""
    data = bytearray(source.read_bytes())
    for at, new in changes.items():
        data[at : at + len(new)] = new
    path.write_bytes(bytes(data))
    return path


def cut(source: Path, path: Path, size: int) -> Path:
    """Write the first bytes of a file."""
    path.write_bytes(source.read_bytes()[:size])
    return path


def gdr_of(path: Path) -> int:
    """Offset of the global descriptor record of a version 3 file."""
    return int(struct.unpack(">q", path.read_bytes()[20:28])[0])


def first_zvdr_of(path: Path) -> int:
    """Offset of the first zVariable's descriptor record of a version 3 file."""
    at = gdr_of(path) + 20
    return int(struct.unpack(">q", path.read_bytes()[at : at + 8])[0])
