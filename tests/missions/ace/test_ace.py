"""ACE MFI from real files."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions.ace import mfi, mission
from tests.missions.claims import check_contents, read, real
from tests.sources.archive_cdfs import FILL, START, Writer, times

DAY = "ace/ac_h0_mfi_20230102_v07.cdf"
HOURS = "ace/ac_k2_mfi_20220101_v03.cdf"


def test_the_table_of_contents_is_whole():
    check_contents(mission)


@pytest.mark.parametrize(
    ("name", "path", "records", "first"),
    [
        ("ace.mfi.16s.b_gse", DAY, 5400, "2023-01-02T00:00:21"),
        ("ace.mfi.16s.b_gsm", DAY, 5400, "2023-01-02T00:00:21"),
        ("ace.mfi.position_gse", DAY, 5400, "2023-01-02T00:00:21"),
        ("ace.mfi.k2.b_gse", HOURS, 24, "2022-01-01T00:30"),
    ],
)
def test_a_real_file_is_read_whole_and_dated_at_the_centre(shared_data, name, path, records, first):
    ds = read(mission, name, real(shared_data, path))
    assert ds.sizes["time"] == records
    assert ds["time"].values[0] == np.datetime64(first)


def test_the_field_has_one_strength_in_both_frames(shared_data):
    path = real(shared_data, DAY)
    gse, gsm = (read(mission, f"ace.mfi.16s.b_{f}", path)["vector"].values for f in ("gse", "gsm"))
    np.testing.assert_allclose(
        np.linalg.norm(gse, axis=1), np.linalg.norm(gsm, axis=1), rtol=1e-2, atol=5e-3
    )
    np.testing.assert_allclose(gse[:, 0], gsm[:, 0], atol=2e-3)


def test_a_quality_code_becomes_one_bit_and_only_bad_data_are_masked(shared_data):
    ds = read(mission, "ace.mfi.16s.b_gse", real(shared_data, DAY))
    assert {mfi.FLAGS.names(int(w)) for w in ds["quality"].values} == {("good",)}
    assert mfi.FLAGS.masked(np.array([1, 2, 4], np.uint32)).tolist() == [False, False, True]


def test_swepam_is_dated_at_the_centre_of_its_64_seconds_and_its_kelvin_become_ev(tmp_path):
    out = Writer().time("Epoch", times(2, "64s"))
    for name, values, units in (("Np", [5, -1e31], "#/cc"), ("Tpr", [116045.0, 1e5], "Kelvin"),
                                ("V_GSE", [[-400, 1, 2]] * 2, "km/s"),
                                ("V_GSM", [[-400, 1, 2]] * 2, "km/s")):  # fmt: skip
        out.add(name, np.array(values, "f4"), UNITS=units, DEPEND_0="Epoch", FILLVAL=FILL)
    path = out.save(tmp_path / "ac_h0_swe_20201119_v07.cdf")
    ds = read(mission, "ace.swepam.64s.moms", path)
    assert ds["time"].values[0] == START + np.timedelta64(32, "s")
    np.testing.assert_allclose(ds["temperature"][0], 10, rtol=1e-4)
    assert np.isnan(ds["density"].values[1])
    assert read(mission, "ace.swepam.64s.moms_gsm", path)["velocity"].attrs["frame"] == "GSM"
