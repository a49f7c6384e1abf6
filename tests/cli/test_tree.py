"""The data tree says what there is, what it needs, and whom to thank."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import sciqlop_pipe.cli.running as running
from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission, raw
from sciqlop_pipe.publish.citing import dois
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import VectorAdapter
from tests.cli.test_cli import DAY, Command, cli  # noqa: F401
from tests.toy import toy_mission, write_day


def twins() -> Mission:
    """Two spacecraft with the same magnetometer, which CDAWeb has."""
    field = VectorAdapter(variable="B", units="nT", frame="GSE")
    source = FileSource("tw_{start:%Y%m%d}.cdf", field, remote=on_cdaweb("TW_H0_MAG", "B"))
    return Mission(
        "twins",
        [
            raw(f"twin{i}.mag.b", VectorSeries, source, granule="1d", description="magnetic field")
            for i in "12"
        ],
    )


@pytest.fixture
def declared(cli: Command, monkeypatch: pytest.MonkeyPatch) -> Command:  # noqa: F811
    """The toy mission with a citation, and one of two spacecraft."""
    first, *rest = toy_mission().datasets
    mission = Mission(
        "toy",
        [replace(first, cadence="1min", citation="Toy 2030, doi:10.5555/toy.raw"), *rest],
        title="Toy mission",
        citation="Maker 2029, J. Toys, doi:10.5555/12345.",
        acknowledgement="We thank the makers.",
        archives=["https://toys.example/"],
    )
    made = Graph.of([mission, twins()])
    monkeypatch.setattr(running.Graph, "discover", classmethod(lambda cls: made))
    return cli


@pytest.fixture
def tree(declared: Command, tmp_path: Path) -> Command:
    """The same, run over two hours."""
    write_day(tmp_path / "raw", range(2))
    assert declared("run", "toy.double", *DAY, "--store", "S").status == 0
    return declared


def test_the_tree_shows_cadence_needs_and_what_store_and_archive_have(tree: Command) -> None:
    out = tree("graph", "toy", "--store", "S", "--archive", "raw").out.splitlines()
    at = next(i for i, line in enumerate(out) if "raw ScalarSeries [nT]" in line)
    assert "every 1min" in out[at]
    assert "store: 120 records, 2030-01-01 to" in out[at + 1]
    assert "archive: 2 files, 2030-01-01 to 2030-01-01T02:00:00" in out[at + 2]
    at = next(i for i, line in enumerate(out) if "double" in line)
    assert "every ~1min" in out[at]
    assert "needs toy.raw" in out[at + 1]


def test_what_has_no_server_says_what_to_do_and_what_has_one_how_to_open_it(
    declared: Command,
) -> None:
    out = declared("graph", "toy").out
    assert "raw, files only" in out
    assert "Bring their files from https://toys.example/ into a folder" in out
    assert "no server is declared: bring the files" in declared("explain", "toy.raw").out
    out = declared("graph", "twins").out
    assert "raw, speasy:cda or hapi+https://SERVER/hapi" in out
    assert "files only" not in out
    assert "--archive speasy:cda or hapi+" in declared("explain", "twin1.mag.b").out
    found = json.loads(declared("graph", "twins", "--json").out)["datasets"][0]
    assert found["doors"] == ["speasy:cda", "hapi+https://SERVER/hapi"]
    assert found["known_as"] == ["cda/TW_H0_MAG", "TW_H0_MAG"]


def test_spacecraft_that_have_the_same_are_shown_once(declared: Command) -> None:
    out = declared("graph", "twins").out
    assert "twin1  twin2: the same" in out
    assert out.count("b VectorSeries") == 1
    found = declared("search", "twin", "field").out.splitlines()
    assert len(found) == 1 and found[0].startswith("twin1.mag.b (also twin2) VectorSeries [nT]")


def test_alone_it_shows_instruments_and_a_beginning_of_names_shows_what_is_there(
    declared: Command,
) -> None:
    out = declared("graph").out
    assert "mag (1 raw)" in out and "VectorSeries" not in out
    assert "b VectorSeries" in declared("graph", "twin2.mag").out
    assert "Did you mean twin2.mag" in declared("graph", "twin2.mga").err


def test_it_is_found_by_what_servers_call_it(declared: Command) -> None:
    assert "twin1.mag.b" in declared("search", "TW_H0_MAG").out
    assert "toy.raw" in declared("search", "toy_{start").out


def test_a_picture_is_cited_from_its_file_alone(tree: Command, tmp_path: Path) -> None:
    picture = str(tmp_path / "p.png")
    hours = ("--start", "2030-01-01", "--stop", "2030-01-01T02:00")
    assert tree("quicklook", "toy.double", *hours, "--store", "S", "--output", picture).status == 0
    found = json.loads(tree("cite", picture, "--json").out)
    assert found["datasets"] == ["toy.double"]
    assert found["interval"] == ["2030-01-01", "2030-01-01T02:00:00"]
    assert sum(found["files"]["toy.raw"].values()) == 2
    assert found["missions"][0]["dois"] == ["10.5555/12345", "10.5555/toy.raw"]
    text = tree("cite", picture).out
    assert "2030-01-01 to 2030-01-01T02:00:00" in text and "read from" in text


def test_a_picture_of_somebody_else_is_refused_with_a_word(
    declared: Command, tmp_path: Path
) -> None:
    from PIL import Image

    other = tmp_path / "other.png"
    Image.new("RGB", (4, 4)).save(other)
    assert "does not say what it shows" in declared("cite", str(other)).err
    (tmp_path / "text.png").write_text("no picture")
    assert "no picture that can be read" in declared("cite", str(tmp_path / "text.png")).err
    assert "there is no such picture" in declared("cite", str(tmp_path / "absent.png")).err


def test_the_export_has_all_a_publisher_needs(tree: Command) -> None:
    found = json.loads(tree("graph", "--json", "--store", "S").out)
    assert found["missions"][0]["acknowledgement"] == "We thank the makers."
    rows = {d["name"]: d for d in found["datasets"]}
    assert rows["toy.double"]["inputs"] == {"x": "toy.raw"}
    assert rows["toy.double"]["store"]["records"] == 120
    assert (rows["toy.raw"]["cadence"], rows["toy.raw"]["archive"]) == ("1min", None)


def test_search_wants_all_words_and_says_near_ones(declared: Command) -> None:
    assert "toy.double" in declared("search", "TOY", "double").out
    assert "toy.raw " not in declared("search", "double").out
    assert "'doubel' occurs nowhere. Did you mean double" in declared("search", "doubel").out
    assert "each alone occurs: double (1), twin (2)" in declared("search", "double", "twin").out


def test_cite_names_papers_dois_code_and_versions_of_files(tree: Command) -> None:
    found = json.loads(tree("cite", "toy.double", "--store", "S", "--json").out)
    assert found["missions"][0]["dois"] == ["10.5555/12345", "10.5555/toy.raw"]
    assert found["made_from"] == ["toy.raw"]
    assert found["versions"]["toy.double"].startswith("doubled@") or found["versions"]
    assert sum(found["files"]["toy.raw"].values()) == 2
    text = tree("cite", "toy.double").out
    assert "We thank the makers." in text and "https://doi.org/10.5555/12345" in text


def test_an_archive_that_needs_an_interval_says_so(declared: Command) -> None:
    said = declared("graph", "toy", "--archive", "speasy")
    assert said.status == 2 and "Give --start and --stop" in said.err


def test_dois_end_where_the_sentence_does() -> None:
    assert dois("A 2016, doi:10.1007/s11214-015-0164-9; B (doi:10.1/x)") == [
        "10.1007/s11214-015-0164-9"
    ]
    assert dois("see 10.1002/2016JA022707.", "10.1002/2016JA022707") == ["10.1002/2016JA022707"]
