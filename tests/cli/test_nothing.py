"""Where there is no data, it is said what was looked for."""

from __future__ import annotations

from pathlib import Path

from sciqlop_pipe.campaign import unfound
from sciqlop_pipe.cli.nothing import left_out, why_nothing
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.sources.archive import list_archives

DAY = [Interval.of("2020-11-19", "2020-11-20")]
NAMES = ["mms1.boundary_crossings"]


def test_without_an_archive_it_says_that_none_was_given():
    assert "No archive was given: --archive" in why_nothing(Graph.discover(), NAMES, DAY, None)


def test_the_names_that_files_should_have_and_the_times_of_those_found_are_said(tmp_path: Path):
    for hour in ("04", "22"):
        (tmp_path / f"mms1_fpi_fast_l2_dis-moms_20151201{hour}0000_v3.3.0.cdf").touch()
    said = why_nothing(Graph.discover(), NAMES, DAY, list_archives([str(tmp_path)]))
    assert "2020-11-19" in said.splitlines()[0] and "The archives list 2 files" in said
    (moments,) = (line for line in said.splitlines() if "mms1.fpi.dis.fast.moms" in line)
    assert moments.endswith("2 files, starting 2015-12-01T04:00:00 to 2015-12-01T22:00:00")
    (field,) = (line for line in said.splitlines() if "mms1.fgm.srvy.b_gse" in line)
    assert "mms1_fgm_srvy_l2_{start:%Y%m%d}" in field and field.endswith("none of that name")


def test_a_target_without_one_of_its_inputs_is_named_with_what_is_missing():
    graph = Graph.discover()
    names = ["mms.fgm.brst.current", "mms1.fgm.brst.b_gse"]
    held = {n: {"missing": 2} for n in graph.ancestors(names) if not n.startswith("mms4")}
    held["mms.fgm.brst.current"] = {}
    said = left_out(graph, names, held)
    assert said == (
        "Not made: mms.fgm.brst.current, for want of mms4.fgm.brst.b_gse, "
        "mms4.fgm.brst.position_gse."
    )
    every = {n: {"current": 1} for n in graph.ancestors(names)}
    assert left_out(graph, names, every) == ""
    many = left_out(graph, [f"mms{p}.fgm.brst.pvi" for p in "1234"], {})
    assert many.splitlines()[-1] == "Not made either, for want of data: 1 others."


def test_optional_inputs_are_not_missed():
    graph = Graph.discover()
    said = left_out(graph, ["cluster2.efw.burst.wave_spectrum"], {})
    assert said.endswith("for want of cluster2.efw.burst.b_isr2.")


def test_a_word_is_unknown_when_nothing_it_selects_could_ever_be_made(tmp_path: Path):
    graph = Graph.discover()
    for p in "123":
        (tmp_path / f"mms{p}_fgm_brst_l2_20201119233400_v5.269.0.cdf").touch()
    listing = list_archives([str(tmp_path)])
    one, four = "mms1.fgm.brst.b_gse", "mms.fgm.brst.current"
    assert unfound(graph, [one, four, "mms?.fgm.brst.*"], {}, listing, ()) == [four]
    assert unfound(graph, [one, four], {}, listing, {"mms4.fgm.brst.b_gse"}) == [four]
    assert unfound(graph, [one, four], {}, listing, {four}) == []
    assert unfound(graph, [one], {}, None, ()) == [one]
