"""OMNI: the hourly COHO data, held against the hourly OMNI 2 text files of the same archive."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import xarray as xr

from sciqlop_missions.omni import mission
from tests.missions.claims import check_contents, read, read_every_file, real

MAY = "omni/omni_coho1hr_merged_mag_plasma_20200501_v01.cdf"
JUNE = "omni/omni_coho1hr_merged_mag_plasma_20200601_v01.cdf"


def test_the_table_of_contents_is_whole():
    check_contents(mission)


def test_every_real_file_is_read_whole_by_the_datasets_that_claim_it(shared_data):
    assert read_every_file(mission, shared_data / "omni", "*.cdf") == []


@pytest.mark.parametrize(("path", "hours"), [(MAY, 744), (JUNE, 720)])
@pytest.mark.parametrize("name", ["omni.coho.1h.b_rtn", "omni.coho.1h.plasma"])
def test_a_real_file_is_read_with_every_hour_of_its_month(shared_data, name, path, hours):
    ds = read(mission, name, real(shared_data, path))
    assert ds.sizes["time"] == hours
    assert ds["time"].values[0] == np.datetime64(f"2020-0{5 if path == MAY else 6}-01T00:30")


@pytest.fixture(scope="module")
def omni2(shared_data):
    """OMNI 2 of May 2020: hour of day is the one in which the average begins (its own text)."""
    with gzip.open(real(shared_data, "icme/omni2_hourly/omni2_2020.dat.gz"), "rt") as lines:
        rows = np.array([[float(word) for word in line.split()] for line in lines])
    rows = rows[(rows[:, 1] >= 122) & (rows[:, 1] <= 152)]
    middle = np.datetime64("2020-01-01T00:30") + ((rows[:, 1] - 1) * 24 + rows[:, 2]).astype(
        int
    ) * np.timedelta64(1, "h")
    names = {"t": 22, "n": 23, "speed": 24, "longitude": 25, "latitude": 26}
    return xr.Dataset(
        {name: ("time", rows[:, k]) for name, k in names.items()},
        coords={"time": middle.astype("M8[ns]")},
    )


def test_the_time_tag_of_the_file_is_the_start_of_the_hour(shared_data, omni2):
    ds = read(mission, "omni.coho.1h.plasma", real(shared_data, MAY))
    np.testing.assert_array_equal(ds["time"].values, omni2["time"].values)
    np.testing.assert_allclose(np.linalg.norm(ds["velocity"], axis=1), omni2["speed"], atol=0.01)
    np.testing.assert_allclose(ds["density"], omni2["n"], atol=1e-4)
    np.testing.assert_allclose(ds["temperature"], omni2["t"] * 8.617333e-5, rtol=1e-4)


def test_the_azimuth_of_the_flow_counts_towards_t_not_towards_y_of_gse(shared_data, omni2):
    """OMNI 2: positive longitude towards +Y GSE, which is -T."""
    ds = read(mission, "omni.coho.1h.plasma", real(shared_data, MAY))
    v = ds["velocity"].values
    assert (v[:, 0] > 250).all()
    assert np.corrcoef(v[:, 1], omni2["longitude"])[0, 1] < -0.98
    assert np.corrcoef(v[:, 2], omni2["latitude"])[0, 1] > 0.98
