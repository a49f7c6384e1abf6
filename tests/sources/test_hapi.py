"""Answers of HAPI servers: what is no description of records is refused, whatever it is."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.granule import instant
from sciqlop_pipe.sources import hapi
from sciqlop_pipe.sources.cdf import CdfFile

HEADER: dict[str, Any] = {
    "HAPI": "3.2",
    "status": {"code": 1200, "message": "OK"},
    "parameters": [
        {"name": "Time", "type": "isotime", "length": 24},
        {"name": "B", "type": "double", "size": [3], "units": "nT", "fill": "-1e31"},
    ],
}


def saved(folder: Path, header: dict[str, Any], *times: str) -> Path:
    path = folder / "answer.hapi"
    lines = json.dumps(header, indent=1).splitlines()
    body = b"".join(t.encode().ljust(24, b"\0") + np.ones(3).tobytes() for t in times)
    path.write_bytes(b"".join(b"#" + line.encode() + b"\n" for line in lines) + body)
    return path


def times_of(path: Path) -> list[str]:
    return CdfFile(path, hapi.load(path)).times("Time").astype("M8[ms]").astype(str).tolist()


SPOILT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no parameters": lambda h: h.pop("parameters"),
    "none of them": lambda h: h.update(parameters=[]),
    "a word": lambda h: h.update(parameters="B"),
    "numbers": lambda h: h["parameters"].append(1),
    "no length": lambda h: h["parameters"][0].pop("length"),
    "negative length": lambda h: h["parameters"][0].update(length=-4),
    "no name": lambda h: h["parameters"][1].pop("name"),
    "no type": lambda h: h["parameters"][1].pop("type"),
    "another type": lambda h: h["parameters"][1].update(type="float128"),
    "huge": lambda h: h["parameters"][1].update(size=[10**6] * 4),
    "negative size": lambda h: h["parameters"][1].update(size=[-3]),
    "wordy bins": lambda h: h["parameters"][1].update(bins=[{"centers": ["x"]}]),
    "no bins": lambda h: h["parameters"][1].update(bins=[None]),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_header_that_describes_no_records_is_refused(tmp_path: Path, name: str):
    header = copy.deepcopy(HEADER)
    SPOILT[name](header)
    with pytest.raises(SourceError):
        hapi.load(saved(tmp_path, header, "2020-01-01T00:00:00.000Z"))


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2020-02-01T00:00:00.000Z", "2020-02-01T00:00:00.000"),
        ("2020-02-01T00:00Z", "2020-02-01T00:00:00.000"),
        ("2020-032T01:30:00.5Z", "2020-02-01T01:30:00.500"),
        ("2020-02Z", "2020-02-01T00:00:00.000"),
        ("2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.250"),
        ("2016-366T23:59:60Z", "2017-01-01T00:00:00.000"),
    ],
)
def test_times_are_read_however_they_are_told(tmp_path: Path, told: str, meant: str):
    assert times_of(saved(tmp_path, HEADER, told)) == [meant]


def test_the_ends_of_coverage_may_be_told_in_days_of_the_year():
    assert hapi.instant_of("2020-032T01:30Z") == instant("2020-02-01T01:30")
    assert hapi.instant_of("2020-032Z") == instant("2020-02-01")
    assert hapi.instant_of("2020-02-01T01:30:00Z") == instant("2020-02-01T01:30")
    assert hapi.instant_of("2020-02Z") == instant("2020-02-01")
    assert hapi.instant_of("2020Z") == instant("2020-01-01")


def test_a_unit_that_is_told_for_each_component_is_the_unit(tmp_path: Path):
    header = copy.deepcopy(HEADER)
    header["parameters"][1]["units"] = ["nT", "nT", "nT"]
    path = saved(tmp_path, header, "2020-01-01T00:00:00.000Z")
    assert CdfFile(path, hapi.load(path)).attrs("B")["UNITS"] == "nT"
    header["parameters"][1]["units"] = ["nT", "nT", "deg"]
    path = saved(tmp_path, header, "2020-01-01T00:00:00.000Z")
    assert CdfFile(path, hapi.load(path)).attrs("B")["UNITS"] == ""
