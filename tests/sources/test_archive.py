"""Files are found by their names, anywhere in an archive, the newest version of each."""

from __future__ import annotations

import os
import pickle
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.errors import ArchiveGone, SourceError, UsageError
from sciqlop_pipe.sources.access import Access
from sciqlop_pipe.sources.archive import FilePattern, Listing, list_archives
from sciqlop_pipe.sources.crawl import read_listing
from sciqlop_pipe.sources.http import Patience
from tests.sources.web import page, serving, status

DIST = FilePattern("mms1_fpi_brst_l2_dis-dist_{start:%Y%m%d%H%M%S}_v{version}.cdf")
DAY = FilePattern("x_{start:%Y%m%d}_v{version}.cdf")
QUICK = Access(patience=Patience(tries=2, pause_seconds=0.01, timeout_seconds=5))


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype("i8"))


def put(folder: Path, *names: str, content: bytes = b"x") -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


# --- patterns ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "name", "start", "stop", "version"),
    [
        (DIST.text, "mms1_fpi_brst_l2_dis-dist_20201119233433_v3.3.0.cdf",
         "2020-11-19T23:34:33", None, (3, 3, 0)),
        ("mms1_fgm_srvy_l2_{start:%Y%m%d}_v{version}.cdf", "mms1_fgm_srvy_l2_20151016_v4.18.0.cdf",
         "2015-10-16", None, (4, 18, 0)),
        ("psp_fld_l2_mag_rtn_{start:%Y%m%d%H}_v{version}.cdf",
         "psp_fld_l2_mag_rtn_2020010106_v02.cdf", "2020-01-01T06", None, (2,)),
        ("omni_{start:%Y%m}.cdf", "omni_202005.cdf", "2020-05", None, ()),
        ("a_{start:%Y_%j}.dat", "a_2020_366.dat", "2020-12-31", None, ()),
        ("omni2_{start:%Y}.dat{any}", "omni2_2011.dat.gz", "2011", None, ()),
        ("omni2_{start:%Y}.dat{any}", "omni2_2011.dat", "2011", None, ()),
        ("b_{start:%y%m%d}.txt", "b_990329.txt", "1999-03-29", None, ()),
        ("e_{start:%Y%m%dT%H%M%S.%f}.txt", "e_20010731T201417.25.txt",
         "2001-07-31T20:14:17.25", None, ()),
        ("C1_CP_FGM_FULL__{start:%Y%m%d_%H%M%S}_{stop:%Y%m%d_%H%M%S}_V{version}.cdf",
         "C1_CP_FGM_FULL__20010731_201417_20010731_201617_V140306.cdf",
         "2001-07-31T20:14:17", "2001-07-31T20:16:17", (140306,)),
        ("tha_{start:%Y%m%d_%H%M}_{stop:%H%M}_{any}.dat", "tha_20070608_2330_0130_GSM_v4.dat",
         "2007-06-08T23:30", "2007-06-09T01:30", ()),
        ("AL1_ASW91_L2_BLK_{start:%Y%m%d}_{any}_V{version}.cdf",
         "AL1_ASW91_L2_BLK_20250630_UNP_9999_999999_V02.cdf", "2025-06-30", None, (2,)),
    ],
)  # fmt: skip
def test_a_name_tells_its_times_and_version(pattern, name, start, stop, version):
    found = FilePattern(pattern).match(name)
    assert found is not None
    assert (found.start, found.version) == (ns(start), version)
    assert found.stop == (None if stop is None else ns(stop))


@pytest.mark.parametrize(
    "name",
    [
        "mms1_fpi_brst_l2_dis-dist_20201119233433_v3.3.0.cdf.part",
        "mms1_fpi_brst_l2_dis-dist_20201119233433_v3.3.cdf2",
        "mms2_fpi_brst_l2_dis-dist_20201119233433_v3.3.0.cdf",
        "MMS1_FPI_BRST_L2_DIS-DIST_20201119233433_V3.3.0.CDF",
        "mms1_fpi_brst_l2_dis-dist_20201119_v3.3.0.cdf",
        "mms1_fpi_brst_l2_dis-dist_20201319233433_v3.3.0.cdf",
        "mms1_fpi_brst_l2_dis-dist_20200230233433_v3.3.0.cdf",
        "mms1_fpi_brst_l2_dis-dist_20201119233433_vx.cdf",
        "mms1_fpi_brst_l2_dis-distX20201119233433_v3.3.0.cdf",
    ],
)
def test_other_names_do_not_match(name: str):
    assert DIST.match(name) is None


