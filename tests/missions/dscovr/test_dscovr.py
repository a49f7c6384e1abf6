"""DSCOVR, of which no file was at hand: files made with the names that public readers use."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sciqlop_missions.dscovr import mission
from tests.missions.claims import check_contents, read
from tests.missions.dscovr.files import field_file, proton_file
from tests.sources.archive_cdfs import FILL


def test_the_table_of_contents_holds():
    check_contents(mission)


def test_field_and_protons_come_out_as_they_went_in(tmp_path: Path):
    rng = np.random.default_rng(7)
    b, v = rng.normal(0, 5, (60, 3)).astype("f4"), rng.normal(-400, 20, (60, 3)).astype("f4")
    b[3] = FILL
    ds = read(mission, "dscovr.mag.1s.b_gse", field_file(tmp_path, b))
    assert np.isnan(ds["vector"].values[3]).all()
    assert np.array_equal(ds["vector"].values[4:], b[4:])
    ds = read(mission, "dscovr.fc.1min.moms", proton_file(tmp_path, v))
    np.testing.assert_allclose(ds["temperature"], 8.617333, rtol=1e-6)
    assert np.array_equal(ds["velocity"], v)
