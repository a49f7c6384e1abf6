"""Lists of intervals come as CSV, VOTable or JSON; what cannot be read is named, never dropped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sciqlop_pipe.catalog import Catalog, to_csv, to_json
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import MINUTE, Interval, instant
from sciqlop_pipe.intervals import read_intervals
from sciqlop_pipe.store.records import Event

WANTED = [
    Interval.of("2015-12-01T09:00", "2015-12-01T09:10"),
    Interval.of("2015-12-02", "2015-12-03"),
]
ROWS = "2015-12-01T09:00:00Z,2015-12-01T09:10\n2015-12-02,2015-12-03\n"


def votable(fields: str, *rows: tuple[str, ...]) -> str:
    body = "".join(f"<TR>{''.join(f'<TD>{c}</TD>' for c in row)}</TR>" for row in rows)
    return (
        '<?xml version="1.0"?><VOTABLE xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE>'
        f"<TABLE>{fields}<DATA><TABLEDATA>{body}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    )


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "list"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    "text",
    [
        ROWS,
        "start,stop\n" + ROWS,
        "# my shocks\n\nStart Time, Stop Time\n  \n" + ROWS,
        "\ufeffstart,stop\n" + ROWS,
        "kind,end,begin\nshock,2015-12-01T09:10,2015-12-01T09:00\nday,2015-12-03,2015-12-02\n",
        json.dumps([{"start": "2015-12-01T09:00", "stop": "2015-12-01T09:10"},
                    {"start": "2015-12-02", "stop": "2015-12-03"}]),
        votable("", ("2015-12-01T09:00", "2015-12-01T09:10"), ("2015-12-02", "2015-12-03")),
        votable('<FIELD name="id"/><FIELD name="Start Time"/><FIELD name="Stop Time"/>',
                ("a", "2015-12-01T09:00", "2015-12-01T09:10"), ("b", "2015-12-02", "2015-12-03")),
        votable('<FIELD name="b" ucd="time.end"/><FIELD name="a" ucd="time.start;obs"/>',
                ("2015-12-01T09:10", "2015-12-01T09:00"), ("2015-12-03", "2015-12-02")),
    ],
    ids=["bare", "header", "comments", "byte order mark", "other columns", "json", "votable",
         "votable by name", "votable by ucd"],
)  # fmt: skip
def test_every_format_gives_the_same_intervals(file, text: str) -> None:
    assert read_intervals(file(text)) == WANTED


def test_an_exported_catalog_is_a_list_of_intervals(file) -> None:
    events = tuple(Event(f"e{i}", "shock", w.start, w.stop) for i, w in enumerate(WANTED))
    catalog = Catalog("mine.shocks", events, {})
    for text in (to_csv(catalog), to_json(catalog)):
        assert read_intervals(file(text)) == WANTED


def test_intervals_are_widened_by_the_pad(file) -> None:
    assert read_intervals(file(ROWS), "5min") == [w.padded(5 * MINUTE) for w in WANTED]


def test_a_moment_needs_a_pad(file) -> None:
    moment = file("2015-12-01T09:00,2015-12-01T09:00\n")
    (found,) = read_intervals(moment, "5min")
    assert found.start == instant("2015-12-01T08:55")
    assert found.stop - instant("2015-12-01T09:05") <= 1
    with pytest.raises(UsageError, match="at or before it starts"):
        read_intervals(moment)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there are no intervals"),
        ("start,stop\n", "there are no intervals"),
        ("[]", "there are no intervals"),
        ("from,until\n" + ROWS, "'from' is not a time"),
        ("2015-12-01,tomorrow\n", "'tomorrow' is not a time"),
        ("2015-12-02,2015-12-01\n", "at or before it starts"),
        ("start,stop\n2015-12-01\n", "row '2015-12-01' has 1 columns"),
        ("{}", "not a list of intervals (KeyError('events'))"),
        ('[{"start": "2015-12-01"}]', "KeyError('stop')"),
        ("[1, 2]", "not a list of intervals"),
        ("{broken", "not a list of intervals"),
        ("<VOTABLE><TR>", "not a list of intervals"),
        (votable("", ("2015-12-01",)), "a row has 1 columns"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_file(file, text: str, words: str) -> None:
    path = file(text)
    with pytest.raises(UsageError) as refusal:
        read_intervals(path)
    assert words in str(refusal.value)
    assert str(path) in str(refusal.value)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_intervals(tmp_path / "nowhere.csv")
    (tmp_path / "picture").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read"):
        read_intervals(tmp_path / "picture")
