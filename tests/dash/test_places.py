from __future__ import annotations

import numpy as np
import pytest
from bokeh.models import GlyphRenderer

from sciqlop_pipe import datatypes
from sciqlop_pipe.constants import EARTH_RADIUS
from sciqlop_pipe.dash import plots
from sciqlop_pipe.dash.events import Events
from sciqlop_pipe.dash.places import boundaries, places_of, positions_of
from sciqlop_pipe.dash.statistics import Epoch
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import MINUTE, SECOND, Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.store.records import Event
from tests import builders
from tests.putting import put

START = instant(builders.START)
DAY = Interval.of("2020-11-19", "2020-11-20")
HOSTILE = "<img src=x onerror=alert(1)>"


def event(minute: int, kind: str = "shock") -> Event:
    start = START + minute * MINUTE
    return Event(f"{minute:08d}", kind, start, start + 30 * SECOND, (("probability", 0.7),))


def orbit(frame: str, scale: float = EARTH_RADIUS):
    """From (10, 0, 0) to (0, 10, 0) in 20 minutes, in units of `scale` km."""
    time = builders.times(21, step="60s")
    part = np.linspace(0, 1, 21)[:, None]
    at = scale * 10 * ((1 - part) * [1.0, 0, 0] + part * [0, 1.0, 0])
    return builders.position(time).assign(
        position=(("time", "component"), at, {"units": "km", "frame": frame})
    )


def test_events_are_where_the_spacecraft_was_at_their_middles(store):
    put(store, "m.orbit.position_gse", orbit("GSE"), datatypes.Position, DAY)
    later = orbit("GSM").assign_coords(time=builders.times(21, "2020-11-25T00:00:00", step="60s"))
    put(
        store,
        "m.orbit.position_gsm",
        later,
        datatypes.Position,
        Interval.of("2020-11-25", "2020-11-26"),
    )
    names = positions_of(store, Graph.of([]), "m.crossings")
    assert names == ["m.orbit.position_gsm", "m.orbit.position_gse"]
    assert positions_of(store, Graph.of([]), "other.crossings") == []
    found = places_of(store, [event(0), event(10), event(600)], names)
    assert found.source == "m.orbit.position_gse"
    assert found.units == "R_E" and found.frame == "GSE" and found.events == 3
    part = np.array([15, 615]) / 1200
    assert np.allclose(found.rows[["x", "y", "z"]], 10 * np.c_[1 - part, part, 0 * part], atol=1e-3)
    assert 11.9 < found.rows["mlt"][0] + 0.5 < 13.5 and found.rows["mlt"][1] > found.rows["mlt"][0]
    assert (found.rows["l"] >= np.linalg.norm(found.rows[["x", "y", "z"]], axis=1) - 1e-6).all()


def test_far_from_the_earth_there_is_no_local_time(store):
    put(store, "m.orbit.position", orbit("HCI", 1e7), datatypes.Position, DAY)
    found = places_of(store, [event(0)], ["m.orbit.position"])
    assert found.units == "au" and not found.earth and found.rows["l"].isna().all()
    assert len(plots.places_plots(found)) == 2


def test_events_that_the_position_does_not_cover_are_a_sentence(store):
    put(store, "m.orbit.position", orbit("GSE"), datatypes.Position, DAY)
    with pytest.raises(UsageError, match="cover none"):
        places_of(store, [event(6000)], ["m.orbit.position"])


def test_the_model_boundaries_have_their_known_noses():
    made = boundaries().groupby("name")["x"].max()
    assert made["magnetopause (Shue 1998)"] == pytest.approx(10.2, abs=0.4)
    assert made["bow shock (Farris 1994)"] == pytest.approx(12.9, abs=0.8)


def test_the_where_of_the_page_draws_it_and_says_when_it_cannot(store, desk):
    put(store, "m.crossings", None, datatypes.Events, DAY, events=(event(1), event(2, HOSTILE)))
    page = Events(desk)
    (statistics,) = page.more
    statistics[0].value = "Where"
    assert "no position of this spacecraft" in statistics[1][0].select()[-1].object
    put(store, "m.orbit.position_gse", orbit("GSE"), datatypes.Position, DAY)
    statistics[0].value = "Statistics"
    statistics[0].value = "Where"
    words, planes, local = statistics[1][0]
    assert "2 of 2 events" in words.object and len(planes) == 2
    for pane in (*planes, local):
        assert pane.object.frame_width == pane.object.frame_height == plots.SQUARE


def test_a_superposed_epoch_is_drawn_with_its_numbers():
    x = np.linspace(-10, 10, 21)
    made = Epoch(x, x - 1, x, x + 1, np.full(21, 3), 3)
    figure = plots.pane(plots.epoch_plot(made, "n [cm⁻³]")).object
    sources = [r.data_source.data for r in figure.select(GlyphRenderer)]
    lines = [data for data in sources if "median" in data]
    assert np.allclose(lines[0]["median"], x)
