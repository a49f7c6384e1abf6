"""Parker Solar Probe: FIELDS, SPC and SPAN-I from real files."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions.psp import mission, span, spc
from sciqlop_pipe.sources.cdf import open_cdf
from tests.missions.claims import check_contents, read, real
from tests.sources.archive_cdfs import Writer, times

SPC = "psp/psp_swp_spc_l3i_20200101_v02.cdf"
SPAN = "psp/psp_swp_spi_sf00_l3_mom_20200101_v04.cdf"
MINUTES = "psp/psp_fld_l2_mag_rtn_1min_20200104_v02.cdf"


def test_the_table_of_contents_is_whole():
    check_contents(mission)


@pytest.mark.parametrize(
    ("name", "path", "records"),
    [
        ("psp.fields.mag.full.b_rtn", "psp/psp_fld_l2_mag_rtn_2020010100_v02.cdf", 67740),
        ("psp.fields.mag.full.b_rtn", "psp/psp_fld_l2_mag_rtn_2020010106_v02.cdf", 17920),
        ("psp.fields.mag.1min.b_rtn", MINUTES, 118),
        ("psp.spc.fit", SPC, 290),
        ("psp.spc.moms", SPC, 290),
        ("psp.spi.sf00.moms", SPAN, 15),
        ("psp.spi.sf00.moms_inst", SPAN, 15),
    ],
)
def test_a_real_file_is_read_with_all_its_records(shared_data, name, path, records):
    ds = read(mission, name, real(shared_data, path))
    assert ds.sizes["time"] == records
    assert {a.attrs["frame"] for a in ds.data_vars.values() if "component" in a.dims} <= {
        "RTN",
        "SPAN-I",
    }


def test_the_flags_of_the_minute_go_with_the_field_of_the_minute(shared_data):
    ds = read(mission, "psp.fields.mag.1min.b_rtn", real(shared_data, MINUTES))
    assert (ds["quality"].values == 0).all()
    assert np.isfinite(ds["vector"]).all("component").sum() == 112


def test_four_samples_per_cycle_are_read_like_the_others(tmp_path):
    suffix = "RTN_4_Sa_per_Cyc"
    b = np.arange(12, dtype=np.float32).reshape(4, 3)
    out = Writer().time(f"epoch_mag_{suffix}", times(4, "30s"))
    out.add(f"psp_fld_l2_mag_{suffix}", b, UNITS="nT", DEPEND_0=f"epoch_mag_{suffix}")
    out.time("epoch_quality_flags", times(2, "60s"))
    words, fill = np.array([0, 2], np.uint32), np.uint32(4294967295)
    out.add("psp_fld_l2_quality_flags", words, DEPEND_0="epoch_quality_flags", FILLVAL=fill)
    path = out.save(tmp_path / "psp_fld_l2_mag_rtn_4_sa_per_cyc_20201119_v02.cdf")
    ds = read(mission, "psp.fields.mag.4sa.b_rtn", path)
    np.testing.assert_array_equal(ds["vector"], b)
    assert ds["quality"].values.tolist() == [0, 0, 2, 2]


@pytest.fixture(scope="module")
def cup(shared_data):
    return read(mission, "psp.spc.fit", real(shared_data, SPC))


def test_the_cup_s_temperature_is_that_of_the_most_probable_speed(shared_data, cup):
    with open_cdf(real(shared_data, SPC)) as cdf:
        w = cdf.values("wp_fit")
    np.testing.assert_allclose(cup["temperature"], 5.2198e-3 * w**2, rtol=1e-4)
    assert np.isnan(cup["density"]).sum() == 38


def test_the_solar_wind_flows_away_from_the_sun(shared_data, cup):
    usable = cup["velocity"].values[cup["quality"].values & 1 == 0, 0]
    assert np.nanmedian(usable) == pytest.approx(290, abs=15)
    assert np.nanmin(usable) > 200
    ions = read(mission, "psp.spi.sf00.moms", real(shared_data, SPAN))
    assert (ions["velocity"].values[:, 0] > 200).all()


def test_the_conditions_of_the_cup_are_bits_and_mask_nothing(cup):
    words = cup["quality"].values
    assert int((words & 1).sum()) == 67
    assert not (words >> 17).any()
    assert spc.FLAGS.masking == 0


def test_the_partial_moments_keep_their_tensor_in_the_instrument_s_frame(shared_data):
    path = real(shared_data, SPAN)
    inst, rtn = (
        read(mission, "psp.spi.sf00.moms_inst", path),
        read(mission, "psp.spi.sf00.moms", path),
    )
    tensor = inst["temperature_tensor"].values
    np.testing.assert_array_equal(tensor, tensor.transpose(0, 2, 1))
    assert (np.linalg.eigvalsh(tensor) > 0).all()
    np.testing.assert_allclose(inst["temperature"], rtn["temperature"], rtol=1e-5)
    assert span.FLAGS.names(int(inst["quality"][0])) == ("survey_available",)
