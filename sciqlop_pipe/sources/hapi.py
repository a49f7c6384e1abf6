"""HAPI servers: what they have of a dataset, and their binary answers as variables.

Source: HAPI Data Access Specification 3.3, https://github.com/hapi-server/data-specification.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import numpy as np

from ..errors import SourceError, TransientError
from ..granule import Interval, datetime64, instant
from .cache import RawCache
from .cdf_backends import Attribute
from .http import ask, body, host_of
from .rate import servers
from .tables import TableBackend, Variable

if TYPE_CHECKING:
    import http.client

    from .access import Access

SUFFIX = ".hapi"
_NO_DATA = 1201
_OK = (1200, _NO_DATA)
_MAX_BYTES = 64 << 20


def info(server: str, dataset: str, parameters: Sequence[str], access: Access) -> dict[str, Any]:
    """Return a server's description of a dataset: coverage, date of change, parameters.

    Raises
    ------
    SourceError
        The server does not know it.
    TransientError
        The server does not answer properly.
    """
    url = _url(server, "info", {"id": dataset, "parameters": ",".join(parameters)})
    memory = RawCache(Path(access.cache)) if access.cache else None
    if access.offline:
        said = memory.recall(f"hapi {url}") if memory is not None else None
        if said is None:
            raise SourceError(
                "it has not been asked yet, and the network is not to be used",
                url,
                "Run once without --offline",
            )
        return _checked(said, url)

    def read(response: http.client.HTTPResponse) -> str:
        return body(response, access.patience, _MAX_BYTES).decode("utf-8", "replace")

    with servers.turn(host_of(url), access):
        text = ask(url, read, access.patience)
    found = _checked(text, url)
    if memory is not None:
        memory.remember(f"hapi {url}", text)
    return found


def data_url(server: str, dataset: str, parameters: Sequence[str], interval: Interval) -> str:
    """Return the address of the binary data of an interval, with their header in front."""
    query = {
        "id": dataset,
        "parameters": ",".join(parameters),
        "time.min": _stamp(interval.start),
        "time.max": _stamp(interval.stop),
        "format": "binary",
        "include": "header",
    }
    return _url(server, "data", query)


def _stamp(ns: int) -> str:
    return f"{datetime64(ns).astype('M8[ms]')}Z"


def _url(server: str, what: str, query: Mapping[str, str]) -> str:
    known = {k: v for k, v in query.items() if v}
    return f"{server.rstrip('/')}/{what}?{urlencode(known, quote_via=quote, safe='/,:@')}"


def refuse_error(path: Path, url: str) -> None:
    """Refuse an answer that is an error in JSON, whatever status it came with.

    Raises
    ------
    SourceError, TransientError
        What the server says; internal errors (15xx) may pass.
    """
    with path.open("rb") as file:
        start = file.read(1)
    if start == b"#":
        _parts(path)
        return
    text = path.read_text("utf-8", "replace")[:100_000]
    path.unlink()
    _checked(text, url)
    raise SourceError("no header in front of the data", url, "Tell those who run the server")


def _checked(text: str, url: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(text)
        status = found["status"]
        code, said = int(status["code"]), str(status.get("message", ""))
    except (ValueError, KeyError, TypeError) as error:
        raise TransientError(
            f"no HAPI answer but {text[:60]!r}", url, "Check the address, it ends in /hapi"
        ) from error
    if code in _OK:
        return found
    words = f"the HAPI server says {code}: {said}"
    if code >= 1500:
        raise TransientError(words, url, "Try again later")
    raise SourceError(words, url, "Check the dataset and its parameters on the server")


def load(path: Path) -> TableBackend:
    """Return the parameters of a saved answer as variables; none where it has no record.

    Bins become variables of their own, named as DEPEND_i of their parameter. A stream that was
    cut between two records on a server that tells no length cannot be noticed.

    Raises
    ------
    SourceError
        The header cannot be read, or the records do not fit it.
    """
    header, body = _parts(path)
    try:
        return _variables(header, body, path)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, MemoryError) as error:
        raise SourceError(
            f"its header describes no records ({type(error).__name__}: {error})",
            str(path),
            "Tell those who run the server",
        ) from error


def _variables(header: Mapping[str, Any], body: bytes, path: Path) -> TableBackend:
    parameters = header["parameters"]
    dtype = np.dtype([(f"f{i}", *_type(p)) for i, p in enumerate(parameters)])
    if len(body) % dtype.itemsize:
        raise SourceError(
            f"damaged: {len(body)} bytes are no whole number of records of {dtype.itemsize}",
            str(path),
            "Fetch it again",
        )
    records = np.frombuffer(body, dtype)
    if not records.size:
        return TableBackend([], {})
    time_name = parameters[0]["name"]
    variables = [Variable(time_name, _times(records["f0"], path))]
    for i, parameter in enumerate(parameters[1:], 1):
        attrs = _attrs(parameter, time_name)
        values = np.ascontiguousarray(records[f"f{i}"])
        if parameter["type"] == "isotime":
            values = _times(values, path)
        elif values.dtype.kind == "S":
            values = np.char.decode(values, "utf-8", "replace")
        for axis, bins in enumerate(parameter.get("bins") or (), 1):
            centers = bins.get("centers")
            if isinstance(centers, str):
                attrs[f"DEPEND_{axis}"] = centers
            elif centers is not None:
                own = f"{parameter['name']}__{bins.get('name') or axis}"
                table = np.asarray(centers, "f8")
                about = {"UNITS": str(bins.get("units") or "")}
                variables.append(Variable(own, table, about, record_varying=False))
                attrs[f"DEPEND_{axis}"] = own
        variables.append(Variable(parameter["name"], values, attrs))
    said = ("description", "resourceURL", "citation", "modificationDate")
    return TableBackend(variables, {k: (str(header[k]),) for k in said if header.get(k)})


def _parts(path: Path) -> tuple[dict[str, Any], bytes]:
    """Return the header (lines that begin with #) and the records behind it."""
    data, at, lines = path.read_bytes(), 0, []
    while data[at : at + 1] == b"#":
        end = data.find(b"\n", at)
        if end < 0:
            break
        lines.append(data[at + 1 : end])
        at = end + 1
        if not lines[-1].rstrip().endswith(b"}"):
            continue
        try:
            # A record may begin with '#' as well: the header ends where its JSON does.
            header = json.loads(b"\n".join(lines))
        except ValueError:
            continue
        return _checked(json.dumps(header), str(path)), data[at:]
    raise SourceError("damaged: its header cannot be read", str(path), "Fetch it again")


def _type(parameter: Mapping[str, Any]) -> tuple[str, tuple[int, ...]]:
    kinds = {"double": "<f8", "integer": "<i4"}
    kind = kinds.get(parameter["type"]) or f"S{int(parameter['length'])}"
    size = parameter.get("size") or ()
    shape = tuple(int(n) for n in (size if isinstance(size, (list, tuple)) else (size,)))
    return kind, () if shape == (1,) else shape


def _times(values: np.ndarray, path: Path) -> np.ndarray:
    texts = np.char.rstrip(np.char.decode(values, "ascii", "replace"), "Z\x00 ")
    try:
        # Of a leap second numpy knows nothing: what happens in it is told a second later.
        leaps = np.char.endswith(np.char.partition(texts, ".")[..., 0], ":60")
        if leaps.any():
            texts = np.where(leaps, np.char.replace(texts, ":60", ":59"), texts)
        if texts.size and len(texts.flat[0].split("T")[0]) == 8:  # 2016-366: days of the year
            times = np.array([_ordinal(t) for t in texts.flat], "M8[ns]").reshape(texts.shape)
        else:
            times = texts.astype("M8[ns]")
        return times + leaps * np.timedelta64(1, "s")
    except ValueError as error:
        raise SourceError(f"damaged: no times ({error})", str(path), "Fetch it again") from error


def instant_of(text: str) -> int:
    """Return a time as HAPI writes it, "2016-01-01T00:00Z" or "2016-001", in ns since 1970.

    Raises
    ------
    UsageError
        It is none.
    """
    day, clock, rest = text.strip().removesuffix("Z").partition("T")
    if re.fullmatch(r"\d{4}-\d{3}", day):
        day = str(_day_of_year(day))
    return instant(f"{day}{clock}{rest}")


def _ordinal(text: str) -> np.datetime64:
    day, _, clock = text.partition("T")
    return np.datetime64(f"{_day_of_year(day)}T{clock or '00:00'}", "ns")


def _day_of_year(text: str) -> np.datetime64:
    return np.datetime64(f"{text[:4]}-01-01") + np.timedelta64(int(text[5:]) - 1, "D")


def _attrs(parameter: Mapping[str, Any], time_name: str) -> dict[str, Attribute]:
    units = parameter.get("units")
    if isinstance(units, list) and len(set(map(str, units))) == 1:
        units = units[0]  # one for each component
    attrs: dict[str, Attribute] = {
        "DEPEND_0": time_name,
        "UNITS": units if isinstance(units, str) else "",
        "CATDESC": str(parameter.get("description") or ""),
    }
    fill = parameter.get("fill")
    if fill is not None and parameter["type"] in ("double", "integer"):
        try:
            number = float(fill)
        except ValueError:
            number = math.nan
        if not math.isnan(number):
            attrs["FILLVAL"] = int(number) if parameter["type"] == "integer" else number
    return attrs
