"""Logs and metrics say what a run does."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, cast

import pytest

from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.watching import Logged, Metrics, Several, log_to
from tests.serial import Bench, SerialClient
from tests.toy import DAY, toy_graph


@pytest.fixture
def watched(bench: Bench, tmp_path: Path) -> tuple[Any, list[dict[str, Any]]]:
    """A run with a bad file, its metrics and its log."""
    prometheus = pytest.importorskip("prometheus_client")
    registry = prometheus.CollectorRegistry()
    bench.files(3, 4)
    bench.file(5, trouble="bad")
    handler = log_to(tmp_path / "log.jsonl")
    try:
        with bench.store() as store:
            run_campaign(
                store, toy_graph(), ["toy.double"], [DAY], bench.listing(),
                cast(Any, SerialClient), progress=Several([Logged("c"), Metrics(registry)]),
            )  # fmt: skip
    finally:
        logging.getLogger("sciqlop_pipe").removeHandler(handler)
        handler.close()
    return registry, [
        json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()
    ]


def test_metrics_count_granules_bytes_and_failures(watched: tuple[Any, Any]) -> None:
    registry, _ = watched

    def value(name: str, **labels: str) -> float:
        return float(registry.get_sample_value(f"sciqlop_pipe_{name}", labels))

    assert value("granules_total", dataset="toy.double", outcome="done") == 2
    assert value("failures_total", dataset="toy.raw", why="refused") == 1
    assert value("records_total", dataset="toy.raw") == 120
    assert value("bytes_total", dataset="toy.raw") > 0
    assert value("seconds_count", dataset="toy.raw") == 3
    assert value("planned_granules") == 6
    assert value("tasks", state="ready") >= 0


def test_a_line_of_the_log_names_dataset_granule_state_and_error(watched: tuple[Any, Any]) -> None:
    _, lines = watched
    assert lines[0]["message"] == "planned" and lines[0]["granules"] == 6
    (bad,) = [line for line in lines if line.get("state") == "refused"]
    assert bad["level"] == "error" and bad["granule"] == "toy.raw/20300101T0500"
    assert bad["campaign"] == "c" and "corrupt" in bad["error"]
    done = [line for line in lines if line.get("state") == "done"]
    assert (
        len(done) == 4
        and len({line["run"] for line in done}) == 1
        and all(line["records"] == 60 for line in done)
    )


def test_a_log_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the log cannot be written"):
        log_to(tmp_path / "none" / "log")
