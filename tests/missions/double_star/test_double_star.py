"""Double Star TC-1: no file was at hand, they are made of the names in the archive's metadata."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sciqlop_missions.double_star import mission
from sciqlop_pipe.errors import SourceError
from tests.missions.claims import check_contents, read
from tests.missions.double_star.files import field_file, moments_file


def test_the_table_of_contents_holds():
    check_contents(mission)


def test_the_field_comes_out_as_it_went_in(tmp_path: Path):
    b = np.random.default_rng(1).normal(0, 20, (20, 3)).astype("f4")
    b[7] = -1e30
    ds = read(mission, "tc1.fgm.spin.b_gse", field_file(tmp_path, b))
    assert ds["vector"].attrs["frame"] == "GSE"
    assert np.isnan(ds["vector"].values[7]).all()
    np.testing.assert_array_equal(np.delete(ds["vector"].values, 7, 0), np.delete(b, 7, 0))


def test_moments_are_in_our_units(tmp_path: Path):
    n, v = np.linspace(1, 9, 20), np.tile([-400.0, 20.0, 5.0], (20, 1))
    n[3] = -1e31
    ds = read(mission, "tc1.hia.1min.moms", moments_file(tmp_path, n, v))
    assert np.isnan(ds["density"].values[3])
    np.testing.assert_allclose(np.delete(ds["density"].values, 3), np.delete(n, 3), rtol=1e-6)
    np.testing.assert_allclose(ds["velocity"], v)
    np.testing.assert_allclose(ds["temperature_parallel"], 861.733, rtol=1e-5)


def test_an_unknown_unit_is_refused(tmp_path: Path):
    path = moments_file(tmp_path, np.ones(3), np.ones((3, 3)), units="kT")
    with pytest.raises(SourceError, match="kT"):
        read(mission, "tc1.hia.1min.moms", path)
