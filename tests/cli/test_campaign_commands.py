"""The campaign commands, one after the other, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_cli import Command, cli  # noqa: F401
from tests.toy import write_day, write_file

FILE = """
name = "triple"
targets = ["toy.double"]
start = "2030-01-01"
stop = "2030-01-02"
archives = ["raw"]
[params."toy.double"]
factor = 3.0
[limits]
free = "0"
"""


def test_a_campaign_from_its_file_to_its_rollback(cli: Command, tmp_path: Path) -> None:  # noqa: F811
    write_day(tmp_path / "raw", range(3))
    run = ("--start", "2030-01-01", "--stop", "2030-01-02", "--archive", "raw", "--workers", "0")
    cli("run", "toy.double", *run)
    write_file(tmp_path / "raw", "2030-01-01T03", trouble="bad")
    (tmp_path / "triple.toml").write_text(FILE)
    said = cli("campaign", "plan", "triple.toml")
    assert "4 granules to make" not in said.out and "5 granules to make" in said.out
    assert "factor = 3.0 (declared 2.0)" in said.out and "expected from past attempts" in said.out
    assert json.loads((tmp_path / "triple.plan.json").read_text())["campaign"]["name"] == "triple"
    said = cli("campaign", "run", "triple.toml", "--workers", "0")
    assert said.status == 1 and "quarantined" in said.out and "corrupt" in said.out
    assert "partial: 3 of 5 granules" in cli("campaign", "status").out
    assert "toy.raw/20300101T0300" in cli("campaign", "quarantine", "triple").out
    refused = cli("campaign", "publish", "triple")
    assert refused.status == 2 and "campaign excuse" in refused.err
    said = cli("campaign", "excuse", "triple", "toy.raw/*", "--why", "damaged")
    assert "1 granules are excused; 0 still fail" in said.out
    assert cli("campaign", "resume", "triple", "--workers", "0").status == 0
    said = cli("campaign", "diff", "triple", "--pictures", "pictures")
    assert "3 changed" in said.out and "worst: toy.double" in said.out
    assert len(list((tmp_path / "pictures").glob("toy.double-*.png"))) == 1
    said = cli("campaign", "publish", "triple")
    assert "3 granules are current" in said.out and "change the declaration too" in said.out
    assert "3 granules are current again" in cli("campaign", "rollback", "triple").out
    assert "rolled back" in cli("campaign", "report", "triple").out
    again = cli("campaign", "run", "triple.toml", "--workers", "0")
    assert again.status == 2 and "Give a new campaign a new name" in again.err


def test_a_campaign_that_was_changed_is_planned_again(cli: Command, tmp_path: Path) -> None:  # noqa: F811
    write_day(tmp_path / "raw", range(2))
    (tmp_path / "triple.toml").write_text(FILE)
    cli("campaign", "plan", "triple.toml")
    (tmp_path / "triple.toml").write_text(FILE.replace("3.0", "4.0"))
    said = cli("campaign", "run", "triple.toml", "--workers", "0")
    assert said.status == 2 and "Plan again" in said.err
    assert cli("campaign", "status", "tripel").status == 2
