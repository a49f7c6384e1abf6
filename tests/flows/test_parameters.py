"""Parameters of flows are judged before anything runs; reports and alerts say what happened."""

from __future__ import annotations

from importlib import import_module

import pytest

pytest.importorskip("prefect", reason="flows need the extra `flows`")

from pydantic import ValidationError

from flows.alerts import tell
from flows.batch import GranulesFailed, NothingFound, insist, markdown
from flows.where import Span, Where, turns
from sciqlop_pipe.granule import DAY, Granule, Interval, instant
from sciqlop_pipe.report import Report
from sciqlop_pipe.store.records import Failure
from tests.flows.loopback import hook, mailbox


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
    doors = [
        "/data",
        "/data/{start:%Y}",
        "https://a.example/x",
        "https://me@a.example:8080/{start:%Y}/",
        "hapi+https://b.example/hapi",
        "speasy",
        "speasy:cda",
    ]
    assert turns(doors) == ["archive-a.example", "archive-b.example", "archive-speasy"]


FLOWS = ("detect", "ingest", "process", "publish", "quicklook", "reprocess", "train", "watch")


@pytest.mark.parametrize("name", FLOWS)
def test_a_form_says_of_every_parameter_what_it_is(name: str) -> None:
    from prefect.utilities.callables import parameter_schema

    flow = getattr(import_module(f"flows.{name}"), name)
    form = parameter_schema(flow).model_dump()
    fields = list(form["properties"].items())
    for part in form["definitions"].values():
        assert part["additionalProperties"] is False, "a typing error would pass"
        fields += part["properties"].items()
    assert len(fields) > 4
    for field, about in fields:
        assert len(about.get("description", "")) > 4, f"nothing is said of {field}"
    assert flow.description, "nothing is said of the flow"


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


def test_a_run_that_finds_nothing_of_any_target_is_red() -> None:
    empty = Report("r0", counts={"toy.a": {}}, nothing=["toy.a"])
    with pytest.raises(NothingFound, match=r"nothing at all was found of toy.a"):
        insist(empty)
    insist(Report("r1", counts={"toy.a": {}, "toy.b": {"current": 1}}, nothing=["toy.a"]))
    insist(Report("r2", counts={"toy.a": {}}))


def test_an_alert_reaches_the_address_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    tell("nobody is told", "without an address")
    with hook() as (url, posted), mailbox() as (host, mails):
        monkeypatch.setenv("SCIQLOP_PIPE_ALERT_URL", url)
        tell("process failed", "disk full")
        monkeypatch.setenv("SCIQLOP_PIPE_ALERT_MAIL", "duty@example.org")
        monkeypatch.setenv("SCIQLOP_PIPE_SMTP", host)
        tell("ingest failed", "no files\n.\nat all")
    assert posted[0] == "SciQLOP Pipe: process failed\ndisk full"
    (mail,) = mails
    assert (mail["To"], mail["Subject"]) == (
        "duty@example.org",
        "[SciQLOP Pipe] ingest failed",
    )
    assert str(mail.get_payload()).splitlines() == ["no files", ".", "at all"]


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
