from __future__ import annotations

import numpy as np
import pytest

from sciqlop_pipe.detect.evaluation import Classified, score_points
from sciqlop_pipe.detect.evaluation.points import reliability
from sciqlop_pipe.errors import UsageError


def classified(
    label: list[int], guess: list[int], sure: float = 0.8, classes: int = 3
) -> Classified:
    p = np.full((len(label), classes), (1 - sure) / (classes - 1))
    p[np.arange(len(label)), guess] = sure
    return Classified(tuple("abcdef"[:classes]), p, np.array(label), np.arange(len(label)) // 2)


def test_macro_f1_is_that_of_the_confusion():
    s = score_points(classified([0, 0, 1, 1, 2, 2], [0, 0, 1, 0, 2, 2]))
    assert s["accuracy"] == pytest.approx(5 / 6, abs=1e-4)
    assert s["f1"] == {"a": 0.8, "b": 0.6667, "c": 1.0}
    assert s["macro_f1"] == pytest.approx((0.8 + 2 / 3 + 1) / 3, abs=1e-4)
    assert s["confusion"]["b"] == [1, 1, 0, 0]


def test_a_class_that_does_not_occur_is_no_part_of_the_mean():
    assert score_points(classified([0, 1], [0, 1]))["macro_f1"] == 1.0


def test_a_record_about_which_nothing_was_said_is_wrong():
    c = classified([0, 1], [0, 1])
    c.probability[1] = np.nan
    s = score_points(c)
    assert s["accuracy"] == 0.5 and s["confusion"]["b"] == [0, 0, 0, 1]


def test_calibration_error_of_a_boaster_is_what_he_boasts():
    rng = np.random.default_rng(0)
    right = rng.random(20_000) < 0.7
    assert reliability(np.full(20_000, 0.95), right).error == pytest.approx(0.25, abs=0.02)
    assert reliability(np.full(20_000, 0.7), right).error < 0.02


def test_classes_put_together_add_their_probabilities():
    c = classified([0, 1, 2], [0, 0, 2])
    merged = c.merged({"ab": ("a", "b")})
    assert merged.label.tolist() == [0, 0]
    np.testing.assert_allclose(merged.probability, 1.0)


def test_nothing_to_score_and_labels_of_no_class_are_refused():
    with pytest.raises(UsageError, match="nothing to score"):
        score_points(classified([], []))
    with pytest.raises(UsageError, match="none of the classes"):
        classified([0, 7], [0, 1])
