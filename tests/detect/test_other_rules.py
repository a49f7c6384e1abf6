"""Flows of the magnetopause, fast streams, SLAMS, diffusion regions, unusual plasma."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.detect.diffusion import electron_diffusion_regions
from sciqlop_pipe.detect.flows import high_speed_streams, magnetopause_flows
from sciqlop_pipe.detect.novelty import unusual_plasma
from sciqlop_pipe.detect.slams import slams
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import SECOND, Interval, instant
from tests.detect.shock_series import red, seconds
from tests.fields import between, clock, moments, vector

SPAN = Interval.of("2020-01-01T12:00", "2020-01-01T14:00")
LABELS = ["magnetosphere", "magnetosheath", "solar_wind"]


def labelled(time, names) -> xr.Dataset:
    p = np.array([[0.9 if n == label else 0.05 for label in LABELS] for n in names])
    return xr.Dataset({"probability": (("time", "label"), p)}, {"time": time, "label": LABELS})


def boundary(jets=((1750.0, 20.0, 300.0),), *, field=True, seed=0):
    """Half an hour of magnetosheath, then magnetosphere, with flows along z."""
    rng = np.random.default_rng(seed)
    t = np.arange(0, 3600.0, 4.5)
    outside = t < 1800
    v = np.where(outside[:, None], [-80.0, 60.0, 20.0], [0.0, 0.0, 0.0])
    v = v + 15 * red(rng, t.size, 4.5, 3, 30.0)
    for when, half, vz in jets:
        v[:, 2] += vz * np.exp(-(((t - when) / half) ** 2))
    n = np.where(outside, 20.0, 0.5) * np.exp(0.1 * rng.normal(size=t.size))
    state = moments(n, v, np.where(outside, 300.0, 3000.0), clock(t.size, 4.5))
    if field:
        b = np.where(outside, 25.0, 50.0)
        state["magnetic_field"] = ("time", b, {"units": "nT", "long_name": "|B|"})
    return state, labelled(state["time"], np.where(outside, LABELS[1], LABELS[0]))


def flows(*inputs, interval=SPAN, **how):
    return list(magnetopause_flows(*inputs, dataset="x", interval=interval, **how))


def test_a_flow_faster_than_the_sheath_beside_the_magnetopause_is_found():
    (event,) = flows(*boundary())
    a = dict(event.attributes)
    assert abs(seconds(a["time"]) - 1750) < 15
    assert a["velocity_z"] == pytest.approx(320, abs=60)
    assert a["alfven_speed"] == pytest.approx(25 / np.sqrt(20) * 21.8, rel=0.1)
    assert a["excess"] > 0.5 * a["alfven_speed"]
    assert dict(flows(*boundary(field=False))[0].attributes)["absent"] == "magnetic_field"


def test_slow_flows_and_those_far_from_the_magnetopause_are_none():
    assert flows(*boundary(())) == []
    assert flows(*boundary(((600.0, 20.0, 300.0),))) == []
    with pytest.raises(UsageError, match="above 15min"):
        flows(*boundary(), near="1h")


def wind_speed(streams=((8.0, 250.0),), *, days=20, seed=0):
    """Hourly speeds with streams, each (day of the maximum, rise [km/s])."""
    rng = np.random.default_rng(seed)
    t = np.arange(days * 24.0)
    v = 350 + 10 * red(rng, t.size, 3600.0, 1, 4 * 3600.0)[:, 0]
    for day, rise in streams:
        x = t - 24 * day
        v += rise * np.where(x < 0, np.exp(-((x / 18) ** 2)), np.exp(-((x / 48) ** 2)))
    speed = np.column_stack((-v, 0 * v, 0 * v))
    return moments(5.0, speed, 10.0, clock(t.size, 3600.0))


def streams(ds, interval=None, **how):
    interval = interval or Interval.of("2020-01-01T12:00", "2020-01-21T12:00")
    return list(high_speed_streams(ds, dataset="x", interval=interval, **how))


def test_fast_streams_are_found_with_their_rise():
    events = streams(wind_speed(((5.0, 250.0), (13.0, 180.0))))
    assert len(events) == 2
    for event, (day, rise) in zip(events, ((5.0, 250.0), (13.0, 180.0)), strict=True):
        a = dict(event.attributes)
        assert abs(seconds(a["time"]) / 86400 - day) < 0.3
        assert a["rise"] == pytest.approx(rise, rel=0.2)
        assert 24 < a["duration"] < 140
    assert streams(wind_speed(((5.0, 25.0),))) == [], "below 400 km/s"
    assert streams(wind_speed(())) == []
    with pytest.raises(UsageError, match="above 5d"):
        streams(wind_speed(), climb="9d")


def foreshock(at=(900.0, 2000.0, 3000.0), *, height=3.0, half=4.0, step=0.25, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(0, 7200.0, step)
    b = np.tile([3.0, -3.0, 1.0], (t.size, 1)) + 0.5 * red(rng, t.size, step, 3, 10.0)
    for when in at:
        b *= (1 + height * np.exp(-(((t - when) / half) ** 2)))[:, None]
    return vector(b, clock(t.size, step))


def pulses(*inputs, interval=SPAN, **how):
    return list(slams(*inputs, dataset="x", interval=interval, **how))


def test_slams_are_found_and_other_steps_of_the_field_are_none():
    events = pulses(foreshock())
    assert len(events) == 3
    for event, when in zip(events, (900.0, 2000.0, 3000.0), strict=True):
        a = dict(event.attributes)
        assert abs(seconds(a["time"]) - when) < 2
        assert a["amplitude"] == pytest.approx(4, rel=0.25)
        assert 2 <= a["duration"] <= 30
    assert pulses(foreshock(())) == []
    assert pulses(foreshock(height=0.6)) == []
    step = foreshock(())
    step["vector"].values[14400:] *= 4
    assert pulses(step) == [], "a shock stays high"
    sheath = labelled(clock(1600, 4.5), np.repeat("magnetosheath", 1600))
    assert pulses(foreshock(), sheath) == []
    wind = labelled(clock(1600, 4.5), np.repeat("solar_wind", 1600))
    assert len(pulses(foreshock(), wind)) == 3
    with pytest.raises(UsageError, match="every 2.5 s.*1s"):
        pulses(foreshock(step=2.5))


def electrons(at=(60.0,), *, level=0.4, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(0, 120.0, 0.03)
    q = 0.02 + 0.01 * np.abs(rng.normal(size=t.size))
    b = np.tile([30.0, 0.0, 0.0], (t.size, 1)) + 0.3 * rng.normal(size=(t.size, 3))
    for when in at:
        bump = np.exp(-(((t - when) / 0.15) ** 2))
        q, b = q + level * bump, b * (1 - 0.8 * bump)[:, None]
    ds = xr.Dataset({"agyrotropy": ("time", q)}, {"time": clock(t.size, 0.03)})
    return ds, vector(b, clock(t.size, 0.03))


def work(value: float) -> xr.Dataset:
    return xr.Dataset({"value": ("time", np.full(4000, value))}, {"time": clock(4000, 0.03)})


def regions(*inputs, interval=SPAN, **how):
    return list(electron_diffusion_regions(*inputs, dataset="x", interval=interval, **how))


def test_diffusion_regions_are_agyrotropic_electrons_in_a_weak_field():
    (event,) = regions(*electrons())
    a = dict(event.attributes)
    assert event.kind == "edr_candidate"
    assert abs(seconds(a["time"]) - 60) < 0.2
    assert a["agyrotropy"] > 0.3
    assert a["field_ratio"] < 0.5
    assert a["absent"] == "conversion"
    assert len(regions(*electrons(), work(5.0))) == 1
    assert regions(*electrons(), work(-5.0)) == [], "energy goes to the field"
    assert regions(*electrons(())) == regions(*electrons(level=0.05)) == []
    strong, _ = electrons()
    assert regions(strong, electrons(())[1]) == [], "the field is not weak"
    with pytest.raises(UsageError, match="every 0.3 s"):
        regions(electrons()[0].isel(time=slice(None, None, 10)), electrons()[1])


def plasma(*, odd=True, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(0, 8 * 3600.0, 30.0)
    n = 5 * np.exp(0.2 * red(rng, t.size, 30.0, 1)[:, 0])
    v = np.tile([-400.0, 0, 0], (t.size, 1)) + 10 * red(rng, t.size, 30.0, 3)
    temperature = 10 * np.exp(0.2 * red(rng, t.size, 30.0, 1)[:, 0])
    if odd:
        n[480:500], temperature[480:500] = 60.0, 500.0
    return moments(n, v, temperature, clock(t.size, 30.0))


def unusual(ds, interval=None, **how):
    interval = interval or Interval.of("2020-01-01T12:00", "2020-01-01T20:00")
    return list(unusual_plasma(ds, dataset="x", interval=interval, **how))


def test_plasma_unlike_its_surroundings_is_found_and_said_how():
    (event,) = unusual(plasma())
    a = dict(event.attributes)
    assert abs(seconds(a["time"]) - 490 * 30) < 600
    assert a["unusual"] in ("log_density", "log_temperature")
    assert a["density"] == pytest.approx(60)
    assert a["density_before"] == pytest.approx(5, rel=0.6)
    assert a["absent"] == "magnetic_field"
    assert unusual(plasma(odd=False)) == []
    with pytest.raises(UsageError, match="above 7h"):
        unusual(plasma(), average="12h")


def test_empty_constant_and_spoiled_input_gives_no_events():
    state, labels = boundary()
    none = slice(0, 0)
    assert flows(state.isel(time=none), labels.isel(time=none)) == []
    assert flows(state, labels.isel(time=none)) == []
    assert streams(wind_speed().isel(time=none)) == []
    assert pulses(foreshock().isel(time=none)) == []
    assert regions(electrons()[0].isel(time=none), electrons()[1]) == []
    assert regions(electrons()[0], electrons()[1].isel(time=none)) == []
    assert unusual(plasma().isel(time=none)) == []
    constant = plasma(odd=False)
    for name in ("density", "temperature"):
        constant[name].values[:] = 5.0
    assert unusual(constant) == []
    constant["density"].values[::40] = -1e31
    constant["velocity"].values[::50] = 99999.9
    assert unusual(constant) == []
    field = foreshock(())
    field["vector"].values[::77] = 9999.99
    field["vector"].values[::55] = -1e31
    assert all(dict(e.attributes)["duration"] > 1 for e in pulses(field, shortest="1s"))


def test_events_do_not_depend_on_how_time_is_cut():
    cases = (
        (flows, boundary(), 1800, (1700, 1752, 1800)),
        (pulses, (foreshock(),), 600, (899, 901, 2500)),
        (regions, electrons(), 120, (60, 61)),
        (unusual, (plasma(),), 4 * 3600, (14500, 14600)),
        (streams, (wind_speed(((5.0, 250.0), (13.0, 180.0))),), 7 * 86400, (5 * 86400, 12 * 86400)),
    )
    start, stop = instant("2020-01-01T12:00"), instant("2020-01-21T12:00")
    for detector, inputs, margin, cuts in cases:
        whole = detector(*inputs, interval=Interval(start, stop))
        assert whole, detector
        pieces = []
        for a, z in pairwise([start, *(start + c * SECOND for c in cuts), stop]):
            beyond = np.array([a - margin * SECOND, z + margin * SECOND], "datetime64[ns]")
            pieces += detector(*(between(ds, *beyond) for ds in inputs), interval=Interval(a, z))
        assert pieces == whole, detector
