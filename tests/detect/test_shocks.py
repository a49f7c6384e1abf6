"""Interplanetary shocks: Rankine-Hugoniot truth, quiet wind, bad input, and a real quiet day."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from sciqlop_missions.omni import mission as omni_mission
from sciqlop_missions.wind import mission as wind_mission
from sciqlop_pipe.detect.shocks import interplanetary_shocks
from sciqlop_pipe.errors import DataTypeError, UsageError
from sciqlop_pipe.granule import HOUR, SECOND, Interval
from sciqlop_pipe.store.records import Event
from tests.detect.shock_series import order, seconds, sides, wind
from tests.fields import between
from tests.missions.claims import read, real

NAME = "probe.interplanetary_shocks"
SPAN = Interval.of("2020-01-01T12:00", "2020-01-01T16:00")


def found(moments: xr.Dataset, b: xr.Dataset, interval: Interval = SPAN, **how) -> list[Event]:
    return list(interplanetary_shocks(moments, b, dataset=NAME, interval=interval, **how))


def one(mach=3.0, theta=60.0, *, forward=True, at=7200.0, **how):
    states, normal, speed = sides(mach, theta, 0.8, forward, 3)
    return *wind([(at, order(states, forward))], **how), states, normal, speed


@pytest.mark.parametrize("forward", [True, False])
def test_a_shock_of_the_rankine_hugoniot_relations_is_found_with_its_numbers(forward):
    moments, b, states, normal, speed = one(forward=forward, noise=0.03)
    (event,) = found(moments, b)
    a = dict(event.attributes)
    assert event.kind == ("fast_forward_shock" if forward else "fast_reverse_shock")
    assert abs(seconds(a["time"]) - 7200) < 6
    assert a["uncertainty"] < 30
    assert event.start <= SPAN.start + 7200 * SECOND <= event.stop
    (n_u, v_u, _, b_u), (n_d, v_d, _, b_d) = states
    assert a["density_ratio"] == pytest.approx(n_d / n_u, rel=0.05)
    assert a["field_ratio"] == pytest.approx(np.linalg.norm(b_d) / np.linalg.norm(b_u), rel=0.05)
    assert a["speed_jump"] == pytest.approx(abs(np.linalg.norm(v_d) - np.linalg.norm(v_u)), rel=0.1)
    direction = [a[f"normal_{x}"] for x in "xyz"]
    assert np.degrees(np.arccos(np.dot(direction, normal))) < 10
    assert a["theta_bn"] == pytest.approx(60, abs=8)
    # Away from the Sun: a reverse shock is carried out by the wind it swims against.
    assert a["shock_speed"] == pytest.approx(speed * np.sign(v_u @ normal), abs=25)
    assert a["shock_speed"] > 0
    assert a["alfven_mach"] == pytest.approx(3.0, rel=0.2)
    assert a["momentum_residual"] < 0.3
    assert 0.5 < a["score"] < 1
    assert a["flags"] == ""
    assert a["detector"] == "interplanetary_shocks@1"


def test_most_shocks_are_found_over_mach_number_angle_and_turbulence():
    """Those that are shocks by the definition; the page of detectors has the larger table."""
    rng = np.random.default_rng(11)
    hits = true = false = 0
    for k in range(24):
        forward = bool(k % 2)
        states, _, _ = sides(rng.uniform(1.5, 6), rng.uniform(15, 88), 0.8, forward, k)
        (n_u, v_u, _, b_u), (n_d, v_d, _, b_d) = states
        if min(n_d / n_u, np.linalg.norm(b_d) / np.linalg.norm(b_u)) < 1.2:
            continue
        if abs(np.linalg.norm(v_d) - np.linalg.norm(v_u)) < 20:
            continue
        moments, b = wind([(7200.0, order(states, forward))], noise=0.1, field=15.0, seed=k)
        events = found(moments, b)
        good = [e for e in events if abs(seconds(dict(e.attributes)["time"]) - 7200) < 60]
        true, hits, false = true + 1, hits + len(good), false + len(events) - len(good)
    assert true > 15
    assert hits >= 0.9 * true
    assert false <= 1


@pytest.mark.parametrize("seed", range(4))
def test_turbulent_wind_has_no_shock(seed):
    assert found(*wind([], noise=0.25, hours=6, field=15.0, seed=seed)) == []


def test_a_slow_compression_is_no_shock():
    moments, b, *_ = one(noise=0.03, ramp=600.0)
    assert found(moments, b) == []


def test_a_slow_shock_a_field_drop_and_a_hot_blob_are_no_fast_shocks():
    """Density and speed step up while the field steps down; or T alone; or n alone."""
    quiet = (5.0, np.array([-400.0, 0, 0]), 10.0, np.array([4.0, -4, 1]))
    for after in (
        (10.0, np.array([-450.0, 0, 0]), 20.0, np.array([2.0, -2, 0.5])),
        (5.0, np.array([-400.0, 0, 0]), 60.0, np.array([4.0, -4, 1])),
        (12.0, np.array([-400.0, 0, 0]), 10.0, np.array([4.0, -4, 1])),
    ):
        assert found(*wind([(7200.0, (quiet, after))], noise=0.03)) == []


def test_hourly_data_are_refused_and_the_message_says_what_is_needed():
    moments, b, *_ = one()
    slow = moments.isel(time=slice(None, None, 60))
    with pytest.raises(UsageError, match="a record every 3600 s.*2min"):
        found(slow, b)
    with pytest.raises(UsageError, match="the field has a record every 3600 s"):
        found(moments, b.isel(time=slice(None, None, 1200)))


def test_a_real_year_of_hourly_omni_is_refused(shared_data):
    year = real(shared_data, "icme/omni2_hourly/omni2_2019.dat.gz")
    inputs = [read(omni_mission, f"omni.omni2.1h.{name}", year) for name in ("plasma", "b_gse")]
    with pytest.raises(UsageError, match="a record every 3600 s.*2min"):
        found(*inputs, Interval.of("2019-01-01", "2019-01-02"))


def test_velocity_and_field_in_different_frames_are_refused():
    moments, b, *_ = one()
    b["vector"].attrs["frame"] = "RTN"
    with pytest.raises(DataTypeError, match="RTN"):
        found(moments, b)


def test_fills_that_slipped_through_neither_make_nor_hide_a_shock():
    moments, b, *_ = one(noise=0.03)
    (before,) = found(moments, b)
    rng = np.random.default_rng(1)
    for name, fill in (("density", 999.99), ("density", -1e31), ("temperature", 0.0)):
        moments[name].values[rng.integers(0, moments.sizes["time"], 6)] = fill
    moments["velocity"].values[rng.integers(0, moments.sizes["time"], 6)] = 99999.9
    b["vector"].values[rng.integers(0, b.sizes["time"], 200)] = -1e31
    b["vector"].values[rng.integers(0, b.sizes["time"], 200)] = np.nan
    (after,) = found(moments, b)
    assert abs(after.start - before.start) < 5 * SECOND
    spoiled, field = wind([], noise=0.03)
    spoiled["density"].values[::9] = 999.99
    field["vector"].values[::7] = 9999.99
    assert found(spoiled, field) == []


def test_constant_channels_gaps_and_nothing_at_all_have_no_shocks():
    moments, b, *_ = one(noise=0.03)
    for name in ("density", "temperature"):
        assert found(moments.assign({name: moments[name] * 0 + 5.0}), b) == [] or name != "density"
    assert found(moments, b.assign(vector=b["vector"] * 0 + 4.0)) == []
    assert found(moments.isel(time=slice(0, 0)), b) == []
    assert found(moments, b.isel(time=slice(0, 0))) == []
    assert found(moments, b, Interval(SPAN.start, SPAN.start)) == []
    hole = (moments["time"] < np.datetime64("2020-01-01T13:50")) | (
        moments["time"] > np.datetime64("2020-01-01T14:12")
    )
    assert found(moments.isel(time=np.flatnonzero(hole.values)), b) == []


def test_events_do_not_depend_on_how_time_is_cut():
    first, _, _ = sides(3.0, 60.0, 0.8, True, 3)
    second, _, _ = sides(2.0, 40.0, 0.8, False, 4)
    moments, b = wind([(4000.0, order(first, True)), (9500.0, order(second, False))], noise=0.1)
    whole = found(moments, b)
    assert len(whole) == 2
    margin = {i.name: i.margins[0].ns({}) for i in interplanetary_shocks.takes}
    for cut in ((3990,), (4010, 9400, 9501), (1800, 3600, 5400, 7200, 9000, 10800)):
        edges = [SPAN.start, *(SPAN.start + c * SECOND for c in cut), SPAN.stop]
        pieces = []
        for start, stop in pairwise(edges):
            piece = Interval(start, stop)
            seen = [
                between(ds, *np.array([start - margin[k], stop + margin[k]], "datetime64[ns]"))
                for k, ds in (("moments", moments), ("b", b))
            ]
            pieces += found(*seen, piece)
        assert pieces == whole


def test_a_quiet_day_of_wind_has_none_and_one_with_a_step_put_into_it_has_one(shared_data):
    moments = read(
        wind_mission, "wind.swe.fit", real(shared_data, "wind/wi_h1_swe_20220101_v01.cdf")
    )
    b = read(
        wind_mission, "wind.mfi.k0.b_gse", real(shared_data, "wind/wi_k0_mfi_20220101_v01.cdf")
    )
    day = Interval.of("2022-01-01", "2022-01-02")
    assert moments.sizes["time"] > 500
    assert found(moments, b, day) == []
    # Thresholds that are half as high find none either: the day is not a close call.
    assert found(moments, b, day, field_ratio=1.1, density_ratio=1.1, speed_jump=10.0) == []
    shocked = np.datetime64("2022-01-01T12:00")
    late, late_b = moments["time"] >= shocked, b["time"] >= shocked
    moments["density"] = moments["density"].where(~late, moments["density"] * 2)
    moments["velocity"] = moments["velocity"].where(~late, moments["velocity"] * 1.2)
    b["vector"] = b["vector"].where(~late_b, b["vector"] * 2)
    (event,) = found(moments, b, day)
    assert event.kind == "fast_forward_shock"
    assert abs(event.start - int(shocked.astype("M8[ns]").astype(int))) < HOUR / 20
