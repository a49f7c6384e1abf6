"""`sciqlop-pipe store quality`: which flags a dataset has, and how much of it they mask."""

from __future__ import annotations

import json

import numpy as np
from typer.testing import CliRunner

from sciqlop_missions.solar_orbiter import mission
from sciqlop_pipe.cli.app import app
from sciqlop_pipe.granule import Interval, instant
from sciqlop_pipe.graph import Graph
from tests.missions.solar_orbiter.test_pas import MOMENTS, flow, moments_file

NAME = "solar_orbiter.swa.pas.moms"


def test_the_fraction_masked_and_every_flag_are_told(bench):
    bench.raw.mkdir()
    validity = np.array([3, 1, 2, 3], np.uint8)
    moments_file(bench.raw / MOMENTS, flow(), validity=validity)
    day = Interval(instant("2020-11-19"), instant("2020-11-20"))
    report = bench.run(NAME, graph=Graph.of([mission]), intervals=(day,))
    assert (report.rows[NAME]["masked"], report.rows[NAME]["records"]) == (1, 4)
    store = str(bench.folder / "store")
    told = json.loads(CliRunner().invoke(app, ["status", "--store", store, "--json"]).output)
    masked = {row["dataset"]: row["masked"] for row in told["datasets"]}
    assert masked[NAME] == 0.25
    assert "25.00%" in CliRunner().invoke(app, ["status", "--store", store]).output
    said = CliRunner().invoke(app, ["store", "quality", NAME, "--store", store])
    assert "4 records, 25.00% masked" in said.output
    told = json.loads(
        CliRunner().invoke(app, ["store", "quality", NAME, "--store", store, "--json"]).output
    )
    assert ["too_low", 0.25, True] in told["flags"]
    assert ["noisy", 0.25, False] in told["flags"]
