from __future__ import annotations

from sciqlop_pipe.catalog import Catalog
from sciqlop_pipe.detect.evaluation import Mark
from sciqlop_pipe.detect.learning.verdicts import WEIGHT, next_questions, said_of, taught
from sciqlop_pipe.granule import DAY, HOUR
from sciqlop_pipe.store.events import Verdict
from sciqlop_pipe.store.records import Event


def event(id: str, start: float, stop: float, **attributes: object) -> Event:
    return Event(id, "icme", round(start * HOUR), round(stop * HOUR), tuple(attributes.items()))


def verdict(id: str, word: str, author: str = "me", at: int = 1, **span: float) -> Verdict:
    times = {k: round(v * HOUR) for k, v in span.items()}
    return Verdict(id, "x.y", author, word, at=at, **times)


def catalog(events: list[Event], *verdicts: Verdict, lost: tuple[Verdict, ...] = ()) -> Catalog:
    said: dict[str, list[Verdict]] = {}
    for v in verdicts:
        said.setdefault(v.event, []).append(v)
    return Catalog("x.y", tuple(events), said, lost)


def spans(said) -> list[tuple[float, float, bool]]:
    return [(s.start / HOUR, s.stop / HOUR, s.true) for s in said]


def test_accepted_rejected_moved_and_missed_become_labels():
    events = [event("a", 0, 10), event("r", 20, 30), event("m", 40, 50), event("n", 60, 70)]
    said = said_of(catalog(
        events, verdict("a", "accept"), verdict("r", "reject"),
        verdict("m", "moved", start=44, stop=54),
        lost=(verdict("x", "missed", start=80, stop=90),),
    ))  # fmt: skip
    assert spans(said) == [
        (0, 10, True), (20, 30, False), (40, 44, False), (44, 54, True), (80, 90, True),
    ]  # fmt: skip


def test_the_last_verdict_of_an_author_counts_and_disagreement_weighs_less():
    events = [event("a", 0, 10), event("b", 20, 30), event("c", 40, 50)]
    said = said_of(catalog(
        events,
        verdict("a", "reject", at=1), verdict("a", "accept", at=2),
        verdict("b", "accept", "you"), verdict("b", "reject", "me"),
        verdict("c", "accept", "you"), verdict("c", "accept", "they"), verdict("c", "reject", "me"),
    ))  # fmt: skip
    assert spans(said) == [(0, 10, True), (40, 50, True)]
    assert [s.weight for s in said] == [WEIGHT, WEIGHT / 3]


def test_what_was_said_of_an_event_that_is_found_no_more_is_not_forgotten():
    lost = (verdict("gone", "reject"), verdict("x", "missed", start=80, stop=90))
    now = catalog([event("a", 0, 10)], verdict("a", "accept"), lost=lost)
    assert spans(said_of(now)) == [(0, 10, True), (80, 90, True)]
    past = {"gone": event("gone", 20, 30)}
    assert spans(said_of(now, past)) == [(0, 10, True), (20, 30, False), (80, 90, True)]


def test_lists_are_corrected_by_verdicts():
    marks = [Mark(0, 10 * HOUR), Mark(20 * HOUR, 30 * HOUR), Mark(60 * HOUR, 70 * HOUR)]
    said = said_of(catalog(
        [event("a", 0, 10), event("m", 18, 32)],
        verdict("a", "reject"), verdict("m", "moved", start=21, stop=31),
        lost=(verdict("x", "missed", start=80, stop=90),),
    ))  # fmt: skip
    got = [(m.start / HOUR, m.stop / HOUR) for m in taught(marks, said)]
    assert got == [(21, 31), (60, 70), (80, 90)]


def test_the_next_questions_are_unsure_or_far_one_a_day_and_not_judged_before():
    events = [
        event("sure", 0, 5, probability=0.99),
        event("unsure", 24, 30, probability=0.52),
        event("also that day", 40, 44, probability=0.55),
        event("far", 50, 60, probability=0.9, distance=2.5),
        event("judged", 80, 90, probability=0.5),
        event("disputed", 100, 110, probability=0.9),
    ]
    asked = next_questions(catalog(
        events, verdict("judged", "accept"), verdict("disputed", "accept"),
        verdict("disputed", "reject", "you"),
    ))  # fmt: skip
    assert [q.event.id for q in asked] == ["far", "unsure", "disputed", "sure"]
    assert "distance 2.5" in asked[0].why and "people disagree" in asked[2].why
    assert len({q.event.start // DAY for q in asked}) == 4
    assert len(next_questions(catalog(events), 2)) == 2


def test_another_detector_that_has_nothing_there_makes_an_event_worth_a_look():
    mine = catalog([event("a", 0, 5, probability=0.9), event("b", 30, 35, probability=0.9)])
    other = catalog([event("z", 1, 4)])
    first, second = next_questions(mine, others=[other])
    assert first.event.id == "b" and first.worth == second.worth + 0.5
