"""A detector taught by a list of events: trained, judged, promoted, used, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from sciqlop_pipe.catalog import add_missed, import_catalog
from sciqlop_pipe.detect.evaluation.matching import Mark, Overlap, mark, match
from sciqlop_pipe.detect.event_model import load_event_model
from sciqlop_pipe.detect.learned import learned_events
from sciqlop_pipe.granule import DAY, MINUTE, Interval
from sciqlop_pipe.store import Store
from tests.detect.learning.jets import (
    DATASET,
    FIELD,
    FIRST,
    MODEL,
    MOMENTS,
    Taught,
    declared,
    listing,
    quickly,
    run,
    sheath,
)

pytest.importorskip("skops", reason="trained models need the extra `detect`")


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Declare the dataset, and train in a moment."""
    with declared(monkeypatch), quickly(monkeypatch):
        yield


def test_jets_of_days_left_out_are_found_with_a_probability_that_holds(jets: Taught):
    scores = jets.numbers["events"][DATASET]
    assert scores["rules"]["iou>0.3"]["f1"] > 0.85
    assert scores["rules"]["iou>0.3"]["true"] == len(jets.truth)
    assert scores["days_scored"] == pytest.approx(6 * 2 / 24, rel=0.02)
    assert jets.numbers["points"]["bins"]["calibration"]["ece"] < 0.05
    assert jets.numbers["about"]["by"] == "day" and jets.numbers["about"]["groups"] == 6
    card = json.loads((jets.folder / "card.json").read_text())
    assert card["metrics"]["split"]["protocol"].startswith("groups (day) left out")
    assert card["metrics"]["inputs"] == {"moments": MOMENTS, "b": FIELD}


def test_events_of_another_day_are_found_however_time_is_cut(jets: Taught):
    model = load_event_model(jets.folder)
    ions, b, truth = sheath(40)
    day = Interval(FIRST + 40 * DAY, FIRST + 41 * DAY)

    def found(span: Interval):
        return learned_events(ions, b, dataset=DATASET, interval=span, model=model)

    whole = found(day)
    pairs = match([mark(e) for e in whole], [Mark(a, z) for a, z in truth], Overlap(0.3))
    assert len(pairs) >= 5 and len(whole) <= 7
    about = dict(whole[0].attributes)
    assert 0 < about["probability"] < 1 and about["model"] == model.content
    assert about["speed"] > about["speed_before"] and about["absent"] == ""
    cuts = [day.start, whole[0].start, whole[0].start + 1, whole[2].start, day.stop]
    assert tuple(e for a, z in pairwise(cuts) for e in found(Interval(a, z))) == whole


def test_a_promoted_model_is_judged_on_what_it_was_trained_on_and_says_so(jets: Taught):
    run("model", "promote", MODEL, jets.folder, "--store", jets.store)
    said = run("evaluate", MODEL, "--catalog", jets.events, "--store", jets.store,
               "--start", "2020-01-01", "--stop", "2020-01-07")  # fmt: skip
    assert "trained on these very data" in said


def test_one_input_alone_is_enough_to_learn_from(jets: Taught, tmp_path: Path, monkeypatch):
    with declared(monkeypatch, moments=MOMENTS):
        run("train", MODEL, "--labels", jets.events, "-o", tmp_path / "m", "--store", jets.store,
            "--start", "2020-01-01", "--stop", "2020-01-07", "--split", "block")  # fmt: skip
    model = load_event_model(tmp_path / "m")
    assert [v.name for v in model.points.variants] == ["plasma"]
    ions, b, _ = sheath(40)
    day = Interval(FIRST + 40 * DAY, FIRST + 41 * DAY)
    with pytest.raises(Exception, match="trained with plasma, here is field alone"):
        learned_events(None, b, dataset=DATASET, interval=day, model=model)
    assert len(learned_events(ions, None, dataset=DATASET, interval=day, model=model)) >= 5


@pytest.mark.long
@pytest.mark.parametrize("helpful", [True, False])
def test_verdicts_that_help_are_promoted_and_those_that_mislead_are_not(
    helpful: bool, jets: Taught, tmp_path: Path
):
    store, model, better = tmp_path / "store", tmp_path / "poor", tmp_path / "better"
    shutil.copytree(jets.store, store)
    few = listing(tmp_path / "few.csv", [jets.truth[k] for k in range(18)])  # three days of six
    train = ("train", DATASET, "--labels", few, "--store", store, "--start", "2020-01-01", "--stop",
             "2020-01-04")  # fmt: skip
    with Store.open(store) as opened:  # what the model in use found of the days nobody listed
        import_catalog(opened, DATASET, listing(tmp_path / "found.csv", jets.truth[18:20], "jets"))
        for start, stop in jets.truth[20:]:
            shift = 0 if helpful else 3 * MINUTE  # a jet, or the quiet beside it
            add_missed(opened, DATASET, Interval(start + shift, stop + shift), "me")
    run(*train, "-o", model)
    run("model", "promote", MODEL, model, "--store", store)
    before = load_event_model(model).content
    words = (*train, "-o", better, "--verdicts", DATASET, "--promote")
    said = run(*words, fails=not helpful)
    candidate = load_event_model(better).content
    with Store.open(store, read_only=True) as opened:
        now = opened.models()[MODEL][0]
    assert "16 stretches by verdicts" in load_event_model(better).card.training
    if helpful:
        assert f"jets is now {candidate[:12]}" in said and now == candidate != before
    else:
        assert "It is not promoted" in said and now == before != candidate
