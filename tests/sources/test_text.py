"""Tables in text files, plain and gzip, seen as CDF files."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.errors import SourceError, TruncatedFile
from sciqlop_pipe.sources.text import Column, SinceName, TextTable, YearDayHour, open_table

TABLE = TextTable((Column(3, "x", "nT", 999.9), Column(4, "y", "nT")), 5, YearDayHour())
TEXT = "2020 366 23 1.5 2\n2020  1  0 999.9 -3\n2019 365 12 2.5 4\n"


def written(folder, data: bytes, name="a.dat"):
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_columns_fills_units_and_times_are_as_declared(tmp_path, packed):
    data = gzip.compress(TEXT.encode()) if packed else TEXT.encode()
    with open_table(written(tmp_path, data), TABLE) as cdf:
        np.testing.assert_array_equal(cdf.values("x"), [1.5, np.nan, 2.5])
        np.testing.assert_array_equal(cdf.values("y"), [2, -3, 4])
        assert cdf.attrs("y")["UNITS"] == "nT"
        assert cdf.depend("x", 0) == "time"
        assert cdf.times("time").astype("M8[h]").astype(str).tolist() == [
            "2020-12-31T23", "2020-01-01T00", "2019-12-31T12"]  # fmt: skip


def test_seconds_since_the_name_and_dates_are_both_times(tmp_path):
    table = TextTable(
        (Column(1, "x", "nT"),), 2, SinceName(r"_(\d{4})(\d{2})(\d{2})_(\d{2})(\d{2})"), 1
    )
    name = "tha_20070608_0630_0830.dat"
    path = written(tmp_path, b"Time x\n 0.5 1\n 3.0078547 2\n", name)
    times = open_table(path, table).times("time")
    assert times.astype(str).tolist() == [
        "2007-06-08T06:30:00.500000000", "2007-06-08T06:30:03.007854700"]  # fmt: skip
    path = written(tmp_path, b"Time x\n2007-06-08/06:30:03 2\n", name)
    assert open_table(path, table).times("time")[0] == np.datetime64("2007-06-08T06:30:03")
    with pytest.raises(SourceError, match="tells no start"):
        open_table(written(tmp_path, b"Time x\n 0.5 1\n"), table)


@pytest.mark.parametrize(
    "text", ["2020 1 0 1\n", "2020 1 0 1 2 3\n", "2020 1 0 1 x\n", "<html>\n", "\xff\n"]
)
def test_what_is_no_such_table_is_refused(tmp_path, text):
    with pytest.raises(SourceError):
        open_table(written(tmp_path, text.encode("latin1")), TABLE)


def test_a_flipped_byte_in_gzip_data_is_noticed_or_changes_nothing(tmp_path):
    whole = gzip.compress((TEXT * 200).encode())
    noticed = 0
    for at in range(len(whole)):
        data = bytearray(whole)
        data[at] ^= 0x10
        try:
            values = open_table(written(tmp_path, bytes(data)), TABLE).values("y")
        except SourceError:
            noticed += 1
        else:
            np.testing.assert_array_equal(values, np.tile([2, -3, 4], 200))
    assert noticed > 0.9 * len(whole)


@given(cut=st.integers(1, 10_000))
@settings(max_examples=60)
def test_a_gzip_file_cut_anywhere_is_refused_and_its_whole_rows_salvaged(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("cut")
    whole = gzip.compress((TEXT * 50).encode())
    path = written(folder, whole[: max(18, len(whole) - 1 - cut % (len(whole) - 18))])
    with pytest.raises(TruncatedFile):
        open_table(path, TABLE)
    kept = open_table(path, TABLE, salvage=True).values("y")
    np.testing.assert_array_equal(kept, np.tile([2, -3, 4], 50)[: kept.size])


def test_every_member_of_a_gzip_file_is_read(tmp_path):
    """Archives join files of hours into days by putting one behind the other."""
    one, two = (gzip.compress(line.encode()) for line in TEXT.splitlines(keepends=True)[:2])
    for data in (one + two, one + two + bytes(512)):
        with open_table(written(tmp_path, data), TABLE) as cdf:
            np.testing.assert_array_equal(cdf.values("y"), [2, -3])
    with pytest.raises(TruncatedFile):
        open_table(written(tmp_path, one + two[:-4]), TABLE)
    with pytest.raises(SourceError, match="damaged gzip"):
        open_table(written(tmp_path, one + b"no gzip\n"), TABLE)


@pytest.mark.parametrize(
    "row", ["2020 367 0 1 2", "2020 0 0 1 2", "2020 1 25 1 2", "2020 1 -1 1 2"]
)
def test_a_day_or_hour_that_does_not_exist_is_no_other_time(tmp_path, row):
    with pytest.raises(SourceError, match="no day of a year and hour"):
        open_table(written(tmp_path, f"2020 1 0 1 2\n{row}\n".encode()), TABLE)


def test_an_empty_file_is_no_day_without_data(tmp_path):
    with pytest.raises(SourceError, match="the file is empty"):
        open_table(written(tmp_path, b""), TABLE)


def test_seconds_may_be_negative_or_have_exponents(tmp_path):
    clock = SinceName(r"_(\d{4})(\d{2})(\d{2})_(\d{2})(\d{2})")
    table = TextTable((Column(1, "x", "nT"),), 2, clock)
    path = written(tmp_path, b"-0.5 1\n1.0e-01 2\n", "tha_20070608_0630_0830.dat")
    assert open_table(path, table).times("time").astype(str).tolist() == [
        "2007-06-08T06:29:59.500000000", "2007-06-08T06:30:00.100000000"]  # fmt: skip
