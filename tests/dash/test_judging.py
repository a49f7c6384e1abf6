from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from sciqlop_pipe import datatypes
from sciqlop_pipe.catalog import Opinion, load_catalog
from sciqlop_pipe.dash.desk import Access, Desk
from sciqlop_pipe.dash.events import Events
from sciqlop_pipe.dash.judging import add_missed, filtered, frame_of, judge, worth
from sciqlop_pipe.dash.statistics import (
    alike,
    calibration,
    change,
    rates,
    scores,
    superposed_epoch,
)
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import MINUTE, SECOND, Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.store.events import Verdict, verdicts
from sciqlop_pipe.store.records import Event
from tests import builders
from tests.putting import put

START = instant(builders.START)
DAY = Interval.of("2020-11-19", "2020-11-20")
NAME = "m.crossings"
HOSTILE = "<img src=x onerror=alert(1)>"


def event(k: int, probability: float, kind: str = "shock") -> Event:
    start = START + k * MINUTE
    return Event(f"{k:08d}", kind, start, start + 30 * SECOND, (("probability", probability),))


EVENTS = (event(0, 0.99), event(1, 0.5), event(2, 0.8), event(3, 0.6, HOSTILE))


@pytest.fixture
def filled(store):
    put(store, NAME, None, datatypes.Events, DAY, events=EVENTS)
    return store


def say(store, k: int, verdict: str, author: str) -> Verdict:
    return judge(store, EVENTS[k], NAME, verdict, author)


def test_what_is_disputed_comes_first_then_what_is_least_certain_then_what_is_judged(filled):
    say(filled, 0, "accept", "ana")
    say(filled, 0, "reject", "ben")
    say(filled, 1, "accept", "ana")
    frame = frame_of(load_catalog(filled, NAME))
    assert list(frame["id"]) == ["00000000", "00000003", "00000002", "00000001"]
    assert list(frame["verdict"]) == ["disputed", "", "", "accept"]
    assert worth(EVENTS[1], Opinion()) == 2.0


def test_somebody_who_changes_his_mind_disputes_nothing(filled):
    say(filled, 0, "accept", "ana")
    say(filled, 0, "reject", "ana")
    assert frame_of(load_catalog(filled, NAME)).set_index("id")["verdict"]["00000000"] == "reject"


def test_a_table_is_filtered_by_kind_verdict_and_words(filled):
    say(filled, 2, "accept", "ana")
    frame = frame_of(load_catalog(filled, NAME))
    assert len(filtered(frame, kind="shock")) == 3
    assert list(filtered(frame, verdict="accept")["id"]) == ["00000002"]
    assert len(filtered(frame, verdict="unjudged")) == 3
    assert list(filtered(frame, words="ana SHOCK")["id"]) == ["00000002"]
    assert not len(filtered(frame, words="(unbalanced [regex"))


@pytest.mark.parametrize(
    ("verdict", "author", "says"),
    [
        ("accept", " ", "author"),
        ("moved", "me", "where they were"),
        ("nonsense", "me", "not a verdict"),
    ],
)
def test_a_verdict_that_means_nothing_is_refused(filled, verdict, author, says):
    with pytest.raises(UsageError, match=says):
        judge(filled, EVENTS[0], NAME, verdict, author)
    assert verdicts(filled.registry.db, NAME)[0] == {}


def test_a_missed_event_is_kept_with_its_edges_and_listed(filled):
    span = Interval(START - MINUTE, START)
    add_missed(filled, NAME, span, "ana")
    row = frame_of(load_catalog(filled, NAME)).set_index("verdict").loc["missed"]
    assert row["by"] == "ana" and row["lasts"] == "60 s"


def test_precision_and_calibration_count_what_people_agree_on(filled):
    say(filled, 0, "accept", "ana")
    say(filled, 1, "reject", "ana")
    say(filled, 2, "accept", "ana")
    say(filled, 2, "reject", "ben")
    catalog = load_catalog(filled, NAME)
    assert scores(catalog)["precision of the judged"] == 0.5
    assert scores(catalog)["disputed"] == 1
    found = calibration(catalog)
    assert found["judged"].tolist() == [1, 1]
    assert found["accepted"].tolist() == [0.0, 1.0]
    assert int(rates(EVENTS)["events"].sum()) == 4


