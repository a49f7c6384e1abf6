"""OMNI: the hourly COHO data, held against the hourly OMNI 2 text files of the same archive."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import xarray as xr

from sciqlop_missions.omni import mission
from tests.missions.claims import check_contents, read, real
from tests.sources.archive_cdfs import FILL, START, Writer, times

MAY = "omni/omni_coho1hr_merged_mag_plasma_20200501_v01.cdf"
JUNE = "omni/omni_coho1hr_merged_mag_plasma_20200601_v01.cdf"


def test_the_table_of_contents_is_whole():
    check_contents(mission)


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


@pytest.mark.parametrize(("year", "hours"), [(2012, 8784), (2019, 8760)])
def test_a_year_of_text_is_read_with_every_hour(shared_data, year, hours):
    path = real(shared_data, f"icme/omni2_hourly/omni2_{year}.dat.gz")
    for name in ("plasma", "dst"):
        ds = read(mission, f"omni.omni2.1h.{name}", path)
        assert ds.sizes["time"] == hours
        assert ds["time"].values[[0, -1]].astype(str).tolist() == [
            f"{year}-01-01T00:30:00.000000000", f"{year}-12-31T23:30:00.000000000"]  # fmt: skip


def test_text_and_coho_of_the_same_archive_agree_hour_by_hour(shared_data):
    """The columns are those of the OMNI 2 description; RTN is GSE turned about x, R being -x."""
    year = real(shared_data, "icme/omni2_hourly/omni2_2020.dat.gz")
    may = slice("2020-05-01", "2020-05-31T23:59")
    text = read(mission, "omni.omni2.1h.b_gse", year).sel(time=may)["vector"].values
    coho = read(mission, "omni.coho.1h.b_rtn", real(shared_data, MAY))["vector"].values
    np.testing.assert_allclose(coho[:, 0], -text[:, 0], atol=1e-3)
    across, turned = (np.hypot(b[:, 1], b[:, 2]) for b in (text, coho))
    np.testing.assert_allclose(turned, across, atol=0.15)
    assert np.corrcoef(np.nan_to_num(text[:, 2]), np.nan_to_num(coho[:, 2]))[0, 1] > 0.97
    plasma = read(mission, "omni.omni2.1h.plasma", year).sel(time=may)
    merged = read(mission, "omni.coho.1h.plasma", real(shared_data, MAY))
    np.testing.assert_allclose(plasma["density"], merged["density"], atol=1e-4)
    v, w = plasma["velocity"].values, merged["velocity"].values
    np.testing.assert_allclose(v[:, 0], -w[:, 0], rtol=2e-3)
    assert np.corrcoef(np.nan_to_num(v[:, 1]), np.nan_to_num(-w[:, 1]))[0, 1] > 0.98


def test_the_fills_of_the_columns_are_no_measurement(shared_data):
    year = real(shared_data, "icme/omni2_hourly/omni2_2014.dat.gz")
    rows = np.loadtxt(year)
    plasma = read(mission, "omni.omni2.1h.plasma", year)
    assert int(np.isnan(plasma["density"]).sum()) == int((rows[:, 23] == 999.9).sum())
    assert float(plasma["density"].max()) < 200
    assert float(np.abs(plasma["velocity"]).max()) < 1500


@pytest.mark.parametrize("cadence", ["1min", "5min"])
@pytest.mark.parametrize("product", ["hro", "hro2"])
def test_high_resolution_data_are_dated_at_the_centre_and_their_nines_are_fill(tmp_path, product, cadence):  # fmt: skip
    out = Writer().time("Epoch", times(2, "60s"))
    for name, values, units in (
        ("BX_GSE", [1, 9999.99], "nT"), ("BY_GSE", [2, 9999.99], "nT"), ("BZ_GSE", [3, 9999.99], "nT"),
        ("BY_GSM", [4, 9999.99], "nT"), ("BZ_GSM", [5, 9999.99], "nT"), ("Vx", [-400, 99999.9], "km/s"),
        ("Vy", [1, 99999.9], "km/s"), ("Vz", [2, 99999.9], "km/s"), ("proton_density", [6, 999.99], "n/cc"),
        ("T", [116045, 9999999.0], "K"), ("Pressure", [2, 99.99], "nPa"),
    ):  # fmt: skip
        out.add(name, np.array(values, "f4"), UNITS=units, DEPEND_0="Epoch", FILLVAL=FILL)
    for name in ("SYM_H", "AE_INDEX"):
        out.add(name, np.array([-20, 99999], np.int32), UNITS="nT", DEPEND_0="Epoch")
    path = out.save(tmp_path / f"omni_{product}_{cadence}_20201101_v01.cdf")
    base = f"omni.{product}.{cadence}"
    b = read(mission, f"{base}.b_gsm", path)
    np.testing.assert_array_equal(b["vector"].values, [[1, 4, 5], [np.nan] * 3])
    assert b["time"].values[0] == START + np.timedelta64(30 if cadence == "1min" else 150, "s")
    plasma = read(mission, f"{base}.plasma", path)
    np.testing.assert_allclose(plasma["temperature"], [10, np.nan], rtol=1e-4)
    assert np.isnan(plasma["velocity"].values[1]).all()
    assert np.isnan(plasma["density"].values[1])
    for name, first in (("dynamic_pressure", 2), ("sym_h", -20), ("ae", -20)):
        value = read(mission, f"{base}.{name}", path)["value"].values
        assert value[0] == first
        assert np.isnan(value[1])


def test_hourly_cdf_files_are_read_like_the_text(tmp_path):
    out = Writer().time("Epoch", times(2, "3600s"))
    for name, values in (("BX_GSE", 1), ("BY_GSE", 2), ("BZ_GSE", 3), ("BY_GSM", 4), ("BZ_GSM", 5),
                         ("T", 116045), ("N", 6), ("V", 400), ("PHI-V", 0), ("THETA-V", 0)):  # fmt: skip
        out.add(
            name, np.full(2, values, "f4"), UNITS="nT" if name[0] == "B" else "?", DEPEND_0="Epoch"
        )
    path = out.save(tmp_path / "omni2_h0_mrg1hr_20200701_v01.cdf")
    ds = read(mission, "omni.omni2_cdf.1h.plasma", path)
    np.testing.assert_allclose(ds["velocity"][0], [-400, 0, 0], atol=1e-9)
    assert read(mission, "omni.omni2_cdf.1h.b_gsm", path)["vector"].values[0].tolist() == [1, 4, 5]