def test_day_366_exists_in_leap_years_only():
    pattern = FilePattern("a_{start:%Y_%j}.dat")
    assert pattern.match("a_2020_366.dat") is not None
    assert pattern.match("a_2021_366.dat") is None
    assert pattern.match("a_2021_000.dat") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a_{begin:%Y}.cdf", "no field 'begin'"),
        ("a_{strat:%Y}.cdf", "Did you mean start"),
        ("a_{version}.cdf", "has no start"),
        ("a_{start:%Y}_{start:%m}.cdf", "two fields 'start'"),
        ("a_{start:%Q}.cdf", "time code %Q"),
        ("a_{start:%H}.cdf", "no year"),
        ("a_{start:%Y.cdf", "Check its braces"),
    ],
)
def test_a_wrong_pattern_is_refused_where_it_is_declared(text: str, says: str):
    with pytest.raises(UsageError, match=says):
        FilePattern(text)


@given(st.integers(0, 7_258_000_000))
def test_every_second_comes_back_from_its_name(seconds: int):
    when = datetime.fromtimestamp(seconds, UTC)
    found = DIST.match(f"mms1_fpi_brst_l2_dis-dist_{when:%Y%m%d%H%M%S}_v1.0.0.cdf")
    assert found is not None
    assert found.start == seconds * 10**9


# --- folders -----------------------------------------------------------------------------------


def test_files_are_found_anywhere_sorted_by_start(tmp_path: Path):
    put(tmp_path, "2020/x_20200102_v1.cdf", "x_20200103_v1.cdf", "a/b/c/x_20200101_v1.cdf",
        "2020/y_20200101_v1.cdf", "2020/x_20200101_v1.cdf.tmp", ".hidden/x_20200104_v1.cdf",
        "2020/.x_20200105_v1.cdf", "2020/x_20200106_v1.cdf.part")  # fmt: skip
    files = list_archives([tmp_path]).match(DAY)
    assert [f.name for f in files] == [f"x_2020010{i}_v1.cdf" for i in (1, 2, 3)]
    assert files[0].location == str(tmp_path / "a/b/c/x_20200101_v1.cdf")
    assert files[0].size == 1
    assert files[0].start == ns("2020-01-01")
    assert files[0].stop is None


def test_the_newest_version_wins_by_number(tmp_path: Path):
    put(tmp_path, "a/x_20200101_v9.9.cdf", "b/x_20200101_v10.0.cdf", "c/x_20200101_v1.0.cdf",
        "c/x_20200102_v2.0.cdf")  # fmt: skip
    files = list_archives([tmp_path]).match(DAY)
    assert [f.name for f in files] == ["x_20200101_v10.0.cdf", "x_20200102_v2.0.cdf"]
    assert files[0].version == (10, 0)


def test_the_earlier_archive_wins_ties_and_a_newer_version_wins_anyhow(tmp_path: Path):
    put(tmp_path / "one", "x_20200101_v1.cdf", "x_20200102_v1.cdf")
    put(tmp_path / "two", "x_20200101_v1.cdf", "x_20200102_v2.cdf", content=b"other")
    for order in (("one", "two"), ("two", "one")):
        files = list_archives([tmp_path / name for name in order]).match(DAY)
        assert files[0].location == str(tmp_path / order[0] / "x_20200101_v1.cdf")
        assert files[1].location == str(tmp_path / "two" / "x_20200102_v2.cdf")


