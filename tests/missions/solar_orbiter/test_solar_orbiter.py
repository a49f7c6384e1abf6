"""Solar Orbiter: MAG and EPD-EPT from real files."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions.solar_orbiter import epd, mag, mission
from sciqlop_pipe.sources.cdf import open_cdf
from tests.missions.claims import check_contents, read, real

EPT = "solo/solo_L2_epd-ept-north-hcad_20200713_V02.cdf"


def test_the_table_of_contents_is_whole():
    check_contents(mission)


@pytest.mark.parametrize(("day", "records", "survey"), [("11", 1440, 60), ("12", 1437, 698)])
def test_the_field_is_read_with_both_kinds_of_quality(shared_data, day, records, survey):
    path = real(shared_data, f"solo/solo_l2_mag-rtn-normal-1-minute_202107{day}_v01.cdf")
    ds = read(mission, "solar_orbiter.mag.1min.b_rtn", path)
    assert ds["vector"].shape == (records, 3)
    words = ds["quality"].values
    assert int((words >> 18 & 1).sum()) == survey
    assert int((words >> 19 & 1).sum()) == records - survey
    assert (words >> 7 & 1).all()
    assert mag.FLAGS.names(int(words[0])) == ("instrument_removed", "survey") or "good" in (
        mag.FLAGS.names(int(words[0]))
    )


@pytest.mark.parametrize(("kind", "bins"), [("ion", 12), ("electron", 17)])
def test_particles_are_dated_at_the_centre_and_bad_ones_masked(shared_data, kind, bins):
    path = real(shared_data, EPT)
    ds = read(mission, f"solar_orbiter.epd.ept_north.{kind}", path)
    assert ds["flux"].shape == (39784, bins)
    with open_cdf(path) as cdf:
        late = ds["time"].values - cdf.times("EPOCH")
        lasted = cdf.raw("DELTA_EPOCH")
        bad = (cdf.raw("QUALITY_FLAG") == 0) | (cdf.raw("QUALITY_BITMASK") & 1 == 1)
    np.testing.assert_array_equal(late, lasted * np.timedelta64(500, "ms"))
    np.testing.assert_array_equal(np.isnan(ds["flux"]).all("energy_bin"), bad)
    assert (ds["energy_upper"].values > ds["energy_lower"].values).all()
    assert epd.FLAGS.names(int(ds["quality"][0])) == ("close_mode", "good")
