"""Dipolarizations and bursty bulk flows of a made tail; each criterion refuses; bad input."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.detect.flows import bursty_bulk_flows
from sciqlop_pipe.detect.tail import dipolarization_fronts, dipolarizations
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import SECOND, Interval
from tests.detect.shock_series import red, seconds
from tests.fields import between, clock, moments, position, vector

SPAN = Interval.of("2020-01-01T12:00", "2020-01-01T12:30")
LENGTH = 1800.0


def field(fronts=((900.0, 10.0, 4.0),), *, step=0.125, noise=0.5, seed=0, bx=6.0) -> xr.Dataset:
    """Field of the tail with fronts, each (time, rise [nT], duration [s]), decaying in a minute."""
    rng = np.random.default_rng(seed)
    t = np.arange(0, LENGTH, step)
    b = np.tile([bx, 1.0, 2.0], (t.size, 1)) + noise * red(rng, t.size, step, 3, 20.0)
    for when, rise, length in fronts:
        up = 0.5 * (1 + np.tanh(2 * (t - when) / length))
        b[:, 2] += rise * up * np.exp(-np.maximum(t - when, 0) / 120)
    return vector(b, clock(t.size, step), frame="GSM")


def ions(flows=((910.0, 60.0, 500.0),), *, temperature=4000.0, n=0.4, seed=0) -> xr.Dataset:
    """Hot ions with earthward flows, each (time, half length [s], V_x [km/s])."""
    rng = np.random.default_rng(seed)
    t = np.arange(0, LENGTH, 4.5)
    v = 20 * red(rng, t.size, 4.5, 3, 30.0)
    for when, half, vx in flows:
        v[:, 0] += vx * np.exp(-(((t - when) / half) ** 2))
    return moments(n, v, temperature, clock(t.size, 4.5), frame="GSM")


def place(x: float) -> xr.Dataset:
    return position(np.tile([x * 6371.2, 0, 0], (70, 1)), clock(70, 30), frame="GSM")


def fronts(b, *others, interval=SPAN, **how):
    return list(dipolarization_fronts(b, *others, dataset="x", interval=interval, **how))


def slow(b, *others, interval=SPAN, **how):
    return list(dipolarizations(b, *others, dataset="x", interval=interval, **how))


def flows(*inputs, interval=SPAN, **how):
    return list(bursty_bulk_flows(*inputs, dataset="x", interval=interval, **how))


def test_a_front_is_found_with_its_fit():
    (event,) = fronts(field(), ions(), place(-15))
    a = dict(event.attributes)
    assert event.kind == "dipolarization_front"
    assert abs(seconds(a["time"]) - 900) < 1
    assert a["amplitude"] == pytest.approx(10, rel=0.15)
    assert a["duration"] == pytest.approx(4, rel=0.4)
    assert a["velocity_x"] > 400
    assert a["elevation_after"] > a["elevation_before"] + 20
    assert a["absent"] == ""
    assert dict(fronts(field())[0].attributes)["absent"] == "moments, position"


def test_fronts_are_found_over_sizes_and_durations_and_little_else():
    rng = np.random.default_rng(2)
    hits = false = 0
    for seed in range(16):
        b = field(((900.0, rng.uniform(6, 20), rng.uniform(1, 6)),), seed=seed)
        events = fronts(b, ions(seed=seed), place(-15))
        good = [e for e in events if abs(seconds(dict(e.attributes)["time"]) - 900) < 3]
        hits, false = hits + len(good), false + len(events) - len(good)
    assert hits >= 15
    assert false <= 1


@pytest.mark.parametrize(
    ("why", "inputs"),
    [
        ("too small", (field(((900.0, 2.5, 4.0),)),)),
        ("too slow", (field(((900.0, 10.0, 30.0),)),)),
        ("a fall", (field(((900.0, -10.0, 4.0),)),)),
        ("no flow", (field(), ions(()))),
        ("cold lobe", (field(), ions(temperature=100.0, n=0.05))),
        ("day side", (field(), ions(), place(10))),
        ("near the Earth", (field(), ions(), place(-3))),
    ],
)
def test_each_criterion_can_refuse_a_front(why, inputs):
    assert fronts(*inputs) == [], why


def test_a_slow_field_is_refused_and_the_alternative_takes_it():
    b = field(step=3.0)
    with pytest.raises(UsageError, match="every 3 s.*250ms"):
        fronts(b)
    (event,) = slow(b, ions(), place(-15))
    a = dict(event.attributes)
    assert event.kind == "dipolarization"
    assert abs(seconds(a["time"]) - 900) < 10
    assert a["elevation_max"] > 45
    assert slow(field((), step=3.0)) == []
    assert slow(field(step=3.0, bx=40.0)) == [], "elevation stays low"
    with pytest.raises(UsageError, match="every 15 s"):
        slow(field(step=15.0))


def test_a_field_that_is_not_in_gsm_is_refused():
    b = field()
    b["vector"].attrs["frame"] = "GSE"
    with pytest.raises(UsageError, match="GSM"):
        fronts(b)


def test_samples_above_400_less_than_ten_minutes_apart_are_one_flow():
    one = flows(ions(((300.0, 30.0, 600.0), (800.0, 30.0, 600.0))))
    assert len(one) == 1
    a = dict(one[0].attributes)
    assert a["bursts"] == 2
    assert a["earthward"] == 1
    assert a["speed_max"] > 550
    assert a["duration"] == pytest.approx(580, abs=40)
    two = flows(ions(((300.0, 30.0, 600.0), (1100.0, 30.0, -700.0))))
    assert [dict(e.attributes)["earthward"] for e in two] == [1, 0]
    assert [dict(e.attributes)["bursts"] for e in two] == [1, 1]


def test_flows_outside_the_plasma_sheet_are_none():
    fast = ions(((900.0, 30.0, 600.0),))
    assert len(flows(fast)) == 1
    assert flows(ions(((900.0, 30.0, 330.0),))) == [], "below 400 km/s"
    lobe = vector(np.tile([40.0, 0, 0], (1800, 1)), clock(1800, 1.0), frame="GSM")
    assert flows(fast, lobe) == []
    assert flows(fast, None, None, place(10)) == []
    sheath = xr.Dataset(
        {"probability": (("time", "label"), np.tile([0.1, 0.9, 0.0], (400, 1)))},
        {"time": fast["time"], "label": ["magnetosphere", "magnetosheath", "solar_wind"]},
    )
    assert flows(fast, None, sheath) == []
    with pytest.raises(UsageError, match="above 15min"):
        flows(fast, apart="1h")


def test_bad_input_gives_no_events_and_no_errors():
    b, hot = field(), ions()
    assert fronts(b.isel(time=slice(0, 0))) == slow(b.isel(time=slice(0, 0))) == []
    assert flows(hot.isel(time=slice(0, 0))) == []
    assert fronts(b, interval=Interval(SPAN.start, SPAN.start)) == []
    constant = b.assign(vector=b["vector"] * 0 + 5.0)
    assert fronts(constant) == slow(constant) == []
    spoiled = field(())
    spoiled["vector"].values[::50] = -1e31
    spoiled["vector"].values[25::50] = np.nan
    assert fronts(spoiled) == slow(spoiled) == []
    hot["velocity"].values[::20] = 99999.9
    assert all(dict(e.attributes)["speed_max"] < 700 for e in flows(hot))


def test_events_of_the_tail_do_not_depend_on_how_time_is_cut():
    b = field(((500.0, 10.0, 4.0), (1200.0, 8.0, 2.0)))
    hot = ions(((505.0, 60.0, 500.0), (1205.0, 60.0, 600.0)))
    edges = [SPAN.start, *(SPAN.start + c * SECOND for c in (498, 700, 1201)), SPAN.stop]
    for detector, inputs, margin in ((fronts, (b, hot), 300), (slow, (b, hot), 600),
                                     (flows, (hot,), 3600)):  # fmt: skip
        whole = detector(*inputs)
        assert whole
        pieces = []
        for start, stop in pairwise(edges):
            beyond = np.array([start - margin * SECOND, stop + margin * SECOND], "datetime64[ns]")
            seen = [between(ds, *beyond) for ds in inputs]
            pieces += detector(*seen, interval=Interval(start, stop))
        assert pieces == whole
