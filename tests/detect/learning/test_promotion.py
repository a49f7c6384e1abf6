from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sciqlop_pipe.catalog import import_catalog
from sciqlop_pipe.cli.app import app
from sciqlop_pipe.detect.evaluation.report import Evaluation
from sciqlop_pipe.detect.learning.door import Asked
from sciqlop_pipe.detect.learning.promotion import NotPromoted, compare, promote_if_not_worse
from sciqlop_pipe.detect.learning.verdicts import Said
from sciqlop_pipe.detect.promoted import shipped
from sciqlop_pipe.store import Store

pytest.importorskip("skops", reason="trained models need the extra `detect`")


@dataclass
class Learner:
    """Does as well as it is told, and remembers what it was asked."""

    score: float
    name: str = "icme"
    model: str = "icme"
    splits: tuple[str, ...] = ("year",)
    asked: Asked | None = None

    def listen(self, store: Store, dataset: str, said: Sequence[Said]) -> tuple[Said, ...]:
        raise NotImplementedError

    def train(self, asked: Asked, out: Path) -> Evaluation:
        raise NotImplementedError

    def evaluate(self, asked: Asked) -> Evaluation:
        self.asked = asked
        return Evaluation("icme", summary={"f1_iou_0.3": self.score})


HEARD = Asked(said=(Said(0, 10, True),))


def test_the_incumbent_is_judged_without_the_verdicts_on_groups_left_out():
    learner = Learner(0.6)
    found = compare(learner, HEARD, Evaluation("icme", summary={"f1_iou_0.3": 0.61}))
    assert learner.asked is not None and learner.asked.said == () and learner.asked.validate
    assert not found.worse


def test_a_candidate_that_is_worse_leaves_the_store_as_it_was(tmp_path: Path):
    learner = Learner(0.6)
    with Store.open(tmp_path / "store", create=True) as store:
        worse = compare(learner, HEARD, Evaluation("icme", summary={"f1_iou_0.3": 0.59}))
        with pytest.raises(NotPromoted, match=r"0\.5900 .* 0\.6000"):
            promote_if_not_worse(store, learner, shipped()["icme"], worse)
        assert "icme" not in store.models()
        equal = compare(learner, HEARD, Evaluation("icme", summary={"f1_iou_0.3": 0.6}))
        content = promote_if_not_worse(store, learner, shipped()["icme"], equal)
        assert store.models()["icme"][0] == content


def test_the_next_events_to_look_at_are_shown_and_a_moved_one_keeps_its_edges(tmp_path: Path):
    file = tmp_path / "found.csv"
    file.write_text(
        "start,stop,kind,probability\n2012-01-01,2012-01-02,icme,0.95\n"
        "2012-02-01,2012-02-02,icme,0.5\n2012-03-01,2012-03-02,icme,0.6\n"
    )
    with Store.open(tmp_path / "store", create=True) as store:
        import_catalog(store, "lists.found", file)
    at = ["--store", str(tmp_path / "store")]

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, [*words, *at])
        assert done.exit_code == 0, done.output
        return done.output

    lines = [
        x for x in run("catalog", "next", "lists.found", "-n", "2").splitlines() if "2012" in x
    ]
    assert "2012-02-01" in lines[0] and "2012-03-01" in lines[1]
    id_ = lines[0].split("│")[1].strip()
    run("catalog", "verdict", id_, "moved", "--author", "me", "--start", "2012-02-01T06:00")
    assert "2012-02-01" not in run("catalog", "next", "lists.found")
    from sciqlop_pipe.cli import judging

    (said_not, said_yes) = judging.said("icme", "lists.found", str(tmp_path / "store"), "")
    assert (said_not.true, said_yes.true) == (False, True)
    assert said_not.stop == said_yes.start
