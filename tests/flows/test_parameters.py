"""Parameters of flows are judged before anything runs; reports and alerts say what happened."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

pytest.importorskip("prefect", reason="flows need the extra `flows`")

from pydantic import ValidationError

from flows.alerts import tell
from flows.batch import GranulesFailed, insist, markdown
from flows.where import Span, Where
from sciqlop_pipe.granule import DAY, Granule, Interval, instant
from sciqlop_pipe.report import Report
from sciqlop_pipe.store.records import Failure


def test_the_last_days_end_now() -> None:
    now = instant("2020-01-10")
    assert Span(days=2).interval(now) == Interval(now - 2 * DAY, now)
    assert Span(start="2020-01-01").interval(now) == Interval.of("2020-01-01", "2020-01-10")
    assert Span(stop="2030-01-05", days=1).interval(now) == Interval.of("2030-01-04", "2030-01-05")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"start": "2030-01-02", "stop": "2030-01-01"}, "ends"),
        ({"start": "yesterday"}, "not a time"),
        ({"days": 0}, "greater than 0"),
        ({"from": "2030-01-01"}, "Extra inputs"),
    ],
)
def test_an_impossible_span_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Span(**wrong)


@pytest.mark.parametrize("wrong", [{"cache_size": "much"}, {"workers": -1}, {"stoer": "x"}])
def test_an_impossible_place_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Where(**wrong)


def test_a_server_is_guarded_by_one_limit_whatever_the_door() -> None:
    where = Where(
        archives=[
            "/data",
            "https://a.example/x",
            "https://a.example/y",
            "hapi+https://b.example/hapi",
        ]
    )
    assert where.turns == ["archive-a.example", "archive-b.example"]


def failed() -> Report:
    granule = Granule("toy.a", Interval.of("2030-01-01", "2030-01-02"))
    report = Report("r1", planned=2, done=1, failures=[Failure(granule, "failed", "cut short")])
    report.add("toy.a", "done")
    report.add("toy.a", "failed")
    return report


def test_a_report_shows_numbers_and_reasons() -> None:
    page = markdown(failed(), [Interval.of("2030-01-01", "2030-01-03")])
    assert "| toy.a | 1 | 1 | 0 | 0.0 |" in page
    assert "`toy.a/20300101T0000` failed: cut short" in page
    assert "nothing was computed" in markdown(Report("r2"), [])


def test_failed_granules_make_the_run_red() -> None:
    insist(Report("r0"))
    with pytest.raises(
        GranulesFailed, match=r"1 of 2 granules failed, first toy.a/20300101T0000: cut short"
    ):
        insist(failed())


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A web address that keeps what is posted to it."""
    got: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", got
    server.shutdown()


def test_an_alert_reaches_the_address_of_the_environment(
    hook: tuple[str, list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tell("nobody is told", "without an address")
    monkeypatch.setenv("SCIQLOP_PIPE_ALERT_URL", hook[0])
    tell("process failed", "disk full")
    assert hook[1] == [{"text": "SciQLOP Pipe: process failed\ndisk full"}]


def test_an_alert_that_cannot_be_sent_is_logged_and_raises_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SCIQLOP_PIPE_ALERT_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("SCIQLOP_PIPE_ALERT_MAIL", "me@example.org")
    monkeypatch.setenv("SCIQLOP_PIPE_SMTP", "127.0.0.1:9")
    tell("a", "b")
    assert [r.getMessage().split(":")[0] for r in caplog.records] == [
        "an alert could not be sent by post",
        "an alert could not be sent by mail",
    ]
