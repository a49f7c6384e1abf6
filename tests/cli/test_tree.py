"""The data tree says what there is, what it needs, and whom to thank."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import sciqlop_pipe.cli.running as running
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission
from sciqlop_pipe.publish.citing import dois
from tests.cli.test_cli import DAY, Command, cli  # noqa: F401
from tests.toy import toy_mission, write_day


@pytest.fixture
def tree(cli: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:  # noqa: F811
    """The toy mission with a citation, run over two hours."""
    first, *rest = toy_mission().datasets
    mission = Mission(
        "toy",
        [replace(first, cadence="1min", citation="Toy 2030, doi:10.5555/toy.raw"), *rest],
        title="Toy mission",
        citation="Maker 2029, J. Toys, doi:10.5555/12345.",
        acknowledgement="We thank the makers.",
    )
    made = Graph.of([mission])
    monkeypatch.setattr(running.Graph, "discover", classmethod(lambda cls: made))
    write_day(tmp_path / "raw", range(2))
    assert cli("run", "toy.double", *DAY, "--store", "S").status == 0
    return cli


def test_the_tree_shows_cadence_needs_and_what_store_and_archive_have(tree: Command) -> None:
    out = tree("graph", "toy", "--store", "S", "--archive", "raw").out
    raw = next(line for line in out.splitlines() if "raw" in line and "store:" in line)
    assert "every 1min" in raw
    assert "store: 120 records, 2030-01-01 to" in raw
    assert "archive: 2 files, 2030-01-01 to 2030-01-01T02:00:00" in raw
    double = next(line for line in out.splitlines() if "double" in line)
    assert "needs toy.raw" in double
    assert "every ~60s" in double


def test_the_export_has_all_a_publisher_needs(tree: Command) -> None:
    found = json.loads(tree("graph", "--json", "--store", "S").out)
    assert found["missions"][0]["acknowledgement"] == "We thank the makers."
    rows = {d["name"]: d for d in found["datasets"]}
    assert rows["toy.double"]["inputs"] == {"x": "toy.raw"}
    assert rows["toy.double"]["store"]["records"] == 120
    assert (rows["toy.raw"]["cadence"], rows["toy.raw"]["archive"]) == ("1min", None)


def test_search_wants_all_words_and_says_near_ones(tree: Command) -> None:
    assert "toy.double" in tree("search", "TOY", "double").out
    assert "toy.raw " not in tree("search", "double").out
    assert "Did you mean double" in tree("search", "doubel").out


def test_cite_names_papers_dois_code_and_versions_of_files(tree: Command) -> None:
    found = json.loads(tree("cite", "toy.double", "--store", "S", "--json").out)
    assert found["missions"][0]["dois"] == ["10.5555/12345", "10.5555/toy.raw"]
    assert found["made_from"] == ["toy.raw"]
    assert found["versions"]["toy.double"].startswith("doubled@") or found["versions"]
    assert sum(found["files"]["toy.raw"].values()) == 2
    text = tree("cite", "toy.double").out
    assert "We thank the makers." in text and "https://doi.org/10.5555/12345" in text


def test_an_archive_that_needs_an_interval_says_so(tree: Command) -> None:
    said = tree("graph", "toy", "--archive", "speasy")
    assert said.status == 2 and "Give --start and --stop" in said.err


def test_dois_end_where_the_sentence_does() -> None:
    assert dois("A 2016, doi:10.1007/s11214-015-0164-9; B (doi:10.1/x)") == [
        "10.1007/s11214-015-0164-9"
    ]
    assert dois("see 10.1002/2016JA022707.", "10.1002/2016JA022707") == ["10.1002/2016JA022707"]
