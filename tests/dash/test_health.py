from __future__ import annotations

import numpy as np
import pytest

from sciqlop_pipe import datatypes
from sciqlop_pipe.dash.campaign_charts import coverage_chart
from sciqlop_pipe.dash.campaigns import Campaigns
from sciqlop_pipe.dash.desk import Desk
from sciqlop_pipe.dash.health import coverage, drift, off_usual, placed, provenance
from sciqlop_pipe.dash.report import write_report
from sciqlop_pipe.errors import PipeError, UsageError
from sciqlop_pipe.granule import DAY, HOUR, Granule, Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.recipes.overview import overview
from sciqlop_pipe.store.records import Event, Failure, InputUsed
from tests import builders, toy
from tests.putting import put

START = instant(builders.START)
WHOLE = Interval.of("2020-11-19", "2020-11-20")
HOSTILE = "<script>alert(1)</script>"


def test_current_empty_and_failed_stretches_are_told_apart_and_joined(store):
    hour = [Interval(WHOLE.start + k * HOUR, WHOLE.start + (k + 1) * HOUR) for k in range(5)]
    time = builders.times(10, "2020-11-19T00:00:00")
    put(store, "m.x", builders.moments(time), datatypes.Moments, hour[0])
    put(store, "m.x", builders.moments(time + np.timedelta64(1, "h")), datatypes.Moments, hour[1])
    put(store, "m.x", None, datatypes.Moments, hour[2])
    store.commit([Failure(Granule("m.x", hour[4]), "failed", HOSTILE)], "run")
    cells = coverage(store, Graph.of([]), ["m.x"], WHOLE)
    assert [(c.state, c.granules) for c in cells] == [("current", 2), ("empty", 1), ("failed", 1)]
    assert cells[0].stop == hour[1].stop and cells[2].start == hour[4].start
    assert cells[2].why == HOSTILE
    chart = coverage_chart(cells, ["m.x"], WHOLE)
    assert [item.label["value"] for item in chart.legend[0].items][-1] == "failed (1)"


def test_a_product_of_an_older_version_is_stale_and_one_never_made_is_missing(bench):
    bench.files(0, 1)
    bench.run("toy.double")
    bench.files(2)
    bench.run("toy.raw")
    day = Interval.of("2030-01-01", "2030-01-02")
    newer = toy.toy_graph(doubling=toy.doubled_anew)
    with bench.store() as store:
        cells = coverage(store, toy.toy_graph(), ["toy.double"], day)
        assert [(c.state, c.granules) for c in cells] == [("current", 2), ("missing", 1)]
        stale = coverage(store, newer, ["toy.double"], day)
        assert [(c.state, c.why) for c in stale] == [("stale", "code"), ("missing", "missing")]


def test_provenance_goes_down_to_the_file_and_up_is_right(store):
    raw = put(store, "m.raw", builders.moments(), datatypes.Moments, WHOLE,
              inputs=(InputUsed("", "file", "a.cdf", 0, "a.cdf", "sha256:1"),))  # fmt: skip
    made = put(store, "m.made", builders.moments(), datatypes.Moments, WHOLE,
               inputs=(InputUsed("moments", "granule", "m.raw", WHOLE.start, raw, raw),))  # fmt: skip
    found = provenance(store, "m.made", START)
    assert [n.kind for n in sorted(found.nodes, key=lambda n: n.depth)] == [
        "granule",
        "granule",
        "file",
    ]
    assert {(a == raw, b == made) for a, b, _ in found.edges} == {(True, True), (False, False)}
    where = placed(found)
    assert where[made][0] > where[raw][0] > min(x for x, _ in where.values())
    with pytest.raises(UsageError, match="no granule"):
        provenance(store, "m.made", START + 10 * DAY)


def test_a_day_that_lies_off_its_usual_value_is_found(store):
    values = 5 + 0.1 * np.sin(np.arange(60))
    values[30] = 50.0
    usual, odd = off_usual(values, 15)
    assert np.flatnonzero(odd).tolist() == [30]
    assert usual[30] == pytest.approx(5, abs=0.1)
    time = builders.times(24, "2020-11-19T00:00:00", step="3600s")
    put(store, "m.x", builders.moments(time), datatypes.Moments, WHOLE)
    with pytest.raises(UsageError, match="overview"):
        drift(store, "m.x")
    put(
        store,
        "m.x.overview_1h",
        overview(builders.moments(time), seconds=3600),
        datatypes.Overview,
        WHOLE,
    )
    assert {d.name for d in drift(store, "m.x")} >= {"density"}


def test_every_part_of_the_page_opens_on_a_store_and_on_an_empty_one(store, desk):
    empty = Campaigns(desk)
    assert "empty" in empty.said.object
    put(store, "m.x", builders.moments(), datatypes.Moments, WHOLE)
    store.commit([Failure(Granule("m.y", WHOLE), "failed", HOSTILE)], "run")
    page = Campaigns(desk)
    for part in page.parts:
        page.which.value = part
        said = [
            p.object
            for p in page.holder.select(lambda p: hasattr(p, "object"))
            if isinstance(p.object, str)
        ]
        assert not any("Traceback" in s or HOSTILE in s for s in said), part
    gone = Campaigns(Desk(str(store.root / "nowhere"), "", Graph.of([])))
    assert "no store" in gone.said.object


def test_coverage_says_when_there_is_data_of_what_has_none_in_view(store, desk):
    put(store, "m.x", builders.moments(), datatypes.Moments, WHOLE)
    later = builders.times(10, "2023-04-05T00:00:00")
    day = Interval.of("2023-04-05", "2023-04-06")
    for name in ("m.y", "m.z"):
        put(store, name, builders.moments(later), datatypes.Moments, day)

    def said(page: Campaigns) -> str:
        found = page.holder.select(lambda p: isinstance(getattr(p, "object", None), str))
        return " ".join(p.object for p in found)

    page = Campaigns(desk, {"from": "2020-11-19", "to": "2020-11-20"})
    words = "m.y and 1 more have nothing in this interval, but between 2023-04-05 and 2023-04-05"
    assert words in said(page)
    assert "nothing in this interval" not in said(
        Campaigns(desk, {"from": "2020-11-19", "to": "2023-04-06"})
    )


def test_a_report_is_one_file_that_needs_no_network(store, tmp_path):
    put(store, "m.moments", builders.moments(), datatypes.Moments, WHOLE)
    event = Event("0badc0de", HOSTILE, START, START + DAY // 1440, (("probability", 0.7),))
    put(store, "m.events", None, datatypes.Events, WHOLE, events=(event,))
    store.commit([Failure(Granule("m.y", WHOLE), "failed", HOSTILE)], "run")
    for name, options in (("a.html", {"catalog": "m.events"}), ("b.html", {"pictures": 1})):
        write_report(store, Graph.of([]), tmp_path / name, **options)
        page = (tmp_path / name).read_text()
        assert "data:image/png;base64," in page
        assert "http:" not in page and "https:" not in page and "<link" not in page
        assert HOSTILE not in page and "&lt;script&gt;" in page
    with pytest.raises(UsageError, match="no catalog"):
        write_report(store, Graph.of([]), tmp_path / "c.html", catalog="m.evnts")
    with pytest.raises(UsageError, match=r"\.html"):
        write_report(store, Graph.of([]), tmp_path / "c.pdf")
    with pytest.raises(PipeError, match="could not be written"):
        write_report(store, Graph.of([]), tmp_path / "no" / "c.html")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "b.html", "store"]
