"""What every mission gets without asking: overviews of series and spectra."""

from __future__ import annotations

import pytest

from sciqlop_pipe import datatypes
from sciqlop_pipe.datatype import DataType
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission, product, raw
from sciqlop_pipe.standard import is_overview, with_standard_products
from tests.toy import ToySource, rises

SERIES = ("VectorSeries", "ScalarSeries", "Position", "Moments", "EnergySpectrum", "PlasmaState")
ALL = [t for t in vars(datatypes).values() if isinstance(t, DataType) and not t.in_sql]


@pytest.mark.parametrize("datatype", ALL, ids=lambda t: t.name)
def test_series_and_spectra_are_followed_by_their_overviews(datatype: DataType) -> None:
    made = list(with_standard_products([raw("toy.x", datatype, ToySource(), granule="1h")]))
    expected = ["toy.x", "toy.x.overview_1min", "toy.x.overview_1h"]
    assert [d.name for d in made] == (expected if datatype.name in SERIES else expected[:1])


def test_the_longer_overview_is_made_from_the_shorter_one() -> None:
    graph = Graph.of(
        [Mission("toy", [raw("toy.x", datatypes.ScalarSeries, ToySource(), granule="1h")])]
    )
    minute, hour = graph["toy.x.overview_1min"], graph["toy.x.overview_1h"]
    assert dict(minute.params)["seconds"] == 60
    assert dict(hour.params)["seconds"] == 3600
    assert hour.inputs == (("fine", "toy.x.overview_1min"),)
    assert (str(graph.length(minute.name)), str(graph.length(hour.name))) == ("1d", "month")


def test_events_and_overviews_have_none() -> None:
    base = raw("toy.x", datatypes.ScalarSeries, ToySource(), granule="1h")
    found = list(with_standard_products([product("toy.rises", rises, x="toy.x")]))
    assert [d.name for d in found] == ["toy.rises"]
    once = [d for d in with_standard_products([base]) if d is not base]
    assert list(with_standard_products(once)) == once


def test_overviews_are_known_by_their_name() -> None:
    assert is_overview("mms1.fgm.srvy.b_gse.overview_1min")
    assert is_overview("toy.x.overview_1h")
    assert not is_overview("toy.overview_1h.x")
    assert not is_overview("mms1.fgm.srvy.b_gse")
