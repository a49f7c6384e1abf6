"""Files into granules: joined without repeats, opened no more often than needed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pycdfpp
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.datatypes import ScalarSeries
from sciqlop_pipe.errors import TruncatedFile
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission
from sciqlop_pipe.model import raw as raw_dataset
from sciqlop_pipe.report import Report
from sciqlop_pipe.sources import files
from sciqlop_pipe.sources.archive import list_archives
from sciqlop_pipe.sources.conventions import begin
from sciqlop_pipe.sources.fetch import checksum
from sciqlop_pipe.sources.files import FileSource, LocalFile, merge_by_time
from sciqlop_pipe.sources.series import ScalarAdapter
from sciqlop_pipe.store import Store
from tests.serial import SerialClient
from tests.sources.archive_cdfs import fgm

START = np.datetime64("2020-11-19T23:34:00", "ns")
HERE = Interval.of("2020-11-19T23:34", "2020-11-19T23:35")
BEFORE = Interval.of("2020-11-19T23:20", "2020-11-19T23:30")


def piece(times: list[int], mark: float) -> xr.Dataset:
    time = np.array(times, "M8[s]").astype("M8[ns]")
    return xr.Dataset({"value": ("time", np.array(times) + mark)}, {"time": time})


@given(st.lists(st.lists(st.integers(0, 20), max_size=8, unique=True), min_size=1, max_size=4))
def test_of_records_with_the_same_time_the_first_file_s_stays(times: list[list[int]]) -> None:
    pieces = [piece(sorted(some), 100.0 * i) for i, some in enumerate(times)]
    first: dict[int, float] = {}
    for i, some in enumerate(times):
        for t in some:
            first.setdefault(t, t + 100.0 * i)
    merged = merge_by_time(pieces)
    assert merged is not None
    seconds = merged["time"].values.astype("M8[s]").astype(int).tolist()
    assert dict(zip(seconds, merged["value"].values.tolist(), strict=True)) == first
    assert seconds == sorted(first)


def source() -> FileSource:
    found = Graph.discover()["mms1.fgm.brst.b_gse"].source
    assert isinstance(found, FileSource)
    return found


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are opened from now on."""
    files.forget_last_file()
    names: list[str] = []
    real = FileSource.open

    def spy(self: FileSource, path: Path, **how: bool) -> object:
        names.append(path.name)
        return real(self, path, **how)

    monkeypatch.setattr(FileSource, "open", spy)
    return names


def local(path: Path) -> LocalFile:
    (raw,) = source().candidates(list_archives([str(path)]))
    return LocalFile(raw, path, checksum(path))


def test_a_file_known_to_hold_nothing_of_a_granule_is_not_opened_for_it_again(
    tmp_path: Path, opened: list[str]
) -> None:
    path = fgm(tmp_path / "mms1_fgm_brst_l2_20201119233400_v5.0.0.cdf", np.ones((32, 3)),
               mode="brst", start=START)  # fmt: skip
    file = local(path)
    for _ in range(2):
        assert source().read([file], BEFORE, salvage=False).ds is None
    assert len(opened) == 1
    found = source().read([file], HERE, salvage=False)
    assert found.ds is not None
    assert (found.ds.sizes["time"], len(opened)) == (32, 2)


def test_a_file_that_was_replaced_is_looked_into_again(tmp_path: Path, opened: list[str]) -> None:
    path = tmp_path / "mms1_fgm_brst_l2_20201119233400_v5.0.0.cdf"
    fgm(path, np.ones((32, 3)), mode="brst", start=START)
    assert source().read([local(path)], BEFORE, salvage=False).ds is None
    fgm(path, np.ones((32, 3)), mode="brst", start=np.datetime64("2020-11-19T23:25", "ns"))
    assert source().read([local(path)], BEFORE, salvage=False).ds is not None


def test_a_truncated_file_is_refused_every_time(tmp_path: Path) -> None:
    path = tmp_path / "mms1_fgm_brst_l2_20201119233400_v5.0.0.cdf"
    fgm(path, np.ones((320, 3)), mode="brst", start=START)
    path.write_bytes(path.read_bytes()[:-2000])
    for _ in range(2):
        with pytest.raises(TruncatedFile):
            source().read([local(path)], HERE, salvage=False)


@pytest.mark.parametrize("md5", [True, False])
def test_records_that_lie_out_of_order_in_their_file_are_not_lost_at_its_cuts(
    tmp_path: Path, md5: bool
) -> None:
    """Of some archives the packets come as they were received."""
    hours = [0, 3, 1, 2, 5, 3]
    cdf = pycdfpp.CDF()
    if md5:
        cdf.checksum = pycdfpp.Checksum.md5_checksum
    epoch = np.datetime64("2020-01-01", "ns") + np.array(hours) * np.timedelta64(
        3_600_000_000_000, "ns"
    )
    cdf.add_variable("Epoch", epoch, pycdfpp.DataType.CDF_TIME_TT2000)
    cdf.add_variable("x", np.arange(6.0), attributes={"UNITS": "nT", "DEPEND_0": "Epoch"})
    path = tmp_path / "x_20200101.cdf"
    pycdfpp.save(cdf, str(path))
    unsorted = FileSource("x_{start:%Y%m%d}.cdf", ScalarAdapter("x", "nT"))
    (raw,) = unsorted.candidates(list_archives([str(path)]))
    file = LocalFile(raw, path, checksum(path))
    found = []
    for a, b in (("00:00", "01:30"), ("01:30", "04:00"), ("04:00", "23:00")):
        span = Interval.of(f"2020-01-01T{a}", f"2020-01-01T{b}")
        ds = unsorted.read([file], span, salvage=False).ds
        assert ds is not None
        found += ds["value"].values.tolist()
    assert found == [0, 2, 3, 1, 4]  # of two with the same time the first