def test_a_superposed_epoch_finds_the_step_at_the_middle(store, filled):
    time = builders.times(2000, step="150ms")
    middles = [(e.start + e.stop) // 2 for e in EVENTS[:3]]
    value = np.zeros(time.size)
    for m in middles:
        value[np.abs(time.astype(int) - m) < 5 * SECOND] = 4.0
    put(store, "m.x", builders.scalar_series(time, value=value), datatypes.ScalarSeries, DAY)
    made = superposed_epoch(store, EVENTS[:3], "m.x", "value", half=20, points=81)
    assert made.events == 3
    assert made.median[40] == 4.0
    assert made.median[0] == made.median[-1] == 0.0
    edge = made.offset[np.flatnonzero(np.diff(made.median) > 0)[0]]
    assert edge == pytest.approx(-5, abs=0.6)
    far = superposed_epoch(store, [event(900, 0.5)], "m.x", "value", half=20)
    assert far.events == 0 and not far.count.any()


def test_crossings_in_and_out_are_superposed_apart_or_as_if_all_went_out(store, filled):
    def crossing(k: int, sense: str) -> Event:
        e = event(k, 0.9, "bow_shock")
        return Event(e.id, e.kind, e.start, e.stop, (("sense", sense),))

    crossings = [crossing(0, "out"), crossing(4, "in"), event(8, 0.9, "jet")]
    time = builders.times(9000, step="150ms")
    (out, turn) = ((e.start + e.stop) // 2 for e in crossings[:2])
    upstream = (time.astype(int) > out) & (time.astype(int) < turn)
    value = np.where(upstream, 1.0, 4.0)
    put(store, "m.y", builders.scalar_series(time, value=value), datatypes.ScalarSeries, DAY)
    groups = alike(crossings)
    assert {k: len(v) for k, v in groups.items()} == {
        "bow_shock in": 1, "bow_shock out": 1, "bow_shock out, and in turned": 2, "jet": 1,
    }  # fmt: skip
    for word, before, after in (
        ("bow_shock in", 1, 4), ("bow_shock out", 4, 1), ("bow_shock out, and in turned", 4, 1),
    ):  # fmt: skip
        made = superposed_epoch(store, groups[word], "m.y", "value", half=20, points=81)
        for edge in (made.low, made.median, made.high):
            assert (edge[10], edge[-10]) == (before, after), word


def test_a_retrained_model_is_compared_event_by_event():
    moved = Event("new", "shock", EVENTS[1].start + 2 * SECOND, EVENTS[1].stop + 2 * SECOND)
    other = event(30, 0.9)
    found = change(EVENTS[:3], [EVENTS[0], moved, other])
    assert (found.kept, found.moved) == (1, 1)
    assert [e.id for e in found.gone] == ["00000002"] and found.new == (other,)


def test_two_users_judge_the_same_event_and_both_verdicts_are_kept(filled, desk):
    put(filled, "m.moments", builders.moments(), datatypes.Moments, DAY)
    ana, ben = Events(desk), Events(desk)
    ana.author.value, ben.author.value = "ana", "ben"
    assert ana.event.id == ben.event.id
    ana._judge("accept")
    assert "accept by ana is kept" in ana.said.object
    ben._judge("reject")
    assert "Meanwhile ana said accept" in ben.said.object
    said = verdicts(filled.registry.db, NAME)[0][ana.event.id]
    assert [(v.author, v.verdict) for v in said] == [("ana", "accept"), ("ben", "reject")]
    ana.refresh()
    assert "ben" in ana.facts.object
    assert ana.rows.value["verdict"].iloc[0] == "disputed"


def test_edges_that_were_dragged_are_a_verdict(filled, desk):
    page = Events(desk)
    page.author.value = "ana"
    page._judge("moved")
    assert "where they were" in page.said.object
    page.board.box.left += 2000.0
    page._judge("moved")
    (said,) = verdicts(filled.registry.db, NAME)[0][page.event.id]
    assert said.start == pytest.approx(page.event.start + 2 * SECOND, abs=10**6)


def test_markup_of_an_event_is_inert_everywhere(filled, desk):
    judge(filled, EVENTS[3], NAME, "accept", "<b>me</b>", comment=HOSTILE)
    page = Events(desk)
    page._open("00000003")
    texts = [page.facts.object, page.said.object, (page.board.tracks and "") or ""]
    assert "&lt;img" in page.facts.object and "&lt;b&gt;me" in page.facts.object
    assert not any("<img" in t or "<b>" in t for t in texts)


def test_a_server_that_only_shows_has_no_way_to_write(filled):
    for access, says in [
        (Access(read_only=True), "does not write"),
        (Access(token="secret"), "token"),
    ]:
        page = Events(Desk(str(filled.root), "", Graph.of([]), access))
        page.author.value = "ana"
        page.token.value = "wrong"
        page._judge("accept")
        assert says in page.said.object
        assert verdicts(filled.registry.db, NAME)[0] == {}
    page.token.value = "secret"
    page._judge("accept")
    assert "is kept" in page.said.object


def test_a_disk_that_turns_read_only_or_full_under_a_page_is_a_sentence(filled, desk, monkeypatch):
    page = Events(desk)
    page.author.value = "ana"
    for code in (errno.EROFS, errno.ENOSPC):

        def refuse(*args, code=code, **options):
            raise OSError(code, os.strerror(code))

        with monkeypatch.context() as patch:
            patch.setattr("sciqlop_pipe.dash.desk.Store.open", refuse)
            page._judge("accept")
        assert os.strerror(code) in page.said.object and "Traceback" not in page.said.object
        assert verdicts(filled.registry.db, NAME)[0] == {}
    page._judge("accept")
    assert "is kept" in page.said.object