def test_names_that_differ_beyond_the_version_are_different_files(tmp_path: Path):
    put(tmp_path, "s_20200101_N_v1.cdf", "s_20200101_B_v2.cdf")
    pattern = FilePattern("s_{start:%Y%m%d}_{any}_v{version}.cdf")
    assert len(list_archives([tmp_path]).match(pattern)) == 2


def test_a_span_gives_a_stop_to_files_without_one(tmp_path: Path):
    put(tmp_path, "x_20200101_v1.cdf")
    (file,) = list_archives([tmp_path]).match(DAY, 3600 * 10**9)
    assert file.stop == file.start + 3600 * 10**9


def test_links_are_followed_and_loops_end(tmp_path: Path):
    put(tmp_path / "real", "x_20200101_v1.cdf")
    (tmp_path / "real" / "loop").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "itself").symlink_to(tmp_path / "real" / "itself")
    (tmp_path / "real" / "x_20200102_v1.cdf").symlink_to(tmp_path / "nowhere")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "linked").symlink_to(tmp_path / "real")
    files = list_archives([tmp_path / "other"]).match(DAY)
    assert [f.name for f in files] == ["x_20200101_v1.cdf"]


def test_a_single_file_is_an_archive_too(tmp_path: Path):
    put(tmp_path, "x_20200101_v1.cdf", "x_20200102_v1.cdf")
    files = list_archives([tmp_path / "x_20200102_v1.cdf"]).match(DAY)
    assert [f.location for f in files] == [str(tmp_path / "x_20200102_v1.cdf")]


def test_a_missing_archive_is_not_an_empty_one(tmp_path: Path):
    with pytest.raises(ArchiveGone, match=r"absent: the archive cannot be listed.*mounted"):
        list_archives([tmp_path, tmp_path / "absent"])
    assert list_archives([tmp_path]).match(DAY) == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_named_and_skipped(tmp_path: Path):
    put(tmp_path, "a/x_20200101_v1.cdf", "b/x_20200102_v1.cdf")
    (tmp_path / "b").chmod(0)
    try:
        listing = list_archives([tmp_path])
    finally:
        (tmp_path / "b").chmod(0o700)
    assert len(listing) == 1
    assert listing.skipped == (str(tmp_path / "b"),)


def test_the_token_follows_size_time_place_and_version(tmp_path: Path):
    put(tmp_path, "x_20200101_v1.cdf")

    def token() -> str:
        return list_archives([tmp_path]).match(DAY)[0].token

    tokens = [token(), token()]
    put(tmp_path, "x_20200101_v1.cdf", content=b"longer")
    tokens.append(token())
    os.utime(tmp_path / "x_20200101_v1.cdf", ns=(1, 1))
    tokens.append(token())
    put(tmp_path, "x_20200101_v2.cdf")
    tokens.append(token())
    assert tokens[0] == tokens[1]
    assert len(set(tokens)) == 4


def test_a_listing_survives_json_and_pickle(tmp_path: Path):
    put(tmp_path, "a/x_20200101_v1.cdf", "x_20200102_v1.cdf")
    listing = list_archives([tmp_path])
    assert Listing.from_json(listing.to_json()) == listing
    assert pickle.loads(pickle.dumps(listing)) == listing
    with pytest.raises(SourceError, match="not a listing"):
        Listing.from_json('{"names": 3}')


def test_only_names_with_the_pattern_s_beginning_are_looked_at(monkeypatch):
    names = tuple(sorted(f"{c}_2{i:05d}.cdf" for c in "abc" for i in range(2000)))
    many = len(names)
    listing = Listing(names, (0,) * many, (1,) * many, ("",) * many, ("/",))
    looked = []
    real = FilePattern.match
    monkeypatch.setattr(FilePattern, "match", lambda p, n: looked.append(n) or real(p, n))
    assert listing.match(FilePattern("b_{start:%Y%m}.cdf"))
    assert len(looked) == 2000


def test_the_real_archive_is_matched(shared_data: Path):
    listing = list_archives([shared_data / "mms", shared_data / "cluster"])
    (dist,) = listing.match(DIST)
    assert dist.start == ns("2020-11-19T23:34:33")
    fgm = FilePattern(
        "C{any}_CP_FGM_FULL__{start:%Y%m%d_%H%M%S}_{stop:%Y%m%d_%H%M%S}_V{version}.cdf"
    )
    assert len(listing.match(fgm)) == 4


