"""What is declared is shown as it was written: brackets are units here, not markup."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

import sciqlop_pipe.cli.running as running
from sciqlop_pipe.cli import main
from sciqlop_pipe.graph import Broken, Graph
from tests.toy import toy_mission, write_file


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    monkeypatch.setattr(sys, "argv", ["sciqlop-pipe", *words])
    with pytest.raises(SystemExit):
        main()
    found = capsys.readouterr()
    return found.out + found.err


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> None:
    mission = toy_mission()
    described = replace(mission.datasets[0], description="field [nT] of [/the] probe")
    broken = Broken("bad", "bad:mission", "Traceback ...\nNameError: name '[/x]' is not defined")
    made = Graph.of([type(mission)("toy", [described, *mission.datasets[1:]])], [broken])
    monkeypatch.setattr(running.Graph, "discover", classmethod(lambda cls: made))


@pytest.mark.usefixtures("graph")
def test_descriptions_and_errors_keep_their_brackets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(monkeypatch, capsys, "graph", "toy")
    assert "field [nT] of [/the] probe" in text
    assert "broken plugin bad (bad:mission)" in text
    assert "name '[/x]' is not defined" in text


@pytest.mark.usefixtures("graph")
def test_a_failure_with_brackets_in_its_words_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "[/raw]"
    write_file(folder, "2030-01-01T00", trouble="bad")
    store = ["--store", str(tmp_path / "store")]
    text = said(
        monkeypatch, capsys, "run", "toy.raw", "--start", "2030-01-01", "--stop", "2030-01-02",
        "--archive", str(folder), "--workers", "0", "--no-sync", *store,
    )  # fmt: skip
    assert "[/raw]/toy_2030010100_v1.npz: the file is corrupt" in text
    assert "[/raw]/toy_2030010100_v1.npz" in said(monkeypatch, capsys, "status", *store)


def test_nothing_is_cut_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mission = toy_mission()
    described = replace(mission.datasets[0], description="word " * 100 + "end")
    made = Graph.of([type(mission)("toy", [described, *mission.datasets[1:]])])
    monkeypatch.setattr(running.Graph, "discover", classmethod(lambda cls: made))
    assert "word " * 100 + "end" in said(monkeypatch, capsys, "graph", "toy")
