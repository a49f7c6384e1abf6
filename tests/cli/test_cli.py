"""The command line: every refusal is one clear message, and the exit status tells what happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import sciqlop_pipe.cli.running as running
from sciqlop_pipe.cli import main
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.store.schema import FORMAT
from tests.toy import toy_graph, write_day, write_file


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Command]:
    """Run a command of the line in this process, on the toy mission, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(running.Graph, "discover", classmethod(lambda cls: toy_graph()))

    def run(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["sciqlop-pipe", *words])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return Said(int(end.value.code or 0), said.out, said.err)

    return run


DAY = (
    "--start",
    "2030-01-01",
    "--stop",
    "2030-01-02",
    "--archive",
    "raw",
    "--workers",
    "0",
    "--no-sync",
)


def test_run_then_run_again_computes_nothing(cli: Command, tmp_path: Path) -> None:
    write_day(tmp_path / "raw", range(2))
    first = cli("run", "toy.double", *DAY)
    assert first.status == 0 and "4 granules" in first.out
    again = cli("run", "toy.double", *DAY)
    assert again.status == 0 and "nothing was computed" in again.out


def test_a_target_of_which_nothing_is_anywhere_has_an_exit_status_of_its_own(
    cli: Command, tmp_path: Path
) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "toy_of_another_mission.npz").touch()
    said = cli("run", "toy.double", *DAY)
    assert said.status == 3 and "toy.raw: " in said.out and "none of that name" in said.out
    assert json.loads(cli("run", "toy.d*", *DAY, "--json").out)["nothing"] == ["toy.d*"]
    assert cli("run", "toy.double", *DAY[:4], "--workers", "0").status == 3  # no archive at all

    write_day(tmp_path / "raw", range(1))
    later = ("--start", "2031-01-01", "--stop", "2031-01-02", *DAY[4:])
    assert cli("run", "toy.double", *later).status == 0  # a day without data
    assert cli("run", "toy.double", *DAY).status == 0
    assert cli("run", "toy.double", *DAY).status == 0  # everything is current
    for file in (tmp_path / "raw").glob("*"):
        file.unlink()
    assert cli("run", "toy.double", *later).status == 0  # the store knows it


def test_a_failed_granule_makes_the_status_partial_and_is_named(
    cli: Command, tmp_path: Path
) -> None:
    write_day(tmp_path / "raw", range(2))
    write_file(tmp_path / "raw", "2030-01-01T01", version="2", trouble="bad")
    said = cli("run", "toy.double", *DAY)
    assert said.status == 1
    assert "toy.raw/20300101T0100" in said.out and "corrupt" in said.out
    assert "Traceback" not in said.out + said.err
    status = cli("status")
    assert "corrupt" in status.out


def test_json_reports_are_json(cli: Command, tmp_path: Path) -> None:
    write_day(tmp_path / "raw", range(1))
    assert json.loads(cli("plan", "toy.double", *DAY[:6], "--json").out)["stale"]
    assert json.loads(cli("run", "toy.double", *DAY, "--json").out)["status"] == 0
    assert json.loads(cli("status", "--json").out)["datasets"][0]["dataset"] == "toy.double"
    assert (
        json.loads(cli("explain", "toy.double", "--at", "2030-01-01T00:10", "--json").out)["n"]
        == 60
    )
    assert {d["name"] for d in json.loads(cli("graph", "--json").out)["datasets"]} >= {"toy.raw"}


def test_explain_goes_down_to_the_checksum_of_the_raw_file(cli: Command, tmp_path: Path) -> None:
    write_day(tmp_path / "raw", range(1))
    cli("run", "toy.double", *DAY)
    said = cli("explain", "toy.double", "--at", "2030-01-01T00:10")
    assert "toy_2030010100_v1.npz blake3:" in said.out


@pytest.mark.parametrize(
    ("words", "status", "expected"),
    [
        (("run", "toy.doubel", *DAY), 2, "Did you mean toy.double"),
        (("run", "toy.double", *DAY[:1], "2030-01-03", *DAY[2:]), 2, "ends"),
        (("run", "toy.double", "--start", "soon", "--stop", "2030-01-02"), 2, "is not a time"),
        (("run", "toy.double"), 2, "interval is missing"),
        (("run", "toy.double", *DAY[:4], "--archive", "nowhere", "--workers", "0"), 2, "nowhere"),
        (
            ("run", "toy.double", "--start", "2031-01-01", "--stop", "2031-01-02", *DAY[4:]),
            0,
            "The archives list 1 file. Looked for:\n  toy.raw: 1 file, starting 2030-01-01",
        ),
        (("status", "--store", "nothing"), 2, "there is no store here"),
        (("run", "toy.double", *DAY, "--store", "ftp://a/x"), 2, "not the address of a bucket"),
        (("explain", "toy.double", "--at", "2030-01-01", "--store", "nothing"), 2, "no store"),
        (("catalog", "show", "toy.rises", "--store", "nothing"), 2, "no store"),
        (("store", "publish", "x", "--store", "nothing"), 2, "no store"),
    ],
)
def test_bad_requests_are_one_clear_message(
    cli: Command, tmp_path: Path, words: tuple[str, ...], status: int, expected: str
) -> None:
    write_day(tmp_path / "raw", range(1))
    said = cli(*words)
    assert said.status == status
    assert expected in said.out + said.err
    assert "Traceback" not in said.err


