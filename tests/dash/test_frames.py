"""A known bin goes through every renderer and is found at its time and energy."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe import datatypes
from sciqlop_pipe.dash.desk import load
from sciqlop_pipe.dash.figures import Board, x_range
from sciqlop_pipe.dash.frames import Curves, Picture, Strips, Words, frames_of
from sciqlop_pipe.dash.state import View
from sciqlop_pipe.granule import MINUTE, SECOND, Interval, instant
from sciqlop_pipe.publish.panels import Panel
from sciqlop_pipe.recipes.overview import overview
from tests import builders
from tests.putting import put

START = instant(builders.START)
MINUTES = Interval(START, START + 5 * MINUTE)
EVEN = np.geomspace(10, 20000, 24)
ODD = EVEN * np.sqrt(EVEN[1] / EVEN[0])
BRIGHT = 1e8


def spectrum(energy: np.ndarray, bright: tuple[int, int], records: int = 10) -> xr.Dataset:
    """A dim spectrum every 30 s with one bright bin (record, bin)."""
    values = np.full((records, energy.shape[-1]), 1e4, np.float32)
    values[bright] = BRIGHT
    return builders.energy_spectrum(
        builders.times(records, step="30s"), spectrum=values, energy=energy
    )


def picture(ds: xr.Dataset, datatype: str = "EnergySpectrum") -> Picture:
    content = frames_of(Panel("m.x", datatype, ds), MINUTES)[0].content
    assert isinstance(content, Picture)
    return content


def brightest(made: Picture) -> tuple[float, float]:
    """Time [ns] and y of the middle of what is brightest, by the extent that a browser gets."""
    rows, columns = np.nonzero(made.image == np.nanmax(made.image))
    x0, x1 = made.x
    y0, y1 = made.y
    x = x0 + (columns.mean() + 0.5) * (x1 - x0) / made.image.shape[1]
    y = y0 + (rows.mean() + 0.5) * (y1 - y0) / made.image.shape[0]
    return x * 1e6, y


@pytest.mark.parametrize("record", [4, 5])
@pytest.mark.parametrize("descending", [False, True])
def test_the_bright_bin_of_alternating_tables_is_at_its_time_and_energy(record, descending):
    tables = np.where((np.arange(10) % 2 == 0)[:, None], EVEN, ODD)
    if descending:
        tables = tables[:, ::-1]
    ds = spectrum(tables, (record, 7))
    when, y = brightest(picture(ds))
    assert abs(when - int(ds["time"].values[record].astype(int))) < 15 * SECOND
    half_a_bin = np.log10(EVEN[1] / EVEN[0]) / 2
    assert abs(y - np.log10(tables[record, 7])) < half_a_bin / 4


def test_the_figure_shows_the_image_where_the_frame_says(monkeypatch):
    ds = spectrum(EVEN, (3, 17))
    frames = frames_of(Panel("m.x", "EnergySpectrum", ds), MINUTES)
    board = Board(x_range(MINUTES))
    board.show(frames)
    fig, source = board.tracks[0].figure, board.tracks[0].image.data
    image, content = source["image"][0], frames[0].content
    assert fig.y_range.start == source["y"][0] == content.y[0]
    assert fig.y_range.end == pytest.approx(source["y"][0] + source["dh"][0])
    row = np.nonzero(image == BRIGHT)[0].mean() + 0.5
    y = source["y"][0] + row * source["dh"][0] / image.shape[0]
    assert 10**y == pytest.approx(EVEN[17], rel=0.05)
    assert type(fig.y_scale).__name__ == "LinearScale", "an image on a log axis is stretched wrong"


def test_an_overview_keeps_the_bright_bin_at_its_energy():
    ds = spectrum(EVEN, (6, 12))
    _, y = brightest(picture(overview(ds), "Overview"))
    assert 10**y == pytest.approx(EVEN[12], rel=0.05)


def test_a_gap_is_nothing_and_a_zero_is_darker_than_every_colour():
    ds = spectrum(EVEN, (2, 3))
    ds["spectrum"].values[4] = 0.0
    ds["spectrum"].values[5] = np.nan
    keep = np.r_[0:6, 9]
    made = picture(ds.isel(time=keep))
    width = made.image.shape[1]

    def column(seconds: float) -> np.ndarray:
        return made.image[:, int(seconds / 300 * width)]

    assert (column(120) == 0).all()
    assert np.isnan(column(150)).all()
    assert np.isnan(column(210)).all()
    assert 0 < made.low <= 1e4 <= made.high
    assert made.high <= BRIGHT


def test_a_line_breaks_in_a_gap_and_its_band_is_closed_there():
    ds = builders.moments(builders.times(60)).isel(time=np.r_[0:20, 40:60])
    curves = frames_of(Panel("m.x", "Moments", ds), MINUTES)[0].content
    assert isinstance(curves, Curves)
    assert np.isnan(curves.curves[0].y).sum() == 1
    whole = overview(ds, seconds=5)
    means = frames_of(Panel("m.x", "Overview", whole), MINUTES)[0].content
    x, low, high = means.curves[0].band
    assert np.isfinite(low).all() and np.isfinite(high).all()
    (gap,) = np.flatnonzero(np.diff(x) > 30_000)
    assert low[gap] == high[gap] and low[gap + 1] == high[gap + 1], "no area across the gap"


def test_a_value_is_at_its_time_however_many_records_share_a_pixel():
    time = builders.times(200_000, step="1ms")
    values = np.zeros((time.size, 3), np.float32)
    values[123_456, 0] = 7.0
    ds = builders.vector_series(time, vector=values)
    bx = frames_of(Panel("m.b", "VectorSeries", ds), MINUTES)[0].content.curves[1]
    assert bx.x.size < 5000
    assert bx.y.max() == 7.0
    assert bx.x[np.argmax(bx.y)] * 1e6 == pytest.approx(int(time[123_456].astype(int)), abs=1e3)


def test_a_flag_is_shown_where_it_is_set():
    ds = builders.moments(builders.times(60))
    word = np.zeros(60, np.uint32)
    word[20:30] = 2
    ds["quality"] = builders.quality_word(word, 60)
    strips = frames_of(Panel("m.x", "Moments", ds), MINUTES)[-1].content
    assert isinstance(strips, Strips)
    ((start, stop),) = zip(strips.strips[0].start, strips.strips[0].stop, strict=True)
    assert start * 1e6 == pytest.approx(START + 19.5 * 4.5 * SECOND, abs=SECOND)
    assert stop * 1e6 == pytest.approx(START + 29.5 * 4.5 * SECOND, abs=SECOND)


def test_the_most_probable_region_is_a_bar():
    strips = frames_of(Panel("m.r", "Labels", builders.labels()), MINUTES)[0].content
    assert isinstance(strips, Strips) and strips.together
    total = sum((s.stop - s.start).sum() for s in strips.strips)
    assert 0 < total <= 5 * 60_000
    assert all(((c.y >= 0) | np.isnan(c.y)).all() for c in strips.curves)


def test_what_has_no_data_says_so():
    nothing = frames_of(Panel("m.x", "Moments", xr.Dataset()), MINUTES)
    assert isinstance(nothing[0].content, Words)
    ds = spectrum(EVEN, (0, 0))
    ds["spectrum"].values[:] = np.nan
    assert isinstance(frames_of(Panel("m.x", "EnergySpectrum", ds), MINUTES)[0].content, Words)


def test_planes_are_not_smeared_along_time():
    v = xr.DataArray(np.linspace(-1, 1, 8), dims="v1", attrs={"units": "km s^-1"})
    ds = xr.Dataset(
        {"f": (("time", "plane", "v1", "v2"), np.ones((4, 1, 8, 8)), {"units": "s^2 m^-5"})},
        {"time": builders.times(4), "plane": ["x_y"], "v1": v, "v2": v.rename(v1="v2")},
    )
    (frame,) = frames_of(Panel("m.r", "Reduced2D", ds), MINUTES)
    assert isinstance(frame.content, Words) and "Distribution" in frame.content.text


def test_a_broken_granule_is_a_sentence_in_its_place_and_the_others_are_drawn(store, desk):
    day = Interval.of("2020-11-19", "2020-11-20")
    put(store, "m.good", builders.moments(), datatypes.Moments, day)
    put(store, "m.bad", builders.moments(), datatypes.Moments, day)
    bad = store.root / store.registry.stored("m.bad")[0].path
    bad.write_bytes(bad.read_bytes()[:200])
    view = View(("m.good", "m.bad", "m.never"), MINUTES)
    frames = load(desk, view)
    assert isinstance(frames[0].content, Curves)
    said = [f.content.text for f in frames if isinstance(f.content, Words)]
    assert len(said) == 2 and all("Traceback" not in s for s in said)
    assert "nothing of 'm.never'" in said[1]


def test_a_long_interval_without_an_overview_says_how_to_make_one(store, desk):
    day = Interval.of("2020-11-19", "2020-11-20")
    time = builders.times(450_000, "2020-11-19T00:00:00", step="100ms")
    put(store, "m.b", builders.scalar_series(time), datatypes.ScalarSeries, day)
    (frame,) = load(desk, View(("m.b",), day))
    assert "overview_1min" in frame.content.text
    (frame,) = load(desk, View(("m.b",), MINUTES))
    assert isinstance(frame.content, Words)


def test_figures_are_updated_in_place_until_their_shape_changes():
    board = Board(x_range(MINUTES))
    ds = builders.moments(builders.times(60))
    first = frames_of(Panel("m.x", "Moments", ds), MINUTES)
    assert board.show(first) is True
    root = board.root
    assert board.show(frames_of(Panel("m.x", "Moments", ds.isel(time=slice(5))), MINUTES)) is False
    assert board.root is root
    assert board.show(first[:1]) is True


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [(0.3, 20.1, [0.5, 1, 2, 5, 10, 20]), (0.3, 3000, [1, 10, 100, 1000])],
)
def test_the_ticks_of_a_logarithmic_axis_do_not_lie_on_each_other(low, high, wanted):
    time = builders.times(60)
    ds = builders.moments(time, density=np.geomspace(low, high, time.size))
    board = Board(x_range(MINUTES))
    board.show(frames_of(Panel("m.x", "Moments", ds), MINUTES))
    ticks = board.tracks[0].figure.yaxis[0].ticker.ticks
    assert [t for t in ticks if low <= t <= high] == pytest.approx(wanted)
