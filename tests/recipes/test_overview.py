"""An overview is what pandas makes of the series, and does not depend on how it was reached."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import Overview
from sciqlop_pipe.granule import HOUR, SECOND, Interval, instant
from sciqlop_pipe.recipes.overview import coarser_overview, overview
from sciqlop_pipe.sources.files import merge_by_time, trim
from tests import builders

START = instant("2020-11-19T22:57:13.5")


@st.composite
def scalars(draw: st.DrawFn) -> xr.Dataset:
    """A series with gaps, clusters and NaN over a few hours, from one record to many."""
    steps = draw(st.lists(st.integers(1, 900 * SECOND), min_size=1, max_size=60))
    values = st.one_of(st.just(np.nan), st.floats(-1e4, 1e4, width=32))
    value = draw(st.lists(values, min_size=len(steps), max_size=len(steps)))
    time = (START + np.cumsum(steps)).astype("datetime64[ns]")
    return builders.scalar_series(time, np.array(value, np.float32))


@given(scalars(), st.sampled_from([60, 600, 3600]))
def test_it_equals_a_resample_by_pandas(ds: xr.Dataset, seconds: int) -> None:
    found = overview(ds, seconds=seconds)
    value = ds["value"].to_series().astype(float)
    bins = value.resample(f"{seconds}s", origin="epoch")
    wanted = bins.agg(["min", "mean", "max", "count"])[bins.size() > 0]
    wanted.index = wanted.index + pd.Timedelta(seconds=seconds / 2)
    assert (found["time"].values == wanted.index.values).all()
    for statistic in ("min", "mean", "max", "count"):
        np.testing.assert_allclose(
            found[f"value_{statistic}"], wanted[statistic], rtol=1e-6, atol=1e-3
        )


@given(scalars())
def test_the_hours_of_the_minutes_are_the_hours_of_the_series(ds: xr.Dataset) -> None:
    direct, by_minutes = overview(ds, seconds=3600), coarser_overview(overview(ds), seconds=3600)
    xr.testing.assert_allclose(direct, by_minutes, rtol=1e-6, atol=1e-3)
    assert direct.attrs == by_minutes.attrs
    assert {n: v.attrs for n, v in direct.items()} == {n: v.attrs for n, v in by_minutes.items()}


@given(scalars())
def test_it_does_not_depend_on_how_time_is_cut(ds: xr.Dataset) -> None:
    first = START // HOUR * HOUR
    hours = [Interval(first + i * HOUR, first + (i + 1) * HOUR) for i in range(20)]
    pieces = [trim(ds, hour) for hour in hours]
    parts = [overview(p) for p in pieces if p.sizes["time"]]
    xr.testing.assert_identical(merge_by_time(parts), overview(ds))


@pytest.mark.parametrize(
    "build",
    [builders.vector_series, builders.position, builders.moments, builders.energy_spectrum,
     builders.plasma_state],
)  # fmt: skip
def test_every_series_and_spectrum_has_one(build) -> None:
    time = builders.times(4000)
    ds = build(time)
    found = Overview.check(overview(ds))
    hours = coarser_overview(found)
    assert hours.sizes["time"] == 6
    for name in ds.data_vars:
        if "time" in ds[name].dims:
            assert found[f"{name}_mean"].attrs["units"] == ds[name].attrs["units"]
            assert found[f"{name}_mean"].attrs.get("frame") == ds[name].attrs.get("frame")
            assert "mean of" in found[f"{name}_mean"].attrs["long_name"]
            np.testing.assert_array_equal(found[f"{name}_count"].sum("time"), 4000)
        else:
            xr.testing.assert_identical(found[name], ds[name])
    xr.testing.assert_allclose(hours, overview(ds, seconds=3600), rtol=1e-5)


def test_an_energy_table_that_changes_is_averaged_geometrically_and_keeps_its_name() -> None:
    time = builders.times(90, step="1s", start="2020-11-19T23:00:00")
    table = np.where(np.arange(90)[:, None] % 3 == 0, [10.0, 1000.0], [40.0, 4000.0])
    ds = builders.energy_spectrum(time, np.ones((90, 2)), energy=table)
    found = overview(ds)
    np.testing.assert_allclose(found["energy"], [[25.198421, 2519.8421]] * 2, rtol=1e-6)
    assert "energy_mean" not in found
    xr.testing.assert_allclose(coarser_overview(found), overview(ds, seconds=3600), rtol=1e-6)


def test_days_with_a_fixed_and_with_a_changing_table_meet_in_an_hour() -> None:
    time = builders.times(120, step="30s", start="2020-11-19T23:00:00")
    table = np.array([10.0, 1000.0])
    fixed = overview(builders.energy_spectrum(time[:60], np.ones((60, 2)), energy=table))
    rows = np.broadcast_to(table * 4, (60, 2))
    changing = overview(builders.energy_spectrum(time[60:], np.ones((60, 2)), energy=rows))
    merged = merge_by_time([fixed, changing])
    np.testing.assert_allclose(coarser_overview(merged)["energy"], [[20.0, 2000.0]], rtol=1e-6)


def test_flags_of_all_records_of_a_bin_are_joined() -> None:
    time = builders.times(4, step="30s", start="2020-11-19T23:00:00")
    found = overview(builders.moments(time, quality=np.array([0, 1, 0, 2])))
    assert found["quality"].values.tolist() == [1, 2]
    assert coarser_overview(found)["quality"].values.tolist() == [3]


def test_a_bin_without_any_value_is_nan_with_count_zero() -> None:
    time = builders.times(3, step="1s")
    found = overview(builders.scalar_series(time, np.full(3, np.nan)))
    assert found["value_count"].values.tolist() == [0]
    for statistic in ("min", "mean", "max"):
        assert np.isnan(found[f"value_{statistic}"]).all()
    assert np.isnan(coarser_overview(found)["value_mean"]).all()


def test_nothing_becomes_nothing() -> None:
    found = overview(builders.energy_spectrum().isel(time=slice(0)))
    assert found.sizes["time"] == 0
    assert coarser_overview(found).sizes["time"] == 0
