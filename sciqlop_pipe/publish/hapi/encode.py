"""Blocks of records as HAPI sends them: binary, CSV, JSON. Pure: arrays in, bytes out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import times
from .describe import Parameter

CONTENT = {
    "csv": "text/csv; charset=utf-8",
    "binary": "application/octet-stream",
    "json": "application/json; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Block:
    """Some records: times (n,) in nanoseconds and one array (n, *shape) per parameter but time."""

    time: np.ndarray
    columns: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return int(self.time.size)

    def cut(self, start: int, stop: int) -> Block:
        """Return some of the records."""
        return Block(self.time[start:stop], {k: v[start:stop] for k, v in self.columns.items()})


def binary(block: Block, parameters: Sequence[Parameter]) -> bytes:
    """Return records as little-endian doubles, 4-byte integers and padded text."""
    out = np.empty(len(block), [p.binary for p in parameters])
    for i, p in enumerate(parameters):
        out[p.name] = _bytes(block, p, first=not i)
    return out.tobytes()


def _bytes(block: Block, p: Parameter, *, first: bool) -> np.ndarray:
    values = block.time if first else block.columns[p.name]
    if p.kind == "isotime":
        return _stamps(values)
    if p.kind == "string":
        return np.char.encode(values.astype(np.str_), "utf-8") if values.size else values
    return values


def _stamps(values: np.ndarray) -> np.ndarray:
    ns = values.astype("M8[ns]").view(np.int64) if values.dtype.kind == "M" else values
    return times.texts_of(np.ravel(ns)).reshape(values.shape)


def csv(block: Block, parameters: Sequence[Parameter]) -> bytes:
    """Return records as lines; numbers in the fewest digits that give the same double."""
    columns: list[Sequence[str]] = []
    for i, p in enumerate(parameters):
        values = block.time if not i else block.columns[p.name]
        if p.kind in ("double", "integer"):
            columns.append(_rows(values, p.kind))
        else:
            flat = _words(values, p).reshape(len(block), -1).tolist()
            columns.append([",".join(map(_quoted, row)) for row in flat])
    return "".join(f"{','.join(row)}\n" for row in zip(*columns, strict=True)).encode()


def _rows(values: np.ndarray, kind: str) -> list[str]:
    """Return the numbers of each record, separated by commas.

    The text of a nested list is made in C and cut up afterwards: twice as fast as one by one.
    """
    flat = values.reshape(len(values), -1).astype(np.float64 if kind == "double" else np.int64)
    if not flat.size:
        return [""] * len(values)
    text = str(flat.tolist())[2:-2].replace(" ", "")
    if kind == "double" and not np.isfinite(flat).all():
        text = text.replace("nan", "NaN")
    return text.split("],[")


def _words(values: np.ndarray, p: Parameter) -> np.ndarray:
    if p.kind == "isotime":
        return _stamps(values).astype(np.str_)
    return values.astype(np.str_)


def _quoted(text: str) -> str:
    if any(c in text for c in ',"\n\r'):
        doubled = text.replace('"', '""')
        return f'"{doubled}"'
    return text


def records(block: Block, parameters: Sequence[Parameter]) -> bytes:
    """Return records as JSON arrays, one a line; NaN is null, and infinity overflows (1e999)."""
    columns: list[Sequence[str]] = []
    for i, p in enumerate(parameters):
        values = block.time if not i else block.columns[p.name]
        if p.kind in ("double", "integer"):
            whole = values.astype(np.float64 if p.kind == "double" else np.int64).tolist()
            columns.append([_number(str(v)) for v in whole])
        else:
            columns.append([json.dumps(v) for v in _words(values, p).tolist()])
    return ",\n".join(f"[{','.join(row)}]" for row in zip(*columns, strict=True)).encode()


def _number(text: str) -> str:
    text = text.replace(" ", "")
    if "n" in text:  # nan, inf
        text = text.replace("nan", "null").replace("inf", "1e999")
    return text


def header(info: Mapping[str, Any], form: str) -> bytes:
    """Return what stands before the records: lines with #, or the open JSON object."""
    if form == "json":
        return json.dumps(info, ensure_ascii=False)[:-1].encode() + b',\n"data": [\n'
    lines = json.dumps(info, indent=1, ensure_ascii=False).split("\n")
    return "".join(f"#{line}\n" for line in lines).encode()
