from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from sciqlop_pipe import datatypes
from sciqlop_pipe.dash import desk as desks
from sciqlop_pipe.dash.desk import load
from sciqlop_pipe.dash.frames import Words
from sciqlop_pipe.dash.kept import Kept
from sciqlop_pipe.dash.state import View
from sciqlop_pipe.dash.warming import warm
from sciqlop_pipe.granule import Interval
from tests import builders
from tests.putting import put

DAY = Interval.of("2020-11-19", "2020-11-20")


def test_what_many_ask_for_at_once_is_made_once():
    kept: Kept[list[int]] = Kept()
    made = []

    def make() -> list[int]:
        time.sleep(0.05)
        made.append(1)
        return [7]

    found: list[list[int]] = []
    threads = [threading.Thread(target=lambda: found.append(kept.get("a", make))) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [[7]] * 8 and len(made) == 1


def test_errors_are_not_kept_and_the_oldest_answers_go():
    kept: Kept[list[int]] = Kept(most=2)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: [1 // 0])
    for k in range(3):
        assert kept.get(k, lambda k=k: [k]) == [k]
    assert kept.get(2, lambda: [-1]) == [2] and kept.get(0, lambda: [-1]) == [-1]
    assert kept.get("empty", list) == [] and kept.get("empty", lambda: [1]) == []
    old: Kept[list[int]] = Kept(seconds=0.0)
    old.get("a", lambda: [1])
    assert old.get("a", lambda: [2]) == [2]


def test_a_frame_is_drawn_again_only_when_what_it_shows_has_changed(store, desk, monkeypatch):
    drawn = []
    real = desks.frames_of
    monkeypatch.setattr(desks, "frames_of", lambda *a, **k: drawn.append(1) or real(*a, **k))
    put(store, "m.x", builders.scalar_series(value=1.0), datatypes.ScalarSeries, DAY)
    view = View(("m.x",), Interval.of("2020-11-19", "2020-11-21"))
    first = load(desk, view)
    assert load(desk, view) == first and len(drawn) == 1
    later = builders.scalar_series(builders.times(40, "2020-11-20T01:00:00"), value=2.0)
    put(store, "m.x", later, datatypes.ScalarSeries, Interval.of("2020-11-20", "2020-11-21"))
    assert np.nanmax(load(desk, view)[0].content.curves[0].y) == 2.0 and len(drawn) == 2
    assert isinstance(load(desk, View(("m.none",), DAY))[0].content, Words)


def test_a_server_is_warm_after_one_look_at_each_distribution_and_on_nothing_too(store, desk):
    desk.warming = True
    warm(desk)
    assert not desk.warming
    put(store, "m.vdf", builders.vdf(builders.times(4)), datatypes.VDF, DAY)
    warm(desk)
    assert not desk.warming
