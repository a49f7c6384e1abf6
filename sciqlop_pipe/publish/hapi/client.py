"""A HAPI server as a place to read from: one request for what there is, binary for data."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import threading
import urllib.error
import urllib.request
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np

from ...errors import SourceError, TransientError
from ...granule import Interval
from . import times
from .encode import Block
from .status import NO_DATA, OK

_SAME = 304
_AT_ONCE = 8
"""Requests at a time to a server that tells of one dataset only."""
_KINDS = {"double": "<f8", "integer": "<i4"}


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: its HTTP status, its body, and the tag by which the server knows it again."""

    status: int
    body: bytes = b""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Remote:
    """A HAPI server, of ours or of anybody.

    Parameters
    ----------
    server : str
        Its address, which ends in /hapi.
    timeout : float
        How long it may be silent [s].
    kept : Path, optional
        A folder for what servers said last of all their datasets. It is asked for again only where
        the server says that it has changed.
    """

    server: str
    timeout: float = 30.0
    kept: Path | None = None

    def infos(self) -> Mapping[str, dict[str, Any]]:
        """Return the info answer of every dataset, by name.

        A server that can tells all of them at once; others are asked one by one.

        Raises
        ------
        TransientError, SourceError
            When the server does not answer, or not as HAPI.
        """
        options = self._json("capabilities").get("catalogDepthOptions", ())
        if "all" in options:
            listed = self._whole_catalog()["catalog"]
            told = ((e["id"], e.get("info") or e.get("x_promised")) for e in listed)
            return {name: info for name, info in told if info}
        names = [e["id"] for e in self._json("catalog")["catalog"]]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            infos = list(pool.map(lambda name: self._json("info", id=name), names))
        return dict(zip(names, infos, strict=True))

    def _whole_catalog(self) -> dict[str, Any]:
        """Return what all datasets are, from the folder where the server says it is the same."""
        digest = hashlib.blake2b(self.server.encode(), digest_size=8).hexdigest()
        file = self.kept / f"{digest}.json" if self.kept is not None else None
        tag, before = _kept(file)
        said = self._get("catalog", {"depth": "all"}, tag=tag)
        if said.status == _SAME:
            return before
        found = _checked(said.body, self.server)
        if file is not None and said.tag:
            _keep(file, said)
        return found

    def info(self, name: str) -> dict[str, Any]:
        """Return the info answer of one dataset."""
        return self._json("info", dataset=name)

    def made(self, name: str, interval: Interval) -> dict[str, Any]:
        """Return the info answer of a dataset that was only promised: the server makes some."""
        return self.info(name)

    def read(
        self, name: str, names: Sequence[str], interval: Interval
    ) -> tuple[list[dict[str, Any]], Block]:
        """Return the parameter objects of an answer, and its records.

        Raises
        ------
        TransientError, SourceError
            As the server says.
        """
        query = {
            "dataset": name,
            "parameters": ",".join(names),
            "start": times.text_of(interval.start),
            "stop": times.text_of(interval.stop),
            "format": "binary",
            "include": "header",
        }
        header, body = _parted(self._get("data", query).body, self.server)
        parameters = header["parameters"]
        dtype = np.dtype([_field(p) for p in parameters])
        if len(body) % dtype.itemsize:
            raise TransientError("the answer was cut short", f"{self.server} {name}", "Try again")
        records = np.frombuffer(body, dtype)
        columns = {p["name"]: _column(records, p) for p in parameters[1:]}
        return parameters, Block(_instants(records[parameters[0]["name"]]), columns)

    def _json(self, endpoint: str, **query: str) -> dict[str, Any]:
        return _checked(self._get(endpoint, query).body, self.server)

    def _get(self, endpoint: str, query: Mapping[str, str], *, tag: str = "") -> Said:
        known = {k: v for k, v in query.items() if v}
        words = urlencode(known, quote_via=quote, safe="/,:@")
        url = f"{self.server.rstrip('/')}/{endpoint}" + (f"?{words}" if words else "")
        headers = {"user-agent": "sciqlop-pipe"}
        if endpoint == "catalog":  # the longest of all answers that compress well
            headers["accept-encoding"] = "gzip"
        if tag:
            headers["if-none-match"] = tag
        request = urllib.request.Request(url, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                body: bytes = answer.read()
                if answer.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                return Said(answer.status, body, answer.headers.get("etag") or "")
        except urllib.error.HTTPError as error:
            if tag and error.code == _SAME:
                return Said(_SAME)
            with error:
                _checked(error.read(100_000), url, error.code)
            raise
        except (OSError, ValueError, EOFError, zlib.error) as error:
            raise TransientError(
                f"the server does not answer ({error})", self.server, "Is the address right?"
            ) from error


def _kept(file: Path | None) -> tuple[str, dict[str, Any]]:
    """Return tag and content of an answer that was kept; no tag where none is whole."""
    if file is None:
        return "", {}
    try:
        tag, _, body = file.read_bytes().partition(b"\n")
        return tag.decode("ascii"), _checked(body, str(file))
    except (OSError, ValueError, TransientError, SourceError):
        return "", {}


def _keep(file: Path, said: Said) -> None:
    """Keep an answer; a full disk costs a longer request the next time, and nothing else."""
    part = file.with_name(f"{file.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(said.tag.encode("ascii", "replace") + b"\n" + said.body)
        part.replace(file)
    except OSError:
        with suppress(OSError):
            part.unlink()


def _checked(body: bytes, where: str, http: int = 200) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(body)
        code, said = int(found["status"]["code"]), str(found["status"].get("message", ""))
    except (ValueError, KeyError, TypeError):
        raise TransientError(
            f"no HAPI answer but {body[:60]!r} (HTTP {http})", where, "Addresses end in /hapi"
        ) from None
    if code in (OK, NO_DATA):
        return found
    kind = TransientError if code >= 1500 else SourceError
    raise kind(f"the server says {code}: {said}", where)


def _parted(data: bytes, where: str) -> tuple[dict[str, Any], bytes]:
    """Return the header of a binary answer and what follows it."""
    at, lines = 0, []
    while data[at : at + 1] == b"#" and (end := data.find(b"\n", at)) >= 0:
        lines.append(data[at + 1 : end])
        at = end + 1
        if lines[-1].rstrip() == b"}":
            try:
                header: dict[str, Any] = json.loads(b"\n".join(lines))
            except ValueError:
                continue
            return header, data[at:]
    _checked(data, where)
    raise TransientError("no header in front of the data", where)


def _field(p: Mapping[str, Any]) -> tuple[Any, ...]:
    kind = _KINDS.get(p["type"]) or f"S{int(p['length'])}"
    size = tuple(p.get("size") or ())
    return (p["name"], kind, size) if size else (p["name"], kind)


def _column(records: np.ndarray, p: Mapping[str, Any]) -> np.ndarray:
    values = np.ascontiguousarray(records[p["name"]])
    if p["type"] == "isotime":
        return _instants(values)
    if p["type"] == "string":
        return np.char.decode(values, "utf-8", "replace")
    dtype = p.get("x_dtype")
    if dtype is not None and np.dtype(dtype).kind in "iu" and not np.isfinite(values).all():
        return values  # filled where other modes have nothing
    return values.astype(np.dtype(dtype)) if dtype is not None else values


def _instants(values: np.ndarray) -> np.ndarray:
    """Return HAPI times as integer nanoseconds."""
    texts = np.char.rstrip(np.char.decode(values, "ascii", "replace"), "Z\x00 ")
    try:
        return texts.astype("M8[ns]").view(np.int64)
    except ValueError:
        each = [times.parse(t) for t in np.ravel(texts).tolist()]
        return np.array(each, np.int64).reshape(values.shape)
