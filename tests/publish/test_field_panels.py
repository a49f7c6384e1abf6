"""Pictures of structure functions, shocks and correlations: what they say is what the data say."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.granule import Interval
from sciqlop_pipe.publish.field_panels import Matrices, slope
from sciqlop_pipe.publish.panels import Panel, rows
from sciqlop_pipe.recipes.curlometer import KINDS
from sciqlop_pipe.recipes.formation import tetrahedron_shape
from sciqlop_pipe.recipes.minimum_variance import minimum_variance
from sciqlop_pipe.recipes.shocks import shock_passages
from sciqlop_pipe.recipes.solar_connection import solar_connection
from sciqlop_pipe.recipes.turbulence import structure_functions
from sciqlop_pipe.recipes.upstream import upstream_conditions
from tests.fields import clock, moments, position, vector
from tests.shocks import passage


def painted(row, interval):
    """Draw a row and return its axes, those inside it, and every text in them."""
    figure, ax = plt.subplots(figsize=(9, 2))
    ax.set_xlim(*(np.array([interval.start, interval.stop]).astype("datetime64[ns]")))
    row.paint(ax, interval)
    inside = [a for a in ax.child_axes if "@" in a.get_label()]
    texts = [t.get_text() for a in (ax, *inside) for t in a.texts]
    plt.close(figure)
    return ax, inside, texts


def test_a_straight_line_has_a_slope_of_its_power():
    lag = 2.0 ** np.arange(8)
    assert slope(lag, 3 * lag**1.7) == pytest.approx(1.7)


def test_a_random_walk_has_slopes_of_half_its_orders():
    walk = np.cumsum(np.random.default_rng(3).normal(size=(3600, 3)), axis=0)
    ds = structure_functions(vector(walk), window="20min", step="10min", lags=6)
    interval = Interval.of("2020-01-01T12:00", "2020-01-01T13:00")
    first, second = rows(Panel("x.structure_functions", "StructureFunctions", ds))
    _, inside, texts = painted(first, interval)
    assert len(inside) == 6
    numbers = [float(t) for t in texts if t.replace(".", "").isdigit()]
    np.testing.assert_allclose(np.array(numbers).reshape(-1, 4).mean(0), [0.5, 1, 1.5, 2], atol=0.1)
    assert {"p = 1", "p = 4"} <= set(texts)
    assert "flatness" in second.title


def test_a_shock_is_a_mark_per_method():
    m, b, _ = passage()
    found = rows(Panel("x.shock_passages", "ShockSeries", shock_passages(m, b)))
    ax, _, _ = painted(found[0], Interval.of("2020-01-01T12:00", "2020-01-01T12:15"))
    marks = {line.get_label(): line.get_ydata() for line in ax.lines}
    assert len(marks) == 6
    assert marks["mixed 3"][0] == pytest.approx(50, abs=3)
    assert [r.name.rpartition("/")[2] for r in found] == [
        "theta_bn", "speed", "alfven_mach", "compression"]  # fmt: skip


def test_nulls_are_coloured_by_kind_only_where_they_can_be_trusted():
    n = 6
    ds = xr.Dataset(
        {
            "distance": ("time", np.full(n, 30.0), {"units": "km", "long_name": "distance"}),
            "kind": ("time", np.array([1, 1, 3, 4, 0, 2], np.int8),
                     {"units": "1", "flag_meanings": " ".join(KINDS)}),
            "eta": ("time", np.full(n, 0.1), {"units": "1", "long_name": "eta"}),
            "xi": ("time", np.full(n, 0.1), {"units": "1", "long_name": "xi"}),
            "quality": ("time", np.array([0, 8, 0, 16, 0, 24], np.uint32), {}),
        },
        {"time": clock(n, 1.0)},
    )  # fmt: skip
    first, second = rows(Panel("x.nulls", "MagneticNull", ds))[:2]
    ax, _, _ = painted(first, Interval.of("2020-01-01T12:00", "2020-01-01T12:01"))
    dots = {line.get_label(): len(line.get_xdata()) for line in ax.lines}
    assert dots == {"not trusted": 3, "none": 1, "A": 1, "As": 1}
    assert "50 % of the records" in first.title and second.name.endswith("/eta")


def test_the_shape_of_four_spacecraft_names_every_pair():
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]]) * 40
    places = (position(np.tile(np.add(c, [7e4, 0, 0]), (4, 1))) for c in corners)
    found = rows(Panel("x.shape", "TetrahedronShape", tetrahedron_shape(*places)))
    ax, _, _ = painted(found[0], Interval.of("2020-01-01T12:00", "2020-01-01T12:02"))
    assert [line.get_label() for line in ax.lines if line.get_label() != "_"] == [
        "size", "12", "13", "14", "23", "24", "34"]  # fmt: skip


def test_minimum_variance_shows_its_normal_its_ratio_and_how_far_it_may_be_off():
    rng = np.random.default_rng(2)
    ds = minimum_variance(vector(rng.normal(size=(120, 3)) * [2.0, 8, 20]))
    found = rows(Panel("x.minimum_variance", "VarianceAnalysis", ds))
    assert [r.name.rpartition("x.minimum_variance/")[2] for r in found][:6] == [
        "axes/2", "axes/0", "eigenvalues", "ratio", "error", "mean"]  # fmt: skip
    ax, _, _ = painted(found[0], Interval.of("2020-01-01T12:00", "2020-01-01T12:02"))
    x = next(line for line in ax.lines if line.get_label() == "x")
    assert np.nanmin(x.get_ydata()) > 0.9


def test_a_spacecraft_is_drawn_among_the_model_boundaries():
    at = position(np.tile([1e5, 2e4, 0], (4, 1)))
    wind = vector(np.tile([3.0, -3, 1], (10, 1)), seconds=60.0)
    plasma = moments(5.0, np.tile([-400.0, 30, 0], (10, 1)), seconds=60.0)
    found = rows(Panel("x.upstream", "Upstream", upstream_conditions(at, wind, plasma)))
    ax, _, _ = painted(found[0], Interval.of("2020-01-01T12:00", "2020-01-01T12:02"))
    far = {line.get_label(): float(line.get_ydata()[0]) for line in ax.lines
           if line.get_label()[0] != "_"}  # fmt: skip
    assert far["spacecraft"] == pytest.approx(np.hypot(100, 20), rel=1e-6)
    assert 50 < far["magnetopause"] < far["bow shock"] < 150
    sun = rows(Panel("x.sun", "SolarConnection", solar_connection(at, plasma, wind)))
    assert [r.name.rpartition("/")[2] for r in sun][:2] == ["parker_angle", "carrington_longitude"]


def test_small_numbers_share_a_power_that_stands_left_of_the_axis():
    ds = vector(np.random.default_rng(1).normal(0, 2e-4, (60, 3)))
    (row,) = rows(Panel("x.e", "VectorSeries", ds))[:1]
    figure, ax = plt.subplots(figsize=(9, 2))
    row.paint(ax, Interval.of("2020-01-01T12:00", "2020-01-01T12:01"))
    figure.canvas.draw()
    common = ax.yaxis.get_offset_text()
    assert "10^{-4}" in common.get_text().replace("\u2212", "-")
    assert common.get_window_extent().x1 <= ax.bbox.x0
    plt.close(figure)


def test_correlations_are_matrices_with_the_names_of_moments():
    paint = Matrices(np.array([10**9]), np.array([[[1.0, -0.5], [-0.5, 1.0]]]), ("n", "t"))
    row = type("Row", (), {"paint": staticmethod(paint)})
    _, inside, _ = painted(row, Interval(0, 2 * 10**9))
    (one,) = inside
    assert [t.get_text() for t in one.get_xticklabels()] == ["n", "t"]
    np.testing.assert_allclose(one.images[0].get_array(), [[1, -0.5], [-0.5, 1]])


def test_nothing_known_says_so():
    ds = structure_functions(vector(np.full((3600, 3), np.nan)), window="20min", step="10min")
    (first, _) = rows(Panel("x.structure_functions", "StructureFunctions", ds))
    _, inside, texts = painted(first, Interval.of("2020-01-01T12:00", "2020-01-01T13:00"))
    assert not inside and any("no data" in t for t in texts)