# --- web ---------------------------------------------------------------------------------------


def test_a_web_archive_is_crawled_below_its_address_only(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    put(tmp_path, "top/2020/x_20200101_v1.cdf", "top/2020/x_20200101_v2.cdf",
        "top/a b/x_20200102_v1.cdf", "beside/x_20200103_v1.cdf")  # fmt: skip
    with serving(tmp_path) as web:
        listing = list_archives([web.address + "top"], QUICK)
        files = listing.match(DAY)
        assert [f.name for f in files] == ["x_20200101_v2.cdf", "x_20200102_v1.cdf"]
        assert files[1].location == f"{web.address}top/a%20b/x_20200102_v1.cdf"
        assert files[0].size == -1
        assert not any("beside" in r for r in web.requests)


def test_a_server_that_stumbles_is_asked_again(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    put(tmp_path, "sub/x_20200101_v1.cdf")
    with serving(tmp_path) as web:
        web.faults["/sub/"] = [status(503)]
        assert len(list_archives([web.address], QUICK)) == 1
        web.faults["/sub/"] = [status(503)] * 2
        with pytest.raises(ArchiveGone, match="503"):
            list_archives([web.address], QUICK)
        web.faults["/sub/"] = [status(403)]
        listing = list_archives([web.address], QUICK)
        assert listing.skipped == (f"{web.address}sub/",)
        assert listing.remarks == (f"1 folder could not be looked into: {web.address}sub/.",)


@pytest.mark.parametrize(
    ("fault", "says"),
    [(status(404), "404"), (page("{}", "application/json"), "no directory listing")],
    ids=["404", "no listing"],
)
def test_a_web_archive_that_is_none_is_gone(tmp_path: Path, monkeypatch, fault, says):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(tmp_path) as web:
        web.faults["/"] = [fault]
        with pytest.raises(ArchiveGone, match=says):
            list_archives([web.address], QUICK)


def test_no_server_is_a_gone_archive(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(ArchiveGone, match="Check the address and the network"):
        list_archives(["http://127.0.0.1:9/"], QUICK)


APACHE = """<html><h1>Index of /a/</h1><pre><img src="i.gif"> <a href="?C=N;O=D">Name</a>
<hr><a href="/">Parent Directory</a>
<a href="2020/">2020/</a>             2024-05-01 10:00    -
<a href="x_20200101_v1.cdf">x_20200101_v1.cdf</a>  2024-05-02 11:30  1.2M
<a href="x_20200102_v1.cdf">x_20200102_v1.cdf</a>  2024-05-02 11:31  345
<a href="/elsewhere/x_20200103_v1.cdf">x</a> <a href="https://other.example/a/y.cdf">y</a>
<a href="b/c.cdf">deep</a> <a href="../z.cdf">up</a> <a href="x_20200104_v1.cdf#part">part</a>
</pre></html>"""
TABLE = """<table><tr><td><a href="x_20200101_v1.cdf">x_20200101_v1.cdf</a></td>
<td align="right">02-May-2024 11:30</td><td align="right"> 1258291 </td></tr>
<tr><td><a href="sub/">sub/</a></td><td>02-May-2024 11:30</td><td>-</td></tr></table>"""


def test_sizes_and_dates_are_taken_from_the_listing_where_it_shows_them():
    folders, files = read_listing("http://host/a/", APACHE)
    assert folders == ["http://host/a/2020/"]
    assert files == [
        ("x_20200101_v1.cdf", -1, "2024-05-02 11:30 1.2M"),
        ("x_20200102_v1.cdf", 345, "2024-05-02 11:31 345"),
    ]
    folders, files = read_listing("http://host/a/", TABLE)
    assert folders == ["http://host/a/sub/"]
    assert files == [("x_20200101_v1.cdf", 1258291, "02-May-2024 11:30 1258291")]