def test_a_leap_second_costs_at_most_the_records_in_it(tmp_path: Path) -> None:
    """2016-12-31T23:59:60: UTC in nanoseconds has no place for it."""
    leap = 536_500_868_184_000_000  # TT2000 of 2016-12-31T23:59:60
    stamps = leap + np.array([-2, -1, 0, 1, 2]) * 500_000_000
    cdf = pycdfpp.CDF()
    times = stamps.astype("i8").view([("nseconds", "<i8")])
    cdf.add_variable("Epoch", pycdfpp.to_datetime64(times), pycdfpp.DataType.CDF_TIME_TT2000)
    cdf.add_variable("x", np.arange(5.0), attributes={"UNITS": "nT", "DEPEND_0": "Epoch"})
    path = tmp_path / "x_20161231.cdf"
    pycdfpp.save(cdf, str(path))
    leaping = FileSource("x_{start:%Y%m%d}.cdf", ScalarAdapter("x", "nT"))
    (raw,) = leaping.candidates(list_archives([str(path)]))
    span = Interval.of("2016-12-31", "2017-01-02")
    ds = leaping.read([LocalFile(raw, path, checksum(path))], span, salvage=False).ds
    assert ds is not None
    time = ds["time"].values
    assert (time[1:] > time[:-1]).all()
    assert ds["value"].values[:2].tolist() == [0, 1]
    assert ds.sizes["time"] >= 3


def test_a_folder_whose_name_is_no_text_is_read_like_any_other(tmp_path: Path) -> None:
    day = Interval.of("2020-11-19T23:30", "2020-11-19T23:40")
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/f\xff"))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes text only")
    whole = fgm(tmp_path / "mms1_fgm_brst_l2_20201119233400_v5.0.0.cdf", np.ones((320, 3)),
                mode="brst", start=START)  # fmt: skip
    data = whole.read_bytes()
    whole.unlink()
    graph = Graph.discover()
    for kept, state in ((data, 0), (data[:-2000], 1)):
        (folder / whole.name).write_bytes(kept)
        with Store.open(tmp_path / f"store{state}", create=True, durable=False) as store:
            report = run_campaign(
                store, graph, ["mms1.fgm.brst.b_gse"], [day],
                list_archives([str(tmp_path)]), SerialClient,
            )  # fmt: skip
            assert report.status == state, report.failures
        assert all("truncated" in f.error for f in report.failures)


def hourly_tags(path: Path, first: str, last: str) -> Path:
    """Write a file of records every 16 s whose tags are the beginnings, as ACE's are."""
    epoch = np.arange(np.datetime64(first, "ns"), np.datetime64(last, "ns"),
                      np.timedelta64(16_000_000_000, "ns"))  # fmt: skip
    cdf = pycdfpp.CDF()
    cdf.checksum = pycdfpp.Checksum.md5_checksum
    cdf.add_variable("Epoch", epoch, pycdfpp.DataType.CDF_TIME_TT2000)
    about = {"UNITS": "nT", "DEPEND_0": "Epoch"}
    cdf.add_variable("x", np.arange(float(epoch.size)), attributes=about)
    pycdfpp.save(cdf, str(path))
    return path


def test_a_record_that_begins_before_midnight_and_is_centred_after_it_is_not_lost(
    tmp_path: Path,
) -> None:
    raws = tmp_path / "raw"
    raws.mkdir()
    hourly_tags(raws / "x_20230101.cdf", "2023-01-01T23:50:05", "2023-01-02")
    hourly_tags(raws / "x_20230102.cdf", "2023-01-02T00:00:13", "2023-01-02T00:10")
    tagged = FileSource("x_{start:%Y%m%d}.cdf", ScalarAdapter("x", "nT", time_tag=begin("16s")))
    dataset = raw_dataset("m.x", ScalarSeries, tagged, granule="1d")
    graph = Graph.of([Mission("m", (dataset,))])
    days = Interval.of("2023-01-01", "2023-01-04")
    with Store.open(tmp_path / "store", create=True, durable=False) as store:

        def run() -> Report:
            listing = list_archives([str(raws)])
            return run_campaign(store, graph, ["m.x"], [days], listing, SerialClient)

        report = run()
        # A tail makes no granule of its own: the day after the last file has none.
        assert (report.done, report.status) == (2, 0)
        seconds = store.read("m.x").load()["time"].values.astype("M8[s]").astype(int)
        assert set(np.diff(seconds)) == {16}
        assert np.datetime64("2023-01-02T00:00:05") in store.read("m.x")["time"].values
        assert run().planned == 0