def test_intervals_come_from_a_csv_with_padding(cli: Command, tmp_path: Path) -> None:
    write_day(tmp_path / "raw", range(6))
    (tmp_path / "list.csv").write_text("start,stop\n2030-01-01T03:10,2030-01-01T03:10\n")
    said = cli("run", "toy.double", "--intervals", "list.csv", "--pad", "15min", *DAY[4:], "--json")
    assert json.loads(said.out)["rows"]["toy.double"]["done"] == 2


def test_a_store_of_a_newer_format_is_refused(cli: Command, tmp_path: Path) -> None:
    write_day(tmp_path / "raw", range(1))
    cli("run", "toy.double", *DAY)
    mark = tmp_path / "sciqlop-store" / "sciqlop-store.json"
    mark.write_text(mark.read_text().replace(f'"format": {FORMAT}', '"format": 99'))
    said = cli("run", "toy.double", *DAY)
    assert said.status == 2 and "Update sciqlop-pipe" in said.err


def test_a_registry_that_is_gone_is_said_and_rebuilt(cli: Command, tmp_path: Path) -> None:
    write_day(tmp_path / "raw", range(2))
    cli("run", "toy.double", *DAY)
    for file in (tmp_path / "sciqlop-store").glob("registry.sqlite*"):
        file.unlink()
    said = cli("status")
    assert said.status == 2 and "store rebuild" in said.err
    assert "registered 4 granules" in cli("store", "rebuild").out
    assert cli("store", "check", "--content").status == 0
    assert "nothing was computed" in cli("run", "toy.double", *DAY).out


def test_staged_results_are_published_and_rolled_back(cli: Command, tmp_path: Path) -> None:
    write_day(tmp_path / "raw", range(2))
    cli("run", "toy.double", *DAY, "--stage", "trial")
    assert "trial: 4 granules" in cli("store", "stages").out
    assert "4 granules are current" in cli("store", "publish", "trial").out
    assert cli("store", "rollback", "trial").status == 0


def test_a_catalog_is_listed_judged_exported_and_imported(cli: Command, tmp_path: Path) -> None:
    write_day(tmp_path / "raw")
    cli("run", "toy.rises", *DAY)
    assert "toy.rises" in cli("catalog", "list").out
    rows = json.loads(cli("catalog", "show", "toy.rises", "--json").out)
    assert cli("catalog", "verdict", rows[0]["id"][:8], "accept", "--author", "me").status == 0
    assert "accept" in cli("catalog", "show", "toy.rises").out
    assert cli("catalog", "export", "toy.rises", "-o", "rises.json").status == 0
    assert cli("catalog", "export", "toy.rises", "-o", "rises.csv").status == 0
    assert f"imported {len(rows)}" in cli("catalog", "import", "mine.rises", "rises.json").out
    again = json.loads(cli("catalog", "show", "mine.rises", "--json").out)
    assert [r["id"] for r in again] == [r["id"] for r in rows] and again[0]["verdict"] == "accept"
    assert "rise" in cli("catalog", "stats", "toy.rises").out
    assert cli("catalog", "import", "toy.rises", "rises.csv").status == 2


def test_doctor_says_what_works(cli: Command) -> None:
    said = cli("doctor")
    assert "python" in said.out and "store" in said.out


def test_help_does_not_import_the_heavy_libraries() -> None:
    code = (
        "import sys; sys.argv = ['sciqlop-pipe', '--help']\n"
        "from sciqlop_pipe.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'xarray', 'dask', 'zarr', 'numba', 'sqlalchemy'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip().endswith("[]")


def test_the_installed_missions_are_in_the_graph() -> None:
    names = {d.name for d in Graph.discover()}
    assert {"sim.ion.vdf", "mms1.fpi.dis.brst.moments", "mms4.fgm.srvy.b_gse"} <= names


def test_a_folder_that_cannot_be_looked_into_is_named(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An administrator may read everything: the system's refusal is made here."""
    write_day(tmp_path / "raw", range(1))
    (tmp_path / "raw" / "secret").mkdir()
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr("sciqlop_pipe.sources.archive.os.scandir", scandir)
    said = cli("run", "toy.double", *DAY)
    assert said.status == 0
    assert "1 folder could not be looked into" in said.err and "raw/secret" in said.err
