"""Files into granules: joined without repeats, opened no more often than needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.errors import TruncatedFile
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.sources import files
from sciqlop_pipe.sources.archive import list_archives
from sciqlop_pipe.sources.fetch import checksum
from sciqlop_pipe.sources.files import FileSource, LocalFile, merge_by_time
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
