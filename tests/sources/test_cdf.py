"""CDF files as arrays: fill values, times, dimensions, and what is left of truncated files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sciqlop_pipe.errors import SourceError, TruncatedFile
from sciqlop_pipe.sources.cdf import CdfFile, mask_fill, open_cdf
from sciqlop_pipe.sources.cdf_backends import CdflibBackend, PycdfppBackend
from sciqlop_pipe.sources.cdf_check import check_whole
from tests.sources.cdf_builders import EPOCHS, RECORDS, cut, small_cdf

PACKINGS = ("plain", "blocks", "whole")
TRUNCATED = "mms/fast_20151201/mms1_fpi_fast_l2_dis-moms_20151201020000_v3.3.0.cdf"


@pytest.fixture(params=["child", "direct", "cdflib"])
def cdf(request, tmp_path: Path):
    path = small_cdf(tmp_path / "a.cdf", "blocks")
    if request.param == "child":
        opened = open_cdf(path)
    elif request.param == "direct":
        opened = CdfFile(path, PycdfppBackend(path))
    else:
        opened = CdfFile(path, CdflibBackend(path))
    with opened:
        yield opened


def test_names_and_attributes_come_back_as_plain_values(cdf: CdfFile):
    assert cdf.names == (
        "Epoch", "epoch_ms", "epoch_ps", "flux", "wide", "counts", "holes", "energy", "labels",
    )  # fmt: skip
    assert cdf.global_attrs["Project"] == ("STP", "second entry")
    assert cdf.attrs("flux")["UNITS"] == "1/s"
    assert cdf.attrs("flux")["FILLVAL"] == np.float32(-1e31)
    assert cdf.attrs("holes")["FILLVAL"] == -2147483648
    assert cdf.depend("flux", 0) == "Epoch"
    assert cdf.depend("flux", 1) is None
    assert cdf.depend("flux", 2) == "energy"
    assert cdf.has("flux")
    assert not cdf.has("nothing")
    assert cdf.lost == ()


def test_a_variable_without_records_of_its_own_has_no_record_dimension(cdf: CdfFile):
    assert not cdf.is_record_varying("energy")
    assert cdf.is_record_varying("flux")
    np.testing.assert_array_equal(cdf.values("energy"), np.array([10, 100, 1000], "f4"))
    assert cdf.values("labels").tolist() == ["x", "yy", "zzz"]


def test_fill_becomes_nan_and_floats_keep_their_width(cdf: CdfFile):
    flux = cdf.values("flux")
    assert flux.dtype == np.float32
    assert flux.shape == (RECORDS, 4, 3)
    assert np.argwhere(np.isnan(flux)).tolist() == [[3, 1, 2]]
    assert cdf.raw("flux")[3, 1, 2] == np.float32(-1e31)
    assert np.flatnonzero(np.isnan(cdf.values("wide"))).tolist() == [5]


def test_integers_become_floats_only_where_fill_occurs(cdf: CdfFile):
    assert cdf.values("counts").dtype == np.uint16
    holes = cdf.values("holes")
    assert holes.dtype == np.float64
    assert np.flatnonzero(np.isnan(holes)).tolist() == [7]


def test_all_time_types_give_the_same_nanoseconds(cdf: CdfFile):
    np.testing.assert_array_equal(cdf.times("Epoch"), EPOCHS)
    np.testing.assert_array_equal(cdf.times("epoch_ps"), EPOCHS)
    expected = EPOCHS.copy()
    expected[2] = np.datetime64("NaT", "ns")
    np.testing.assert_array_equal(cdf.times("epoch_ms"), expected)
    assert cdf.times("epoch_ms").dtype == np.dtype("M8[ns]")
    np.testing.assert_array_equal(cdf.values("Epoch"), EPOCHS)


def test_times_are_raw_in_units_of_the_file(cdf: CdfFile):
    assert cdf.raw("Epoch").dtype == np.int64
    assert cdf.raw("epoch_ms").dtype == np.float64
    assert cdf.raw("epoch_ps").shape == (RECORDS, 2)


def test_a_missing_variable_is_refused_with_near_names(cdf: CdfFile):
    for ask in (cdf.values, cdf.times, cdf.raw, cdf.attrs):
        with pytest.raises(SourceError, match=r"no variable 'flx'. Did you mean flux"):
            ask("flx")


def test_numbers_are_not_taken_for_times(cdf: CdfFile):
    with pytest.raises(SourceError, match="'wide' is not of a time type"):
        cdf.times("wide")


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_checksum_decides_who_reads_and_the_arrays_are_the_same(tmp_path: Path, packing):
    plain = small_cdf(tmp_path / "a.cdf", packing)
    proven = small_cdf(tmp_path / "b.cdf", packing, md5=True)
    with open_cdf(plain) as a, open_cdf(proven) as b, CdfFile(plain, PycdfppBackend(plain)) as c:
        for name in a.names:
            np.testing.assert_array_equal(a.values(name), b.values(name))
            np.testing.assert_array_equal(a.values(name), c.values(name))
            assert a.values(name).dtype == b.values(name).dtype


def test_arrays_outlive_their_file(tmp_path: Path):
    for md5 in (False, True):
        with open_cdf(small_cdf(tmp_path / "a.cdf", md5=md5)) as cdf:
            flux = cdf.raw("flux")
        assert flux[0].tolist() == np.arange(12).reshape(4, 3).tolist()


@given(
    values=hnp.arrays(
        st.sampled_from(["f4", "f8", "i1", "u1", "i4", "u2", "i8"]), hnp.array_shapes(max_dims=3)
    ),
    fill=st.one_of(st.integers(-300, 300), st.floats(), st.just("text"), st.none()),
)
def test_masking_touches_fill_only(values: np.ndarray, fill):
    masked = mask_fill(values, fill)
    assert masked.shape == values.shape
    number = isinstance(fill, (int, float))
    with np.errstate(over="ignore"):
        equal = values == fill if number else np.zeros(values.shape, bool)
    if masked.dtype.kind == "f":
        assert np.isnan(masked[equal]).all()
    keep = ~np.isnan(masked) if masked.dtype.kind == "f" else np.ones(values.shape, bool)
    np.testing.assert_array_equal(masked[keep], values[keep].astype(masked.dtype))


# --- salvage -----------------------------------------------------------------------------------


def test_salvage_reads_what_is_whole_and_names_what_is_lost(tmp_path: Path):
    path = small_cdf(tmp_path / "a.cdf")
    whole = CdfFile(path, PycdfppBackend(path))
    seen = set()
    for size in range(path.stat().st_size - 1, 400, -311):
        short = cut(path, tmp_path / "cut.cdf", size)
        with pytest.raises(TruncatedFile):
            open_cdf(short)
        try:
            cdf = open_cdf(short, salvage=True)
        except SourceError as error:
            assert "nothing can be salvaged" in str(error) or "header" in str(error)  # noqa: PT017
            continue
        for name in cdf.names:
            np.testing.assert_array_equal(cdf.values(name), whole.values(name))
        for name in (n for n in cdf.lost if not n.startswith("variables without names")):
            with pytest.raises(SourceError, match=f"{name}' is lost: the file is truncated"):
                cdf.values(name)
        seen.add(len(cdf.lost))
    assert len(seen) > 1


def test_salvage_of_a_whole_file_is_an_ordinary_reading(tmp_path: Path):
    with open_cdf(small_cdf(tmp_path / "a.cdf"), salvage=True) as cdf:
        assert cdf.lost == ()
        assert len(cdf.names) == 9


def test_salvage_of_a_file_compressed_as_a_whole_is_refused(tmp_path: Path):
    path = small_cdf(tmp_path / "a.cdf", "whole")
    with pytest.raises(SourceError):
        open_cdf(cut(path, tmp_path / "cut.cdf", path.stat().st_size - 300), salvage=True)


def test_the_real_truncated_moments_lose_their_scalar_temperatures_only(shared_data: Path):
    path = shared_data / TRUNCATED
    with pytest.raises(TruncatedFile, match="7068 of 2218908 bytes are missing"):
        open_cdf(path)
    with open_cdf(path, salvage=True) as cdf:
        assert cdf.lost == ("mms1_dis_temppara_fast", "mms1_dis_tempperp_fast")
        assert len(cdf.names) == 46
        assert cdf.values("mms1_dis_temptensor_gse_fast").shape == (1600, 3, 3)
        assert np.isfinite(cdf.values("mms1_dis_numberdensity_fast")).all()
        times = cdf.times("Epoch")
        assert str(times[0]).startswith("2015-12-01T02:00:01")
        assert (np.diff(times) > np.timedelta64(0, "ns")).all()


# --- real files --------------------------------------------------------------------------------


def test_both_readers_agree_on_every_variable_of_every_real_file(shared_data: Path):
    compared = 0
    for path in sorted(shared_data.rglob("*.cdf")):
        if path.stat().st_size > 2_000_000:
            continue
        try:
            check_whole(path)
            fast = CdfFile(path, PycdfppBackend(path))
        except TruncatedFile:
            continue
        careful = CdfFile(path, CdflibBackend(path))
        assert set(fast.names) == set(careful.names)
        for name in fast.names:
            where = f"{path.name} {name}"
            a, b = fast.raw(name), careful.raw(name)
            assert a.shape == b.shape, where
            if a.dtype.kind == "U":
                np.testing.assert_array_equal(np.char.strip(a), np.char.strip(b), where)
            else:
                assert a.dtype == b.dtype, where
                np.testing.assert_array_equal(a, b, where)
            assert fast.is_record_varying(name) == careful.is_record_varying(name), where
            assert fast.depend(name, 0) == careful.depend(name, 0), where
            compared += 1
    assert compared > 1000


def test_cluster_waves_have_epoch16_times(shared_data: Path):
    folder = shared_data / "cluster" / "waves"
    path = folder / "C4_CP_EFW_L2_BB__20030301_035904_20030301_035916_V111209.cdf"
    with open_cdf(path) as cdf:
        times = cdf.times("time_tags__C4_CP_EFW_L2_BB")
        assert times.shape == (47104,)
        assert str(times[0]) == "2003-03-01T03:59:05.528859000"
        step = np.diff(times).astype("i8")
        assert np.median(step) == 222_000
        field = cdf.values("B_Vec_xyz_ISR2__C4_CP_EFW_L2_BB")
        assert np.isnan(field).any()
        assert np.nanmin(field) > -1e6


def test_geotail_of_cdf_2_4_has_its_variables_without_idle_dimensions(shared_data: Path):
    with open_cdf(shared_data / "geotail" / "ge_k0_cpi_19921231_v02.cdf") as cdf:
        assert cdf.values("SW_P_Den").shape == (1090,)
        assert cdf.values("SW_V").shape == (1090, 3)
        assert str(cdf.times("Epoch")[0]).startswith("1992-12-31T01:28:46")


def test_aditya_is_compressed_as_a_whole(shared_data: Path):
    name = "AL1_ASW91_L2_BLK_20250630_UNP_9999_999999_V02.cdf"
    with open_cdf(shared_data / "aditya-l1" / name) as cdf:
        times = cdf.times("epoch_for_cdf_mod")
        assert len(times) == 17274
        assert str(times[0]).startswith("2025-06-30T00:00:29")
        assert cdf.values("proton_density").shape == (17274,)


def test_the_real_distribution_is_read_in_this_process(shared_data: Path):
    name = "mms1_fpi_brst_l2_dis-dist_20201119233433_v3.3.0.cdf"
    with open_cdf(shared_data / "mms" / "burst_20201119" / name) as cdf:
        assert cdf.values("mms1_dis_dist_brst").shape == (800, 32, 16, 32)
        assert cdf.depend("mms1_dis_dist_brst", 3) == "mms1_dis_energy_brst"
        assert str(cdf.times("Epoch")[0]) == "2020-11-19T23:34:33.100478000"


@pytest.mark.parametrize("packing", ["plain", "blocks"])
@pytest.mark.parametrize("majority", ["row", "column"])
def test_large_values_read_directly_are_those_of_the_library(
    tmp_path: Path, packing: str, majority: str
):
    import pycdfpp

    from sciqlop_pipe.sources.cdf_direct import stored_values
    from sciqlop_pipe.sources.cdf_walk import walk_records

    path = small_cdf(tmp_path / "a.cdf", packing, large=True)
    if majority == "column":
        cdf = pycdfpp.load(str(path))
        cdf.majority = pycdfpp.Majority.column
        pycdfpp.save(cdf, str(path))
    walked = walk_records(path)
    assert walked.row_major == (majority == "row")
    assert set(stored_values(walked)) == {"large"}
    with open_cdf(path) as cdf:
        found = cdf.raw("large")
    np.testing.assert_array_equal(found, pycdfpp.load(str(path))["large"].values)
    assert found.dtype == np.float32


def test_a_file_replaced_between_opening_and_reading_is_told(tmp_path: Path):
    path = small_cdf(tmp_path / "a.cdf", large=True)
    with open_cdf(path) as cdf:
        small_cdf(tmp_path / "b.cdf", "blocks", large=True).replace(path)
        with pytest.raises(SourceError, match="was replaced while it was read"):
            cdf.raw("large")
