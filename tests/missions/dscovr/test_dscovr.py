"""DSCOVR, of which no file was at hand: files made with the names that public readers use."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sciqlop_missions.dscovr import mission
from tests.missions.claims import check_contents, read
from tests.sources.archive_cdfs import FILL, Writer, times


def test_the_table_of_contents_holds():
    check_contents(mission)


def test_field_and_protons_come_out_as_they_went_in(tmp_path: Path):
    rng = np.random.default_rng(7)
    b, v = rng.normal(0, 5, (60, 3)).astype("f4"), rng.normal(-400, 20, (60, 3)).astype("f4")
    b[3] = FILL
    out = Writer()
    out.time("Epoch1", times(60, "1s"))
    for frame in ("GSE", "RTN"):
        out.add(f"B1{frame}", b, DEPEND_0="Epoch1", UNITS="nT", FILLVAL=FILL)
    ds = read(mission, "dscovr.mag.1s.b_gse", out.save(tmp_path / "dscovr_h0_mag_20201119_v01.cdf"))
    assert np.isnan(ds["vector"].values[3]).all()
    assert np.array_equal(ds["vector"].values[4:], b[4:])
    out = Writer()
    out.time("Epoch", times(60, "60s"))
    out.add("Np", np.full(60, 5, "f4"), DEPEND_0="Epoch", UNITS="cm^-3", FILLVAL=FILL)
    out.add("V_GSE", v, DEPEND_0="Epoch", UNITS="km/s", FILLVAL=FILL)
    out.add("THERMAL_TEMP", np.full(60, 1e5, "f4"), DEPEND_0="Epoch", UNITS="K", FILLVAL=FILL)
    ds = read(mission, "dscovr.fc.1min.moms", out.save(tmp_path / "dscovr_h1_fc_20201119_v01.cdf"))
    np.testing.assert_allclose(ds["temperature"], 8.617333, rtol=1e-6)
    assert np.array_equal(ds["velocity"], v)
