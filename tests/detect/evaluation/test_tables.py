from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from sciqlop_pipe.detect.evaluation import read_table
from sciqlop_pipe.detect.evaluation.tables import settled
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import instant, iso

LAYOUTS = {
    "own": "start,stop,kind,sense,time,probability\n2012-01-01,2012-01-02,mp,in,2012-01-01T09:00,0.7\n",
    "lpp": "begin,end,proba\n2012-01-01 00:00:00,2012-01-02 00:00:00,0.7\n",
    "icmecat": ",icmecat_id,sc_insitu,icme_start_time,mo_start_time,mo_end_time\n"
    "1,A,Wind,2011-12-31T12:00Z,2012-01-01T00:00Z,2012-01-02T00:00Z\n"
    "2,B,PSP,2013-12-31T12:00Z,2013-01-01T00:00Z,2013-01-02T00:00Z\n",
    "no names": "2012-01-01T00:00:00.000000000,2012-01-02T00:00:00.000000000\n",
    "free lines": "2012-01-01/00:00:00\t\u2010 2012-01-02/00:00:00, 60.0, somebody, Bow Shock\n",
    "slashes": "# Start Time End Time Quality\n2012-01-01/00:00:00,2012-01-02/00:00:00,1\n",
}


def written(folder: Path, text: str, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
def test_lists_of_every_layout_give_the_same_interval(layout: str, tmp_path: Path):
    table = read_table(written(tmp_path, LAYOUTS[layout]))
    first = table.marks[0]
    assert (first.start, first.stop) == (instant("2012-01-01"), instant("2012-01-02"))
    if layout in ("own", "lpp"):
        assert first.probability == 0.7
    if layout == "own":
        assert first.moment == instant("2012-01-01T09:00") and first.sense == "in"
    if layout == "icmecat":
        assert table.sheaths[0].start == instant("2011-12-31T12:00")


def test_parquet_and_gzip_are_read_as_well(tmp_path: Path):
    frame = pd.DataFrame({"start": pd.to_datetime(["2012-01-01"]), "stop": ["2012-01-02"]})
    frame.to_parquet(tmp_path / "list.parquet")
    (tmp_path / "list.csv.gz").write_bytes(gzip.compress(LAYOUTS["lpp"].encode()))
    for name in ("list.parquet", "list.csv.gz"):
        assert read_table(tmp_path / name).marks[0].stop == instant("2012-01-02")


def test_a_list_of_several_spacecraft_is_narrowed_to_one(tmp_path: Path):
    path = written(tmp_path, LAYOUTS["icmecat"])
    assert len(read_table(path, source="Wind").marks) == 1
    with pytest.raises(UsageError, match="There are: PSP, Wind"):
        read_table(path, source="wind")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("start,stop\n2012-01-02,2012-01-01\n", r"row 1 ends \(2012-01-01\) before it starts"),
        ("start,stop\n2012-01-01,2012-01-02\n2012-01-01,soon\n", "row 2 cannot be read"),
        ("start,stop\n2012-01-01,\n", "row 1 cannot be read"),
        ("start,stop\n", "no events"),
        ("", "no events"),
        ("a,b\n1,2\n", "no columns of times among: a, b"),
        ("\x00\x01", "no columns of times|not a table"),
    ],
)
def test_what_is_no_list_of_events_is_refused_with_its_row(text: str, says: str, tmp_path: Path):
    with pytest.raises(UsageError, match=says):
        read_table(written(tmp_path, text))


OVERLAPPING = "start,stop\n2012-01-01,2012-01-03\n2012-01-04,2012-01-05\n2012-01-02,2012-01-04\n"


def test_events_that_overlap_are_refused_with_their_rows_merged_or_kept(tmp_path: Path):
    table = read_table(written(tmp_path, OVERLAPPING))
    assert table.clashes == ((1, 3),)
    assert settled([table], "keep") == [table]
    with pytest.raises(UsageError, match="1 events overlap one of their kind: rows 1 and 3"):
        settled([table], "refuse")
    (merged,) = settled([table], "merge")
    assert [(m.start, m.stop) for m in merged.marks] == [
        (instant("2012-01-01"), instant("2012-01-04")),
        (instant("2012-01-04"), instant("2012-01-05")),
    ]
    assert merged.clashes == ()
    with pytest.raises(UsageError, match="One of refuse, merge, keep"):
        settled([table], "drop")


def test_events_of_other_kinds_or_spacecraft_may_overlap(tmp_path: Path):
    text = "start,stop,kind,source\n2012-01-01,2012-01-03,a,x\n2012-01-02,2012-01-04,b,x\n"
    text += "2012-01-02,2012-01-04,a,y\n"
    assert read_table(written(tmp_path, text)).clashes == ()


def test_moments_by_spacecraft_and_dates_in_pieces_are_read(tmp_path: Path):
    cluster = read_table(written(tmp_path, "C1 2001-01-14T22:02:09\nC2 2001-01-14T22:01:12\n"))
    assert [m.source for m in cluster.marks] == ["C2", "C1"]
    assert cluster.marks[1].moment == instant("2001-01-14T22:02:09")
    edr = read_table(
        written(tmp_path, "2015,10,16,1,'10:33:30.341'\n2016,1,7,3 ,'09:36:15.329'\n \n")
    )
    assert edr.marks[1].moment == instant("2016-01-07T09:36:15.329") and edr.marks[1].source == "3"
    with pytest.raises(UsageError, match="line 2 has no time"):
        read_table(written(tmp_path, "C1 2001-01-14T22:02:09\nC2 noon\n"))


def test_a_list_in_tt2000_says_what_was_searched(tmp_path: Path):
    text = "interval,begin_tt,end_tt,slams_begin,slams_end\n"
    text += "2,502234232184000000,502234252184000000,5.022342432675979e+17,5.0223424378772486e+17\n"
    text += "9,502999882184000000,502999912184000000,,\n"
    table = read_table(written(tmp_path, text))
    assert len(table.marks) == 1
    assert table.marks[0].start == pytest.approx(instant("2015-12-01T09:29:35.0836"), abs=1e5)
    assert [iso(s.start) for s in table.spans] == ["2015-12-01T09:29:24", "2015-12-10T06:10:14"]


def test_published_lists_are_read(shared_data: Path):
    lists = shared_data / "ml" / "event_lists"
    assert len(read_table(lists / "icme" / "wind_icme_1997_2013.csv").marks) == 583
    assert len(read_table(lists / "bbf_mms" / "mms_bbfsdb_2017-2021.csv").marks) == 3837
    obstacles = shared_data / "icme" / "HELIO4CAST_ICMECAT_v23_2016_2020-06.csv"
    assert len(read_table(obstacles, source="Wind").sheaths) == 33
    assert len(read_table(lists / "edr_mms" / "EDR_intervals.csv").marks) == 32
    slams = read_table(lists / "slams_mms" / "hand_labels_tt2000.csv")
    assert (len(slams.marks), len(slams.complete)) == (117, 60)
    assert (
        len(read_table(shared_data / "catalogues" / "CL_BS_crossings_2002_2014.txt").marks) == 7684
    )
    assert len(read_table(shared_data / "catalogues" / "mms_sitl_shock_list.txt").marks) == 212
