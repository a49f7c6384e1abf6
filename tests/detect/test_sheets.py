"""Current sheets, discontinuities, exhausts and ropes: made ones are found, turbulence is none."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.detect.exhausts import reconnection_exhausts
from sciqlop_pipe.detect.ropes import flux_ropes
from sciqlop_pipe.detect.sheets import current_sheets, discontinuities
from sciqlop_pipe.errors import DataTypeError, UsageError
from sciqlop_pipe.granule import SECOND, Interval
from tests.detect.shock_series import ALFVEN, red, seconds
from tests.fields import between, clock, moments, vector

SPAN = Interval.of("2020-01-01T12:00", "2020-01-01T13:00")
LENGTH = 3600.0


def turning(when=(1800.0,), *, width=1.0, step=0.25, noise=0.2, seed=0, guide=2.0) -> xr.Dataset:
    """A field of 5.4 nT that turns between +-5 nT in x at some times, with turbulence."""
    rng = np.random.default_rng(seed)
    t = np.arange(0, LENGTH, step)
    sign = np.ones(t.size)
    for w in when:
        sign *= np.tanh((t - w) / width)
    b = np.column_stack((5 * sign, np.full(t.size, guide), np.zeros(t.size)))
    return vector(b + noise * red(rng, t.size, step, 3, 60.0), clock(t.size, step))


def sheets(b, interval=SPAN, **how):
    return list(current_sheets(b, dataset="x", interval=interval, **how))


def turns(b, interval=SPAN, **how):
    return list(discontinuities(b, dataset="x", interval=interval, **how))


def ropes(*inputs, interval=SPAN, **how):
    return list(flux_ropes(*inputs, dataset="x", interval=interval, **how))


def exhausts(*inputs, interval=SPAN, **how):
    return list(reconnection_exhausts(*inputs, dataset="x", interval=interval, **how))


def test_a_current_sheet_is_where_pvi_is_high():
    b = turning(noise=0.1)
    events = sheets(b, threshold=6.0)
    assert len(events) == 1
    a = dict(events[0].attributes)
    assert abs(seconds(a["time"]) - 1800) < 1.5
    assert a["pvi"] > 6
    assert a["rotation"] > 60
    with pytest.raises(UsageError, match="every 2 s.*1s"):
        sheets(turning(step=2.0))


def test_normal_noise_exceeds_a_pvi_of_five_hardly_ever():
    rng = np.random.default_rng(3)
    b = vector(rng.normal(size=(14400, 3)), clock(14400, 0.25))
    assert sheets(b, threshold=5.0) == []


def test_discontinuities_are_found_and_named():
    (event,) = turns(turning())
    a = dict(event.attributes)
    assert abs(seconds(a["time"]) - 1800) < 3
    assert a["change"] == pytest.approx(10, rel=0.1)
    assert a["rotation"] == pytest.approx(2 * np.degrees(np.arctan2(5, 2)), abs=10)
    assert a["field_change"] < 0.2
    assert event.kind in ("either_discontinuity", "rotational_discontinuity")
    assert turns(turning(())) == []
    small = turning((), noise=0.2)
    small["vector"].values[:, 0] += np.where(np.arange(14400) > 7200, 1.5, 0.0)
    assert turns(small) == [], "a change below half of the field"


def test_a_change_of_strength_across_a_sheet_is_a_tangential_discontinuity():
    b = turning(noise=0.1, guide=0.0)
    b["vector"].values[7200:] *= 0.5
    (event,) = turns(b)
    assert event.kind == "tangential_discontinuity"
    assert dict(event.attributes)["field_change"] > 0.3


def exhaust(*, jet=1.0, when=1800.0, half=60.0, noise=0.05, seed=0, both=1.0):
    """Reversal in two steps with a jet of V_A between, +B_L to 0 to -B_L: Alfvenic at both."""
    rng = np.random.default_rng(seed)
    t, tb = np.arange(0, LENGTH, 4.0), np.arange(0, LENGTH, 1.0)

    def steps(x):
        a = 0.5 * (1 + np.tanh((x - when + half) / 3))
        z = 0.5 * (1 + np.tanh((x - when - half) / 3))
        return a, z

    a, z = steps(tb)
    b = np.column_stack((5 * (1 - a - z), np.full(tb.size, 2.0), np.zeros(tb.size)))
    b += noise * 5 * red(rng, tb.size, 1.0, 3, 60.0)
    n = 5.0
    alfven = 5 / np.sqrt(n) * ALFVEN
    a, z = steps(t)
    v = np.tile([-400.0, 0, 0], (t.size, 1))
    v[:, 0] += jet * alfven * (a - both * z)
    v += noise * alfven * red(rng, t.size, 4.0, 3, 60.0)
    return moments(n, v, 10.0, clock(t.size, 4.0)), vector(b, clock(tb.size, 1.0))


def test_an_exhaust_has_opposite_correlations_and_a_jet():
    (event,) = exhausts(*exhaust(jet=0.9))
    a = dict(event.attributes)
    assert abs(seconds(a["time"]) - 1800) < 20
    assert abs(a["jet"]) == pytest.approx(0.9 * 48.7, rel=0.15)
    assert a["slope_before"] * a["slope_after"] < 0
    assert abs(a["slope_before"]) == pytest.approx(0.9, abs=0.15)
    assert a["correlation_before"] * a["correlation_after"] < 0
    assert a["shear"] > 120
    assert 60 <= a["width"] <= 240


def test_exhausts_are_found_over_widths_and_noise():
    hits = false = 0
    for seed, half in enumerate((20.0, 40.0, 60.0, 100.0, 160.0)):
        events = exhausts(*exhaust(jet=0.8, half=half, seed=seed, noise=0.08))
        good = [e for e in events if abs(seconds(dict(e.attributes)["time"]) - 1800) < half]
        hits, false = hits + min(len(good), 1), false + len(events) - len(good)
    assert hits >= 4
    assert false <= 1


@pytest.mark.parametrize(
    ("why", "inputs"),
    [
        ("a jet far below the Alfven speed", exhaust(jet=0.2)),
        ("no jet", exhaust(jet=0.0)),
        ("an Alfvenic turn: V does not come back", exhaust(both=-1.0)),
    ],
)
def test_what_is_no_exhaust(why, inputs):
    assert exhausts(*inputs) == [], why


def rope(*, when=1800.0, half=40.0, core=8.0, noise=0.1, seed=0, step=0.5):
    """A force-free like rope (bipolar x, core y) in a steady field along z."""
    rng = np.random.default_rng(seed)
    t = np.arange(0, LENGTH, step)
    x = (t - when) / half
    shape = np.exp(-(x**2) * 2)
    b = np.column_stack((core * 1.6 * x * np.exp(0.5 - 2 * x**2), core * shape,
                         np.full(t.size, 4.0)))  # fmt: skip
    return vector(b + noise * red(rng, t.size, step, 3, 60.0), clock(t.size, step))


def test_a_rope_is_found_with_its_axis():
    ions = moments(20.0, np.tile([-150.0, 0, 0], (900, 1)), 300.0, clock(900, 4.0))
    (event,) = ropes(rope(), ions)
    a = dict(event.attributes)
    assert abs(seconds(a["time"]) - 1800) < 10
    assert abs(a["axis_y"]) > 0.8
    assert a["bipolar"] > 0.5
    assert a["core_ratio"] > 1.2
    assert a["size"] == pytest.approx(a["duration"] * 150)
    assert dict(ropes(rope())[0].attributes)["absent"] == "moments"


def test_ropes_are_found_over_sizes_and_turbulence_makes_few():
    hits = 0
    for seed, half in enumerate((8.0, 15.0, 30.0, 60.0, 120.0) * 2):
        events = ropes(rope(half=half, seed=seed, noise=0.3))
        hits += any(abs(seconds(dict(e.attributes)["time"]) - 1800) < half for e in events)
    assert hits >= 8
    assert sum(len(ropes(turning((), noise=0.5, seed=s))) for s in range(2)) <= 1
    only_core = rope()
    only_core["vector"].values[:, 0] = 0.1
    assert ropes(only_core) == [], "a compression without a bipolar component"


def test_frames_cadences_and_bad_input():
    m, b = exhaust()
    b["vector"].attrs["frame"] = "RTN"
    with pytest.raises(DataTypeError, match="RTN"):
        exhausts(m, b)
    with pytest.raises(UsageError, match="every 40 s"):
        exhausts(m.isel(time=slice(None, None, 10)), turning())
    nothing = turning().isel(time=slice(0, 0))
    assert sheets(nothing) == turns(nothing) == ropes(nothing) == []
    assert exhausts(m.isel(time=slice(0, 0)), turning()) == []
    constant = turning()
    constant["vector"].values[:] = [3.0, 2.0, 1.0]
    assert sheets(constant) == turns(constant) == ropes(constant) == []
    assert exhausts(m, constant) == []
    spoiled = turning((), noise=0.2)
    spoiled["vector"].values[::60] = -1e31
    assert sheets(spoiled, threshold=6.0) == turns(spoiled) == ropes(spoiled) == []


def test_events_do_not_depend_on_how_time_is_cut():
    edges = [SPAN.start, *(SPAN.start + c * SECOND for c in (700, 1795, 1802, 2900)), SPAN.stop]
    cases = (
        (sheets, (turning((1000.0, 1800.0), noise=0.1),), 422),
        (turns, (turning((1000.0, 1800.0, 2600.0)),), 600),
        (ropes, (rope(),), 1800),
        (exhausts, exhaust(), 1200),
    )
    for detector, inputs, margin in cases:
        whole = detector(*inputs)
        assert whole
        pieces = []
        for start, stop in pairwise(edges):
            beyond = np.array([start - margin * SECOND, stop + margin * SECOND], "datetime64[ns]")
            pieces += detector(
                *(between(ds, *beyond) for ds in inputs), interval=Interval(start, stop)
            )
        assert pieces == whole, detector
