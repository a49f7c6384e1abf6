"""What the HAPI project's verifier looks at, written anew from the specification 3.3.

Section numbers are those of https://github.com/hapi-server/data-specification, hapi-3.3.0.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sciqlop_pipe.publish.hapi.times import parse
from tests.publish.hapi.running import Here, app_of
from tests.publish.served import NAMES, RECORDS, START

FIRST, LAST = "2020-11-19T23:00Z", "2020-11-20T01:00Z"
EVENTS = "a1.crossings"
SPANS = {EVENTS: ("2030-01-01Z", "2030-01-01T01Z")}


@pytest.fixture(scope="module")
def here(served: Path) -> Iterator[Here]:
    with app_of(served) as app:
        yield Here(app)


def info(here: Here, name: str, **more: str) -> dict[str, Any]:
    query = "".join(f"&{k}={v}" for k, v in more.items())
    answer = here.get(f"/hapi/info?dataset={name}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def data(here: Here, name: str, **more: str) -> str:
    first, last = SPANS.get(name, (FIRST, LAST))
    span = {"start": first, "stop": last} | more
    query = "&".join(f"{k}={v}" for k, v in span.items())
    answer = here.get(f"/hapi/data?dataset={name}&{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


EVERY = [*NAMES.values(), EVENTS]


def test_metadata_is_json_for_anybody_with_a_date(here: Here) -> None:
    for path in ("capabilities", "about", "catalog", f"info?id={NAMES['vector']}"):
        answer = here.get(f"/hapi/{path}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["last-modified"].endswith("GMT")
        assert answer.json()["HAPI"] == "3.3"
        assert answer.json()["status"]["code"] == 1200


def test_the_landing_page_is_html_with_and_without_a_slash(here: Here) -> None:
    for path in ("/hapi", "/hapi/", "/"):
        assert here.get(path).headers["content-type"].startswith("text/html")


def test_about_and_capabilities_have_what_is_required(here: Here) -> None:
    about = here.get("/hapi/about").json()
    assert {"id", "title", "contact"} <= set(about)
    said = here.get("/hapi/capabilities").json()
    assert said["outputFormats"] == ["csv", "binary", "json"]
    assert said["catalogDepthOptions"] == ["dataset", "all"]


def test_the_catalog_lists_each_dataset_once_and_all_of_it_when_asked(here: Here) -> None:
    names = [e["id"] for e in here.get("/hapi/catalog").json()["catalog"]]
    assert sorted(names) == sorted(EVERY)
    deep = here.get("/hapi/catalog?depth=all").json()["catalog"]
    for entry in deep:
        whole = info(here, entry["id"])
        del whole["HAPI"], whole["status"]
        assert entry["info"] == whole


@pytest.mark.parametrize("name", EVERY)
def test_info_follows_the_specification(here: Here, name: str) -> None:
    said = info(here, name)
    start, stop = parse(said["startDate"]), parse(said["stopDate"])
    sample = parse(said["sampleStartDate"]), parse(said["sampleStopDate"])
    assert start <= sample[0] < sample[1] <= stop
    assert said["timeStampLocation"] in ("begin", "center", "end", "other")
    if "cadence" in said:
        assert re.fullmatch(r"PT[\d.]+S|P\d+D", said["cadence"])
    first, *rest = said["parameters"]
    assert (first["type"], first["units"], first["fill"]) == ("isotime", "UTC", None)
    assert "size" not in first
    names = [p["name"] for p in said["parameters"]]
    assert len({n.lower() for n in names}) == len(names)
    for p in rest:
        parameter_follows_the_specification(p, {q["name"]: q for q in rest})


def parameter_follows_the_specification(p: dict[str, Any], known: dict[str, Any]) -> None:
    """Section 3.6.7 and those it refers to."""
    assert {"name", "type", "units", "fill"} <= set(p)
    assert p["type"] in ("string", "double", "integer", "isotime")
    assert ("length" in p) == (p["type"] in ("string", "isotime"))
    assert p["units"] is None or p["units"].strip()
    if p["type"] == "isotime":
        assert p["units"] == "UTC"
    assert p["fill"] is None or isinstance(p["fill"], str)
    size = p.get("size", [])
    assert all(isinstance(n, int) and n >= 1 for n in size)
    if isinstance(p.get("label"), list):
        assert np.shape(p["label"]) == tuple(size)
    if "vectorComponents" in p:
        assert [len(p["vectorComponents"])] == size
    if "bins" in p:
        assert len(p["bins"]) == len(size)
        for bins, n in zip(p["bins"], size, strict=True):
            assert bins["name"]
            assert bins["units"].strip()
            centers = bins["centers"]
            if isinstance(centers, str):
                assert centers != p["name"]
                assert known[centers]["size"] == [n]
                assert known[centers]["units"] == bins["units"]
            elif centers is not None:
                assert len(centers) == n
                assert all(isinstance(c, float) and np.isfinite(c) for c in centers)


@pytest.mark.parametrize("name", EVERY)
def test_csv_has_the_columns_that_info_tells(here: Here, name: str) -> None:
    said = info(here, name)
    text = data(here, name)
    assert text
    assert text[0] not in "\n #"
    assert text.endswith("\n")
    assert "\n\n" not in text
    rows = list(csv.reader(io.StringIO(text)))
    wide = sum(int(np.prod(p.get("size", [1]))) for p in said["parameters"])
    assert {len(row) for row in rows} == {wide}
    times = [parse(row[0]) for row in rows]
    assert all(len(row[0]) == said["parameters"][0]["length"] for row in rows)
    assert all(row[0].endswith("Z") for row in rows)
    assert times == sorted(set(times))
    at = 0
    for p in said["parameters"]:
        n = int(np.prod(p.get("size", [1])))
        for row in rows:
            for cell in row[at : at + n]:
                fits(cell, p)
        at += n


def fits(cell: str, p: dict[str, Any]) -> None:
    if p["type"] == "double":
        float(cell)
    elif p["type"] == "integer":
        assert str(int(cell)) == cell
    else:
        assert len(cell.encode()) <= p["length"]


@pytest.mark.parametrize("name", EVERY)
def test_one_parameter_is_what_it_was_among_all(here: Here, name: str) -> None:
    whole = info(here, name)
    every = list(csv.reader(io.StringIO(data(here, name))))
    at = 0
    for i, p in enumerate(whole["parameters"]):
        n = int(np.prod(p.get("size", [1])))
        said = info(here, name, parameters=p["name"])
        assert said["parameters"] == whole["parameters"][: 1 if not i else 0] or [
            whole["parameters"][0], p,
        ] == said["parameters"]  # fmt: skip
        rows = list(csv.reader(io.StringIO(data(here, name, parameters=p["name"]))))
        expected = [row[:1] + (row[at : at + n] if i else []) for row in every]
        assert rows == expected
        at += n


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        ("2020-11-19T23:00:00.000Z", "2020-11-19T23:30:00.000Z"),
        ("2020-324T23:00Z", "2020-324T23:30Z"),
        ("2020-11-19T23", "2020-11-19T23:30"),
    ],
)
def test_every_way_to_write_an_interval_gives_the_same(here: Here, start: str, stop: str) -> None:
    name = NAMES["vector"]
    assert data(here, name, start=start, stop=stop) == data(here, name, stop="2020-11-19T23:30Z")


def test_the_words_of_version_2_are_understood(here: Here) -> None:
    name = NAMES["vector"]
    old = here.get(f"/hapi/data?id={name}&time.min={FIRST}&time.max={LAST}&parameters=").text
    assert old == data(here, name)


@pytest.mark.parametrize("name", EVERY)
def test_a_header_is_the_info_with_a_format(here: Here, name: str) -> None:
    lines = data(here, name, include="header").splitlines(keepends=True)
    head = "".join(line[1:] for line in lines if line.startswith("#"))
    body = "".join(line for line in lines if not line.startswith("#"))
    assert json.loads(head) == info(here, name) | {"format": "csv"}
    assert body == data(here, name)


@pytest.mark.parametrize("name", EVERY)
def test_json_holds_what_csv_does(here: Here, name: str) -> None:
    said = json.loads(data(here, name, format="json"))
    rows = list(csv.reader(io.StringIO(data(here, name))))
    assert {k: v for k, v in said.items() if k not in ("data", "format")} == info(here, name)
    assert len(said["data"]) == len(rows)
    for record, row in zip(said["data"], rows, strict=True):
        flat = [x for cell in record for x in np.ravel(np.array(cell, object)).tolist()]
        assert [_same(a, b) for a, b in zip(flat, row, strict=True)] == [True] * len(row)


def _same(value: Any, cell: str) -> bool:
    if value is None:
        return cell == "NaN"
    return cell == value if isinstance(value, str) else float(cell) == value


def test_the_limits_are_inclusive_and_exclusive(here: Here) -> None:
    name = NAMES["scalar"]
    rows = data(here, name, parameters="Time").splitlines()
    some = data(here, name, parameters="Time", start=rows[3], stop=rows[7]).splitlines()
    assert some == rows[3:7]


def test_an_interval_without_data_is_no_error(here: Here) -> None:
    name = NAMES["scalar"]
    span = {"start": "2020-11-19T23:30Z", "stop": "2020-11-19T23:31Z"}
    assert data(here, name, **span) == ""
    for form in ("csv", "json"):
        text = data(here, name, **span, format=form, include="header")
        said = json.loads(text.replace("#", ""))
        assert said["status"]["code"] == 1201
        assert said.get("data", []) == []


def test_records_of_both_hours_come(here: Here) -> None:
    assert len(data(here, NAMES["moments"]).splitlines()) == 2 * RECORDS


@pytest.mark.parametrize(
    ("query", "http", "code"),
    [
        ("info", 400, 1400),
        ("info?dataset=", 400, 1400),
        ("info?dataset=NAME&id=NAME", 400, 1400),
        ("info?dataset=NAME&speed=5", 400, 1401),
        ("capabilities?x=1", 400, 1401),
        ("catalog?depth=deep", 400, 1413),
        ("info?dataset=nobody", 404, 1406),
        ("info?dataset=NAME&parameters=nothing", 404, 1407),
        ("info?dataset=NAME&parameters=spectrum,energy", 400, 1411),
        ("info?dataset=NAME&parameters=spectrum,spectrum", 400, 1411),
        ("info?dataset=NAME&parameters=spectrum,Time", 400, 1411),
        ("info?dataset=NAME&resolve_references=perhaps", 400, 1412),
        ("data?dataset=NAME&stop=2020", 400, 1402),
        ("data?dataset=NAME&start=2020-99&stop=2021", 400, 1402),
        ("data?dataset=NAME&start=2020", 400, 1403),
        ("data?dataset=NAME&start=2020&stop=yesterday", 400, 1403),
        ("data?dataset=NAME&start=2020&stop=2020", 400, 1404),
        ("data?dataset=NAME&start=2021&stop=2020", 400, 1404),
        ("data?dataset=NAME&start=2019&stop=2021", 400, 1405),
        ("data?dataset=nobody&start=2019&stop=2021", 404, 1406),
        ("data?dataset=NAME&SPAN&parameters=nothing", 404, 1407),
        ("data?dataset=NAME&SPAN&format=xml", 400, 1409),
        ("data?dataset=NAME&SPAN&include=all", 400, 1410),
        ("data?dataset=NAME&SPAN&parameters=spectrum,energy", 400, 1411),
        ("nothing", 404, 1400),
    ],
)
def test_every_mistake_has_its_code(here: Here, query: str, http: int, code: int) -> None:
    span = f"start={FIRST}&stop={LAST}"
    answer = here.get("/hapi/" + query.replace("NAME", NAMES["spectrum"]).replace("SPAN", span))
    assert (answer.status_code, answer.json()["status"]["code"]) == (http, code)
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["HAPI"] == "3.3"


def test_an_unknown_name_is_answered_with_near_ones(here: Here) -> None:
    said = here.get("/hapi/info?dataset=a1.ion.moment").json()["status"]["message"]
    assert "a1.ion.moments" in said


def test_a_range_outside_is_answered_with_the_one_there_is(here: Here) -> None:
    url = f"/hapi/data?dataset={NAMES['vector']}&start=2019&stop=2021"
    said = here.get(url).json()["status"]["message"]
    assert "2020-11-19T23:00:00.000000000Z" in said
    assert parse("2020-11-19T23:00Z") == START
