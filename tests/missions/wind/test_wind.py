"""Wind: MFI, SWE and 3DP from real files."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions.wind import mission, swe
from sciqlop_pipe.quality import masked_fraction
from sciqlop_pipe.sources.cdf import open_cdf
from tests.missions.claims import check_contents, read, read_every_file, real

MFI = "wind/wi_h0_mfi_20200101_v05.cdf"
KEY = "wind/wi_k0_mfi_20220101_v01.cdf"
SWE = "wind/wi_h1_swe_20220101_v01.cdf"
PLSP = "wind/wi_plsp_3dp_19990329_v02.cdf"


def test_the_table_of_contents_is_whole():
    check_contents(mission)


def test_every_real_file_is_read_whole_by_the_datasets_that_claim_it(shared_data):
    assert read_every_file(mission, shared_data / "wind", "*.cdf") == []


@pytest.mark.parametrize(
    ("name", "path", "records", "first"),
    [
        ("wind.mfi.3s.b_gse", MFI, 28800, "2020-01-01T00:00:01.500"),
        ("wind.mfi.1min.b_gsm", MFI, 1440, "2020-01-01T00:00:30"),
        ("wind.mfi.1h.b_gse", MFI, 24, "2020-01-01T00:30"),
        ("wind.mfi.position_gse", MFI, 1440, "2020-01-01T00:00:30"),
        ("wind.mfi.k0.b_gse", KEY, 939, "2022-01-01T00:01:19.4745"),
        ("wind.swe.fit", SWE, 579, "2022-01-01T00:02:42.794"),
        ("wind.swe.alpha_fit", SWE, 579, "2022-01-01T00:02:42.794"),
        ("wind.swe.moms", SWE, 579, "2022-01-01T00:02:42.794"),
        ("wind.3dp.plsp.archive_spectrum", PLSP, 412, "1999-03-29T00:03:07.128125"),
    ],
)
def test_a_real_file_is_read_with_all_records_of_its_own_clock(
    shared_data, name, path, records, first
):
    ds = read(mission, name, real(shared_data, path))
    assert ds.sizes["time"] == records
    assert ds["time"].values[0] == np.datetime64(first)


def test_wind_is_at_l1_and_its_three_cadences_agree(shared_data):
    path = real(shared_data, MFI)
    position = read(mission, "wind.mfi.position_gse", path)["position"].values
    assert np.linalg.norm(position, axis=1).mean() == pytest.approx(240.6 * 6378, rel=2e-3)
    hours = read(mission, "wind.mfi.1h.b_gse", path)["vector"].values
    minutes = read(mission, "wind.mfi.1min.b_gse", path)["vector"].values
    np.testing.assert_allclose(minutes.reshape(24, 60, 3).mean(1), hours, atol=0.05)


@pytest.fixture(scope="module")
def protons(shared_data):
    return read(mission, "wind.swe.fit", real(shared_data, SWE))


def test_a_temperature_is_that_of_the_most_probable_speed(shared_data, protons):
    """T = m W^2 / 2: 5.22e-3 W^2 eV for protons."""
    with open_cdf(real(shared_data, SWE)) as cdf:
        w = cdf.values("Proton_W_nonlin")
    known = np.isfinite(protons["temperature"].values)
    np.testing.assert_allclose(protons["temperature"][known], 5.2198e-3 * w[known] ** 2, rtol=1e-4)
    parts = protons["temperature_parallel"] + 2 * protons["temperature_perpendicular"]
    np.testing.assert_allclose(protons["temperature"], parts / 3, rtol=2e-3)


def test_the_fill_that_swe_does_not_declare_is_masked(shared_data, protons):
    alphas = read(mission, "wind.swe.alpha_fit", real(shared_data, SWE))
    for ds in (protons, alphas):
        for name, array in ds.data_vars.items():
            if name != "quality":
                assert not (np.abs(array.values) > 9000).any(), name
    assert np.isfinite(alphas["density"]).sum() == 23
    assert np.isnan(alphas["temperature"]).all()


def test_a_spectrum_that_cannot_be_fitted_is_masked_and_no_other(protons):
    words, attrs = protons["quality"].values, protons["quality"].attrs
    assert masked_fraction(words, attrs["masking"]) == pytest.approx(40 / 579)
    assert np.isnan(protons["density"].values[words == 1]).all()
    assert np.isfinite(protons["density"].values[words != 1]).all()
    assert swe.FLAGS.names(2) == ("poor_peak",)


def test_fit_and_moments_see_the_same_solar_wind(shared_data, protons):
    moms = read(mission, "wind.swe.moms", real(shared_data, SWE))
    apart = (moms["velocity"] - protons["velocity"]).values[:, 0]
    assert abs(np.nanmedian(apart)) < 10
    assert np.nanmax(protons["velocity"].values[:, 0]) < -300


def test_a_place_without_energy_in_a_spectrum_is_not_measured(shared_data):
    ds = read(mission, "wind.3dp.plsp.archive_spectrum", real(shared_data, PLSP))
    empty = np.isnan(ds["energy"].values)
    assert (empty == (np.arange(15) == 14)).all()
    np.testing.assert_array_equal(np.isnan(ds["spectrum"].values), empty)
