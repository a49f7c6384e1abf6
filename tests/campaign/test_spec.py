"""A campaign's file is read whole or refused, with what is wrong and what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciqlop_pipe.campaign import read_campaign
from sciqlop_pipe.errors import PipeError, UsageError
from sciqlop_pipe.granule import Interval
from tests.serial import Bench
from tests.toy import toy_graph

WHOLE = """
name = "triple"
targets = ["toy.d*"]
start = 2030-01-01
stop = 2030-01-02T12:00:00
archives = ["raw"]
transient = ["toy.raw"]

[params."toy.double"]
factor = 3

[limits]
attempts = 2
free = "1MB"
"""


def file(folder: Path, text: str, name: str = "campaign.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_file_says_what_to_do(tmp_path: Path, bench: Bench) -> None:
    spec = read_campaign(file(tmp_path, WHOLE))
    assert (spec.name, spec.limits.attempts, spec.stop) == ("triple", 2, "2030-01-02T12:00:00")
    graph = spec.graph(toy_graph())
    assert dict(graph["toy.double"].params) == {"factor": 3.0}
    assert graph["toy.raw"].transient
    assert {"toy.double", "toy.day"} <= set(spec.names(graph))
    with bench.store() as store:
        assert spec.spans(store, tmp_path) == (Interval.of("2030-01-01", "2030-01-02T12:00"),)


def test_yaml_says_the_same(tmp_path: Path) -> None:
    text = """
name: triple
targets: [toy.d*]
start: 2030-01-01
stop: 2030-01-02T12:00:00
archives: [raw]
transient: [toy.raw]
params: {toy.double: {factor: 3}}
limits: {attempts: 2, free: 1MB}
"""
    yaml = read_campaign(file(tmp_path, text, "campaign.yaml"))
    assert yaml == read_campaign(file(tmp_path, WHOLE))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("targets", "tragets", "'tragets' is unknown here. Did you mean targets?"),
        ("attempts = 2", "atempts = 2", "'atempts' is unknown here. Did you mean attempts?"),
        ("attempts = 2", "attempts = 0", "limits.attempts is 0, expected at least 1"),
        ("attempts = 2", "attempts = 'two'", "expected int, found 'two'"),
        ("start = 2030-01-01", "start = 2030-01-03", "ends (2030-01-02T12:00:00) at or before"),
        ("start = 2030-01-01", "start = 'soon'", "'soon' is not a time"),
        ("stop = 2030-01-02T12:00:00", "", "'stop' is missing"),
        ("archives", "intervals = 'a.csv'\narchives", "more than one interval is named"),
        ('["toy.d*"]', "[]", "there are no targets"),
        ('["toy.d*"]', '"toy.double"', "expected a list, found 'toy.double'"),
        ('"triple"', '"../triple"', "cannot be the name of a campaign"),
        ("archives", "reasons = ['parms']\narchives", "'parms' is no reason to recompute. Did you mean params?"),
        ("archives", "password = 'x'\narchives", "Secrets come from the environment only"),
        ("1MB", "1 lot", "'1 lot' is no size"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = file(tmp_path, WHOLE.replace(old, new, 1))
    with pytest.raises(UsageError) as error:
        read_campaign(path)
    assert said in str(error.value) and "campaign.toml" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("toy.d*", "toy.dubble", "Did you mean toy.double"),
        ('"toy.double"', '"toy.duble"', "Did you mean toy.double"),
        ("factor = 3", "facto = 3", "Did you mean factor"),
        ("factor = 3", "factor = 'three'", "expected float"),
        ('"toy.double"]\nfactor = 3', '"toy.smooth"]\nwindow = "5min"', "which no target is made from"),
        ('"toy.double"]\nfactor = 3', '"toy.raw"]\nx = 1', "it has no params"),
    ],
)  # fmt: skip
def test_what_nobody_declares_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    spec = read_campaign(file(tmp_path, WHOLE.replace(old, new, 1)))
    with pytest.raises(PipeError, match=said.replace("(", r"\(")):
        spec.graph(toy_graph())


def test_a_file_that_is_not_there_is_offered_its_neighbours(tmp_path: Path) -> None:
    file(tmp_path, WHOLE)
    with pytest.raises(UsageError, match=r"Did you mean campaign\.toml"):
        read_campaign(tmp_path / "campain.toml")
    with pytest.raises(UsageError, match="does not parse"):
        read_campaign(file(tmp_path, "name = ", "broken.toml"))


def test_a_campaign_follows_the_events_of_the_store(tmp_path: Path, bench: Bench) -> None:
    bench.files(*range(15, 22))
    bench.run("toy.rises")
    text = WHOLE.replace("start = 2030-01-01", "events = 'toy.rises'\npad = '10min'")
    spec = read_campaign(file(tmp_path, text.replace("stop = 2030-01-02T12:00:00", "")))
    with bench.store() as store:
        (span,) = spec.spans(store, tmp_path)
    assert span.stop - span.start > 20 * 60e9
