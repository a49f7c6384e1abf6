"""Aditya-L1: what the files hold, as far as they say."""

from __future__ import annotations

import numpy as np

from sciqlop_missions.aditya_l1 import mission
from tests.missions.claims import check_contents, read, real

BULK = "aditya-l1/AL1_ASW91_L2_BLK_20250630_UNP_9999_999999_V02.cdf"
STEPS = "aditya-l1/AL1_AST91_L2_PS_20250713_V01.cdf"


def test_the_table_of_contents_holds():
    check_contents(mission)


def test_most_proton_records_are_fill_and_the_wind_blows_away_from_the_sun(shared_data):
    ds = read(mission, "aditya_l1.swis.protons.moms", real(shared_data, BULK))
    density = ds["density"].values
    assert np.isnan(density).sum() == 12364
    vx = ds["velocity"].values[:, 0]
    np.testing.assert_allclose(np.nanmedian(vx), -486.99, atol=0.01)
    # 76 km/s of most probable speed are 30 eV.
    np.testing.assert_allclose(np.nanmedian(ds["temperature"]), 5.2199e-3 * 76.2499**2, rtol=1e-3)


def test_the_spacecraft_is_at_l1(shared_data):
    ds = read(mission, "aditya_l1.swis.position_gse", real(shared_data, BULK))
    assert (np.abs(ds["position"].values[:, 0] - 1.2758e6) < 1000).all()


def test_the_error_of_one_count_is_the_intensity_itself(shared_data):
    ds = read(mission, "aditya_l1.steps.parker_inner.ion", real(shared_data, STEPS))
    flux, error = ds["flux"].values, ds["flux_error"].values
    assert (ds["energy_lower"].values[0], ds["energy_upper"].values[-1]) == (3e5, 6e6)
    np.testing.assert_allclose(error[5, 5], flux[5, 5], rtol=1e-5)
    # What is counted: (flux / error)^2 is a whole number.
    with np.errstate(divide="ignore", invalid="ignore"):
        counts = (flux / error) ** 2
    known = np.isfinite(counts) & (counts < 200)
    assert known.sum() > 100
    assert np.abs(counts[known] - np.round(counts[known])).max() < 0.02
