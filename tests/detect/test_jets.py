"""Jets of the magnetosheath: made ones are found, and nothing else is; bad input is said."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.detect.jets import magnetosheath_jets, magnetosheath_jets_local
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import SECOND, Interval
from sciqlop_pipe.recipes.plasma_state import plasma_state
from sciqlop_pipe.store.records import Event
from tests.detect.shock_series import red, seconds
from tests.fields import between, clock, moments, position, vector

SPAN = Interval.of("2020-01-01T12:00", "2020-01-01T13:00")
STEP = 4.5
WIND = moments(5.0, np.tile([-450.0, 0, 0], (100, 1)), 10.0, clock(100, 60, -1200))


def sheath(
    jets=((1800.0, 20.0, -320.0),), *, noise=0.07, seed=0, n=20.0, hours=1.0, base=-70.0
) -> xr.Dataset:
    """Magnetosheath with jets, each (time, half length [s], V_x [km/s])."""
    rng = np.random.default_rng(seed)
    t = np.arange(0, hours * 3600, STEP)
    v = np.tile([base, 40.0, 10.0], (t.size, 1)) + 6 * red(rng, t.size, STEP, 3, 60.0)
    density = n * np.exp(noise * red(rng, t.size, STEP, 1, 60.0)[:, 0])
    for when, half, vx in jets:
        v[:, 0] += (vx - base) * np.exp(-(((t - when) / half) ** 2))
    return moments(density, v, 300.0, clock(t.size, STEP))


def flux(at: xr.Dataset, low=100.0, high=10.0) -> xr.Dataset:
    energy = np.array([100.0, 1000.0, 10_000.0])
    n = at.sizes["time"]
    return xr.Dataset(
        {"spectrum": (("time", "energy_bin"), np.tile([50.0, low, high], (n, 1))),
         "energy": (("energy_bin",), energy)},
        {"time": at["time"]},
    )  # fmt: skip


def place(x: float, y: float = 0.0) -> xr.Dataset:
    return position(np.tile([x * 6371.2, y * 6371.2, 0], (130, 1)), clock(130, 30))


def found(at: xr.Dataset, wind: xr.Dataset = WIND, *others, interval=SPAN, **how) -> list[Event]:
    return list(magnetosheath_jets(at, wind, *others, dataset="x.jets", interval=interval, **how))


def labels(state: xr.Dataset, p: float = 0.9) -> xr.Dataset:
    n = state.sizes["time"]
    values = np.tile([(1 - p) / 2, p, (1 - p) / 2], (n, 1))
    return xr.Dataset(
        {"probability": (("time", "label"), values)},
        {"time": state["time"], "label": ["magnetosphere", "magnetosheath", "solar_wind"]},
    )


def local(at: xr.Dataset, *, p: float = 0.9, interval=SPAN, **how) -> list[Event]:
    state = plasma_state(at)
    return list(magnetosheath_jets_local(state, labels(state, p), dataset="x.jets",
                                         interval=interval, **how))  # fmt: skip


def test_a_jet_is_found_with_its_pressure_size_and_time():
    at = sheath()
    (event,) = found(at, WIND, flux(at), place(11.0), vector(np.tile([0.0, 0, 20], (3600, 1))))
    a = dict(event.attributes)
    assert event.kind == "magnetosheath_jet"
    assert abs(seconds(a["time"]) - 1800) < 12
    assert a["pressure_ratio"] == pytest.approx(20 * 320**2 / (5 * 450**2), rel=0.3)
    assert a["velocity_x"] == pytest.approx(-320, rel=0.15)
    assert 10 < a["duration"] < 60
    assert a["size"] == pytest.approx(a["duration"] * 250, rel=0.4)
    assert a["magnetic_field"] == 20
    assert a["cone"] == pytest.approx(0, abs=1e-6)
    assert a["distance"] == pytest.approx(11, abs=0.01)
    assert a["density_jump"] == pytest.approx(0, abs=8)
    assert (a["absent"], a["flags"]) == ("", "")
    assert a["detector"] == "magnetosheath_jets@1"


def test_what_cannot_be_used_is_said():
    (event,) = found(sheath())
    a = dict(event.attributes)
    assert a["absent"] == "spectrum, position, b"
    assert a["magnetic_field"] is None


@pytest.mark.parametrize(
    ("why", "at", "others"),
    [
        ("below half of the wind's pressure", sheath(((1800.0, 20.0, -120.0),)), ()),
        ("not twice as dense as the wind", sheath(n=8.0), ()),
        ("away from the line to the Sun", sheath(), (None, place(5.0, 10.0))),
        ("hot ions, not a magnetosheath", sheath(), (flux(sheath(), 10.0, 100.0),)),
        ("sunward", sheath(((1800.0, 20.0, 320.0),)), ()),
    ],
)
def test_each_criterion_can_refuse_a_jet(why, at, others):
    assert found(at, WIND, *others) == [], why


def test_a_flow_that_does_not_slow_down_within_a_minute_is_no_jet():
    assert found(sheath(((1800.0, 40.0, -180.0),), base=-105.0, noise=0.02)) == []
    assert len(found(sheath(((1800.0, 40.0, -180.0),), base=-70.0, noise=0.02))) == 1


def test_jets_are_found_and_only_those():
    rng = np.random.default_rng(4)
    hits = true = false = 0
    for seed in range(12):
        when = rng.uniform(300, 3300, 1)[0]
        jets = ((when, rng.uniform(6, 30), rng.uniform(-400, -280)),)
        events = found(sheath(jets, seed=seed))
        good = [e for e in events if abs(seconds(dict(e.attributes)["time"]) - when) < 40]
        true, hits, false = true + 1, hits + min(len(good), 1), false + len(events) - len(good)
    assert hits >= 11
    assert false <= 1


def test_without_upstream_a_jet_is_one_against_the_sheath_around_it():
    (event,) = local(sheath())
    a = dict(event.attributes)
    assert abs(seconds(a["time"]) - 1800) < 12
    assert a["pressure_ratio"] > 4
    assert a["sheath_probability"] == pytest.approx(0.9, abs=1e-6)
    assert "velocity_x" not in a
    assert local(sheath(())) == []
    assert local(sheath(), p=0.2) == [], "not the magnetosheath by its labels"


def test_the_ramp_of_the_bow_shock_is_no_jet():
    state = plasma_state(sheath(()))
    state["velocity"].values[400:, 0] = -400.0
    seen = labels(state)
    seen["probability"].values[402:] = [0.05, 0.05, 0.9]
    found = magnetosheath_jets_local(state, seen, dataset="x.jets", interval=SPAN)
    assert found == ()
    seen["probability"].values[402:440] = [0.05, 0.9, 0.05]
    assert magnetosheath_jets_local(state, seen, dataset="x.jets", interval=SPAN) == ()


def test_ten_minutes_of_magnetosheath_are_needed_around_a_local_jet():
    at = sheath(((240.0, 20.0, -320.0),), hours=0.12)
    assert local(at) == []
    assert len(local(sheath(((700.0, 20.0, -320.0),), hours=0.4))) == 1


def test_slow_records_and_frames_that_do_not_look_at_the_sun_are_refused():
    at = sheath()
    with pytest.raises(UsageError, match="every 45 s.*10s"):
        found(at.isel(time=slice(None, None, 10)))
    at["velocity"].attrs["frame"] = "RTN"
    with pytest.raises(UsageError, match="RTN.*x does not point to the Sun"):
        found(at)
    with pytest.raises(UsageError, match="2h is longer"):
        local(sheath(), average="2h")


def test_no_wind_no_records_and_fills_give_no_events():
    at = sheath()
    assert found(at, WIND.isel(time=slice(0, 0))) == []
    assert found(at.isel(time=slice(0, 0))) == []
    assert found(at, interval=Interval(SPAN.start, SPAN.start)) == []
    spoiled = sheath(())
    spoiled["density"].values[::7] = -1e31
    spoiled["velocity"].values[::9] = 99999.9
    assert found(spoiled) == []
    assert local(spoiled) == []
    constant = sheath(())
    constant["velocity"].values[:] = [-70.0, 0, 0]
    constant["density"].values[:] = 20.0
    assert found(constant) == local(constant) == []


def test_a_gap_beside_a_jet_is_said():
    at = sheath()
    keep = np.ones(at.sizes["time"], bool)
    keep[int(1715 / STEP) : int(1760 / STEP)] = False
    events = found(at.isel(time=np.flatnonzero(keep)))
    assert events
    assert all("near_gap" in dict(e.attributes)["flags"] for e in events)


@pytest.mark.parametrize("detector", [found, local])
def test_events_do_not_depend_on_how_time_is_cut(detector):
    at = sheath(((900.0, 15.0, -300.0), (1800.0, 20.0, -320.0), (2700.0, 12.0, -350.0)))
    whole = detector(at)
    assert len(whole) == 3
    edges = [SPAN.start, *(SPAN.start + c * SECOND for c in (890, 1795, 1805, 3000)), SPAN.stop]
    pieces = []
    for start, stop in pairwise(edges):
        beyond = (15 if detector is found else 40) * 60 * SECOND
        seen = between(at, *np.array([start - beyond, stop + beyond], "datetime64[ns]"))
        pieces += detector(seen, interval=Interval(start, stop))
    assert pieces == whole
