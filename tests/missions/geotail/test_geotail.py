"""Geotail: key parameters in a CDF of 1994's format."""

from __future__ import annotations

import numpy as np

from sciqlop_missions.geotail import mission
from tests.missions.claims import check_contents, read, real

FILE = "geotail/ge_k0_cpi_19921231_v02.cdf"


def test_the_table_of_contents_holds():
    check_contents(mission)


def test_the_solar_wind_of_the_last_day_of_1992(shared_data):
    ds = read(mission, "geotail.cpi.swa.moms", real(shared_data, FILE))
    assert ds.sizes["time"] == 1090
    assert ds["time"].values[0].astype("M8[m]") == np.datetime64("1992-12-31T01:28")
    np.testing.assert_allclose(ds["velocity"].values[0], [-399.119, -33.3587, 9.40616], rtol=1e-5)
    np.testing.assert_allclose(np.nanmedian(ds["density"]), 8.976183, rtol=1e-5)


def test_pressures_are_in_nanopascal(shared_data):
    ds = read(mission, "geotail.cpi.hpa.pressure", real(shared_data, FILE))
    np.testing.assert_allclose(np.nanmedian(ds["value"]), 0.12430748, rtol=1e-5)
