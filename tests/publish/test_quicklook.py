from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe import datatypes
from sciqlop_pipe.errors import PipeError, UnknownName, UsageError
from sciqlop_pipe.granule import HOUR, MINUTE, SECOND, Interval, instant
from sciqlop_pipe.publish.painters import Line, Lines
from sciqlop_pipe.publish.picture import span_text, tick_words, ticks
from sciqlop_pipe.publish.quicklook import Mark, Panel, draw, draw_event, draw_interval, figure
from sciqlop_pipe.publish.words import pretty
from sciqlop_pipe.recipes.overview import overview
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.records import Event, InputUsed
from tests import builders
from tests.putting import put

pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra `plot`)")

START = instant(builders.START)
MINUTES = Interval(START, START + 5 * MINUTE)
BASE = "mms1.fpi.dis.brst"

# Two energy tables that interleave, as early burst data have.
EVEN = np.geomspace(10, 20000, 24)
ODD = EVEN * np.sqrt(EVEN[1] / EVEN[0])


def axes_of(fig, name):
    return next(ax for ax in fig.axes if ax.get_label() == name)


def pixels(fig, ax) -> np.ndarray:
    """What was drawn inside axes, (row, column, rgb) 0 to 255, first row at the top."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    whole = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    box = ax.get_window_extent()
    top, bottom = whole.shape[0] - round(box.y1), whole.shape[0] - round(box.y0)
    # Without the frame.
    return whole[top + 1 : bottom - 1, round(box.x0) + 1 : round(box.x1) - 1]


def column_of(ax, when: np.datetime64) -> int:
    """The column of `pixels` at a time."""
    from matplotlib.dates import date2num

    x = ax.transData.transform((date2num(when), ax.get_ylim()[0]))[0]
    return int(x - ax.get_window_extent().x0) - 1


def energy_of(ax, row: int) -> float:
    """The energy at the middle of a row of `pixels`, through the transform of the axes."""
    box = ax.get_window_extent()
    y = round(box.y1) - 1 - row - 0.5
    return float(ax.transData.inverted().transform((box.x0, y))[1])


def brightness(rgb: np.ndarray) -> np.ndarray:
    """How far up viridis a colour is; white, which is no data, counts as lowest."""
    return np.where(rgb.min(-1) > 250, -1, rgb[..., 1])


def spectrum_axes(ds: xr.Dataset, interval: Interval = MINUTES):
    panel = Panel(f"{BASE}.energy_spectrum", "EnergySpectrum", ds)
    fig = figure([panel], interval, "MMS1")
    return fig, axes_of(fig, f"{BASE}.energy_spectrum/spectrum")


@pytest.mark.parametrize("descending", [False, True])
def test_the_bright_bin_of_alternating_tables_is_drawn_at_its_energy(descending):
    time = builders.times(10, step="30s")
    tables = np.where((np.arange(10) % 2 == 0)[:, None], EVEN, ODD)
    bright = np.array([3, 3, 20, 20, 7, 8, 12, 12, 0, 23])
    flux = np.full((10, 24), 1e4)
    flux[np.arange(10), bright] = 1e8
    if descending:
        tables, flux, bright = tables[:, ::-1], flux[:, ::-1], 23 - bright
    fig, ax = spectrum_axes(builders.energy_spectrum(time, flux, energy=tables))
    seen = pixels(fig, ax)
    half = np.sqrt(EVEN[1] / EVEN[0])
    for k in range(1, 9):
        rows = brightness(seen[:, column_of(ax, time[k])])
        brightest = np.flatnonzero(rows == rows.max())
        energies = [energy_of(ax, int(brightest[0])), energy_of(ax, int(brightest[-1]))]
        true = tables[k, bright[k]]
        step = 1.06  # a pixel is 4 % of energy high
        assert true / half / step < energies[1] < energies[0] < true * half * step
        assert np.sqrt(energies[0] * energies[1]) == pytest.approx(true, rel=0.04)


def test_gaps_are_white_and_zero_is_not():
    time = np.delete(builders.times(100, step="3s"), np.s_[40:60])
    flux = np.full((80, 24), 1e5)
    flux[:, :12] = 0
    flux[20:25] = np.nan
    fig, ax = spectrum_axes(builders.energy_spectrum(time, flux, energy=EVEN))
    seen = pixels(fig, ax)
    white = (seen == 255).all(-1)
    gap = slice(column_of(ax, time[39]) + 12, column_of(ax, time[40]) - 12)
    hole = slice(column_of(ax, time[20]) - 2, column_of(ax, time[24]) + 2)
    assert white[:, gap].all()
    assert white[:, hole].all()
    assert not white[:, column_of(ax, time[10])].any()
    assert not white[:, column_of(ax, time[39]) - 2].any()
    # Zero is drawn, in a colour of its own below the scale.
    zero, something = seen[-5, column_of(ax, time[10])], seen[5, column_of(ax, time[10])]
    assert zero.max() < 60
    assert (zero != something).any()


def test_an_energy_axis_is_logarithmic_over_the_whole_table():
    _, ax = spectrum_axes(builders.energy_spectrum(builders.times(10, step="30s"), energy=EVEN))
    assert ax.get_yscale() == "log"
    low, high = ax.get_ylim()
    assert low < EVEN[0] < EVEN[-1] < high
    assert low > EVEN[0] / 1.3
    assert high < EVEN[-1] * 1.3


KINDS = {
    "VectorSeries": (builders.vector_series, ["vector"]),
    "ScalarSeries": (builders.scalar_series, ["value"]),
    "Position": (builders.position, ["position"]),
    "Moments": (builders.moments, ["density", "velocity", "temperature"]),
    "EnergySpectrum": (builders.energy_spectrum, ["spectrum"]),
    "PlasmaState": (
        builders.plasma_state,
        ["density", "velocity", "temperature", "magnetic_field"],
    ),
    "Labels": (builders.labels, ["probability"]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("records", [0, 1, 60])
def test_every_kind_draws_whatever_its_length(kind, records, tmp_path):
    build, variables = KINDS[kind]
    panel = Panel("sim.it", kind, build(builders.times(records)))
    draw([panel], MINUTES, tmp_path / "it.png", "SIM")
    assert (tmp_path / "it.png").read_bytes().startswith(b"\x89PNG")
    if records:
        found = [ax.get_label() for ax in figure([panel], MINUTES, "SIM").axes]
        assert found == [f"sim.it/{v}" for v in variables]


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"Labels"}))
def test_every_kind_draws_from_its_overview_too(kind):
    build, variables = KINDS[kind]
    ds = overview(build(builders.times(60)))
    found = [ax.get_label() for ax in figure([Panel("x", "Overview", ds)], MINUTES, "").axes]
    assert found == [f"x/{v}" for v in variables]


def test_data_that_are_all_missing_draw_too(tmp_path):
    time = builders.times(20)
    panels = [
        Panel("a", "Moments", builders.moments(time, density=np.nan, velocity=np.nan)),
        Panel("b", "EnergySpectrum", builders.energy_spectrum(time, np.nan)),
        Panel("c", "EnergySpectrum", builders.energy_spectrum(time, energy=np.full(8, np.nan))),
        Panel("d", "Labels", builders.labels(time, np.nan)),
    ]
    draw(panels, MINUTES, tmp_path / "it.png", "")


def test_density_is_logarithmic_only_beyond_a_decade():
    time = builders.times(3)
    for densities, scale in (([1, 5, 9], "linear"), ([1, 5, 11], "log"), ([0, 5, 11], "linear")):
        ds = builders.moments(time, density=np.array(densities))
        fig = figure([Panel("m", "Moments", ds)], MINUTES, "")
        assert axes_of(fig, "m/density").get_yscale() == scale


def test_temperatures_share_a_row():
    ds = builders.moments(builders.times(9), parallel=80.0)
    ax = axes_of(figure([Panel("m", "Moments", ds)], MINUTES, ""), "m/temperature")
    words = [t.get_text() for t in ax.get_legend().get_texts()]
    assert words == ["$T$", r"$T_\parallel$", r"$T_\perp$"]


def test_a_salvaged_temperature_is_drawn_where_its_components_were_lost():
    ds = builders.moments(builders.times(9), parallel=np.nan)
    ax = axes_of(figure([Panel("m", "Moments", ds)], MINUTES, ""), "m/temperature")
    assert np.isfinite(ax.lines[0].get_ydata()).all()
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["$T$"]


def test_a_vector_shows_its_components_magnitude_units_and_frame():
    ds = builders.vector_series(builders.times(9), [3, 0, 4])
    ax = axes_of(figure([Panel("b", "VectorSeries", ds)], MINUTES, ""), "b/vector")
    words = [t.get_text() for t in ax.get_legend().get_texts()]
    assert words == ["$|B|$", "$B_{x}$", "$B_{y}$", "$B_{z}$"]
    assert ax.get_ylabel() == "$B$  GSE\n[nT]"
    assert set(ax.lines[0].get_ydata()) == {5.0}


def test_units_are_written_as_mathematics_with_brackets_where_they_are_needed():
    assert pretty("(nT)^2 Hz^-1") == "nT$^{2}$ Hz$^{-1}$"
    assert pretty("(mV m^-1)^2 Hz^-1") == "(mV m$^{-1}$)$^{2}$ Hz$^{-1}$"


def test_components_in_rtn_are_called_so():
    ds = builders.vector_series(builders.times(9), [3, 0, 4])
    ds["vector"].attrs["frame"] = "RTN"
    ax = axes_of(figure([Panel("b", "VectorSeries", ds)], MINUTES, ""), "b/vector")
    words = [t.get_text() for t in ax.get_legend().get_texts()]
    assert words == ["$|B|$", "$B_{R}$", "$B_{T}$", "$B_{N}$"]


def test_an_angle_that_steps_over_the_end_of_its_circle_is_no_swing():
    ds = builders.scalar_series(builders.times(30))
    angle = np.where(np.arange(30) < 12, 178.0, -179.0)
    line = Line(angle, "", circle=360.0)
    ax = axes_of(figure([Panel("s", "ScalarSeries", ds)], MINUTES, ""), "s/value")
    ax.clear()
    Lines(ds["time"].values.astype(np.int64), (line,), "")(ax, MINUTES)
    drawn = ax.lines[0].get_ydata()
    assert np.flatnonzero(np.isnan(drawn)).tolist() == [12]
    np.testing.assert_array_equal(drawn[np.isfinite(drawn)], angle)


def test_numbers_that_differ_little_stay_clear_of_the_label():
    ds = builders.scalar_series(builders.times(30), 3.70925 + 5e-5 * np.arange(30))
    fig = figure([Panel("s", "ScalarSeries", ds)], MINUTES, "")
    ax = axes_of(fig, "s/value")
    pixels(fig, ax)  # draws
    numbers = [t.get_window_extent().x0 for t in ax.get_yticklabels() if t.get_text()]
    assert min(numbers) > ax.yaxis.label.get_window_extent().x1


def test_a_line_does_not_cross_a_gap():
    time = np.delete(builders.times(30), np.s_[10:20])
    ds = builders.scalar_series(time)
    ax = axes_of(figure([Panel("s", "ScalarSeries", ds)], MINUTES, ""), "s/value")
    assert np.flatnonzero(np.isnan(ax.lines[0].get_ydata())).tolist() == [10]


def test_records_outside_the_interval_do_not_stretch_the_axis():
    value = np.where(np.arange(100) < 50, 1.0, 1e6)
    ds = builders.scalar_series(builders.times(100, step="6s"), value)
    ax = axes_of(figure([Panel("s", "ScalarSeries", ds)], MINUTES, ""), "s/value")
    assert ax.get_ylim()[1] < 10


def test_a_strip_shows_which_quality_bits_are_set_and_none_where_none_is():
    time = builders.times(20)
    clean = builders.moments(time, quality=0)
    flagged = builders.moments(time, quality=np.where(np.arange(20) > 5, 3, 2))
    flagged["quality"] = flagged["quality"] | np.uint32(1 << 7)
    panels = [Panel("clean", "Moments", clean), Panel("flagged", "Moments", flagged)]
    fig = figure(panels, MINUTES, "")
    names = [ax.get_label() for ax in fig.axes]
    assert "clean/quality" not in names
    assert names[-1] == "flagged/quality"
    words = [t.get_text() for t in axes_of(fig, "flagged/quality").texts]
    assert words[:3] == ["saturated", "bit7", "manually flagged"]


def test_most_probable_region_is_the_colour_of_the_bar():
    from matplotlib.colors import to_rgb

    from sciqlop_pipe.publish.painters import REGIONS

    time = builders.times(40)
    sure = np.where((np.arange(40) < 20)[:, None], [0.9, 0.1, 0], [0, 0.2, 0.8])
    fig = figure([Panel("r", "Labels", builders.labels(time, sure))], MINUTES, "")
    ax = axes_of(fig, "r/probability")
    seen = pixels(fig, ax)
    for record, region in ((5, 0), (35, 2)):
        expected = 255 * np.array(to_rgb(REGIONS[region]))
        np.testing.assert_allclose(seen[6, column_of(ax, time[record])], expected, atol=2)
    assert (seen[:, column_of(ax, time[-1]) + 20 :] == 255).all(-1)[6].all()  # no label, no colour


def test_events_are_drawn_over_every_panel_and_those_outside_are_not():
    panels = [
        Panel("m", "Moments", builders.moments()),
        Panel("s", "EnergySpectrum", builders.energy_spectrum()),
    ]
    span = Mark(START + 60 * SECOND, START + 90 * SECOND, "bow_shock", "in")
    moment = Mark(START + 200 * SECOND, START + 200 * SECOND, "magnetopause", "out")
    later = Mark(MINUTES.stop + HOUR, MINUTES.stop + 2 * HOUR, "bow_shock")
    bare = figure(panels, MINUTES, "")
    fig = figure(panels, MINUTES, "", events=[span, moment, later])
    for ax in fig.axes:
        more = len(ax.lines) - len(axes_of(bare, ax.get_label()).lines)
        assert more == 3  # two edges and a line
    words = [t.get_text() for t in fig.axes[0].texts]
    assert [w for w in words if "shock" in w or "pause" in w] == [
        "bow shock in",
        "magnetopause out",
    ]


def test_labels_of_crowded_events_do_not_lie_on_each_other():
    events = [Mark(START + k * SECOND, START + k * SECOND, "bow_shock") for k in range(40)]
    panel = Panel("m", "Moments", builders.moments())
    fig = figure([panel], MINUTES, "", events=events)
    shown = [t for t in fig.axes[0].texts if t.get_text() == "bow shock"]
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(fig).draw()
    boxes = [t.get_window_extent() for t in shown]
    assert 3 <= len(boxes) < 40
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_a_dataset_without_a_panel_is_refused_by_name():
    words = xr.Dataset({"word": ("time", np.array(["a"] * 5))}, {"time": builders.times(5)})
    with pytest.raises(PipeError, match=r"sim\.it: a Words holds nothing that can be drawn"):
        figure([Panel("sim.it", "Words", words)], MINUTES, "")


def test_times_are_labelled_as_short_as_their_spacing_allows():
    def words(start: str, stop: str) -> list[str]:
        return tick_words(ticks(Interval.of(start, stop)))

    assert words("2020-11-19T23:34:30", "2020-11-19T23:36:40")[:2] == [
        "23:34:30\n2020-11-19",
        "23:34:45",
    ]
    night = words("2020-11-19T23:34", "2020-11-20T00:34")
    assert night[:4] == ["23:40\n2020-11-19", "23:50", "00:00\n2020-11-20", "00:10"]
    assert words("2015-01-01", "2024-01-01")[1] == "2016"
    assert words("2020-11-19T00:00:00", "2020-11-19T00:00:01")[1] == "00:00:00.200"


def test_an_interval_is_written_without_repeating_the_day():
    day = Interval.of("2020-11-19T23:34:30", "2020-11-19T23:37")
    assert span_text(day) == "2020-11-19  23:34:30 – 23:37 UTC"
    night = Interval.of("2020-11-19T23:34", "2020-11-20T00:34:00.5")
    assert span_text(night) == "2020-11-19 23:34 – 2020-11-20 00:34:00.5 UTC"


# -- the file --------------------------------------------------------------------------------


def a_panel() -> list[Panel]:
    return [Panel("s", "ScalarSeries", builders.scalar_series())]


def test_a_failure_leaves_the_old_picture_and_nothing_else(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    old = tmp_path / "it.png"
    old.write_bytes(b"old")

    def half(self, path, **_):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", half)
    with pytest.raises(PipeError, match="No space left"):
        draw(a_panel(), MINUTES, old, "")
    assert [p.name for p in tmp_path.iterdir()] == ["it.png"]
    assert old.read_bytes() == b"old"


def test_the_same_data_give_the_same_picture(tmp_path):
    for name in ("a.png", "b.png"):
        draw(a_panel(), MINUTES, tmp_path / name, "SIM")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_folder_that_is_not_there_and_other_formats_are_refused(tmp_path):
    with pytest.raises(PipeError, match="could not be written"):
        draw(a_panel(), MINUTES, tmp_path / "no" / "it.png", "")
    with pytest.raises(UsageError, match="PNG"):
        draw(a_panel(), MINUTES, tmp_path / "it.pdf", "")
    with pytest.raises(UsageError, match="nothing to draw"):
        draw([], MINUTES, tmp_path / "it.png", "")


def test_without_matplotlib_it_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(PipeError, match=r"pip install 'sciqlop-pipe\[plot\]'"):
        draw(a_panel(), MINUTES, tmp_path / "it.png", "")


# -- from a store ----------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store", create=True, durable=False) as opened:
        yield opened


@pytest.fixture
def drawn(monkeypatch):
    """What reaches `draw`, in place of pictures."""
    calls = []

    def record(panels, interval, output, title, *, events=(), **_):
        calls.append((list(panels), interval, title, list(events)))

    monkeypatch.setattr("sciqlop_pipe.publish.quicklook.draw", record)
    return calls


DAY = Interval.of("2020-11-19", "2020-11-20")


def test_a_store_is_drawn_dataset_by_dataset_with_its_events(store, tmp_path, drawn):
    put(store, f"{BASE}.moments", builders.moments(), datatypes.Moments, DAY)
    put(store, "mms1.fgm.b", builders.vector_series(), datatypes.VectorSeries, DAY)
    shock = Event("e", "bow_shock", START + SECOND, START + 2 * SECOND, (("sense", "in"),))
    put(store, "mms1.crossings", None, datatypes.Events, DAY, events=(shock,))
    names = ["mms1.fgm.b", "mms1.crossings", f"{BASE}.moments"]
    draw_interval(store, names, MINUTES, tmp_path / "it.png")
    ((panels, interval, title, events),) = drawn
    assert [(p.name, p.datatype) for p in panels] == [
        ("mms1.fgm.b", "VectorSeries"),
        (f"{BASE}.moments", "Moments"),
    ]
    assert interval == MINUTES
    assert title == "MMS1  FGM, FPI"
    assert [e.label for e in events] == ["bow shock in"]
    assert panels[0].ds.sizes["time"] == 60


def test_a_real_picture_comes_out_of_a_store(store, tmp_path):
    imread = pytest.importorskip("matplotlib.image").imread
    put(store, f"{BASE}.moments", builders.moments(), datatypes.Moments, DAY)
    draw_interval(store, [f"{BASE}.moments"], MINUTES, tmp_path / "it.png")
    assert (tmp_path / "it.png").stat().st_size > 10_000
    edge = imread(tmp_path / "it.png")[:, 0, :3]
    assert (edge == 1).all(), "words of an axis are cut off"


def test_what_a_store_has_elsewhere_is_said_where_it_has_nothing(store, tmp_path):
    put(store, f"{BASE}.moments", builders.moments(), datatypes.Moments, DAY)
    other = Interval.of("2021-01-01", "2021-01-02")
    with pytest.raises(PipeError, match=r"nothing to draw .* from 2020-11-19T23:34"):
        draw_interval(store, [f"{BASE}.moments"], other, tmp_path / "it.png")
    assert not (tmp_path / "it.png").exists()


def test_one_empty_dataset_among_others_is_an_empty_panel(store, tmp_path, drawn):
    put(store, f"{BASE}.moments", builders.moments(), datatypes.Moments, DAY)
    put(store, "mms1.fgm.b", None, datatypes.VectorSeries, DAY)
    draw_interval(store, [f"{BASE}.moments", "mms1.fgm.b"], MINUTES, tmp_path / "it.png")
    assert [bool(p.ds.sizes.get("time")) for p in drawn[0][0]] == [True, False]


def test_an_unknown_name_brings_near_ones(store, tmp_path):
    put(store, f"{BASE}.moments", builders.moments(), datatypes.Moments, DAY)
    with pytest.raises(UnknownName, match=f"Did you mean {BASE}.moments"):
        draw_interval(store, [f"{BASE}.momnets"], MINUTES, tmp_path / "it.png")


def test_a_long_interval_is_drawn_from_an_overview_that_covers_it(store, tmp_path, drawn):
    time = builders.times(200, "2020-11-19", step="400s")
    ds = builders.moments(time)
    put(store, "m.x.moments", ds, datatypes.Moments, DAY)
    whole = overview(ds)
    half = Interval(DAY.start, DAY.start + 12 * HOUR)
    draw_interval(store, ["m.x.moments"], DAY, tmp_path / "it.png")
    put(store, "m.x.moments.overview_1min", whole.isel(time=slice(0, 50)), datatypes.Overview, half)
    draw_interval(store, ["m.x.moments"], DAY, tmp_path / "it.png")
    put(store, "m.x.moments.overview_1min", whole.isel(time=slice(50, None)), datatypes.Overview,
        Interval(half.stop, DAY.stop))  # fmt: skip
    draw_interval(store, ["m.x.moments"], DAY, tmp_path / "it.png")
    draw_interval(store, ["m.x.moments"], half, tmp_path / "it.png")
    assert [call[0][0].datatype for call in drawn] == ["Moments", "Moments", "Overview", "Moments"]


def test_an_event_is_drawn_with_what_it_was_found_in(store, tmp_path, drawn):
    crossing = Event("0b5e", "bow_shock", START + MINUTE, START + MINUTE, (("sense", "out"),))
    other = Event("77aa", "bow_shock", START + 3 * MINUTE, START + 3 * MINUTE)
    uids = {
        name: put(store, name, ds, kind, DAY)
        for name, ds, kind in (
            ("m.fpi.dis.moments", builders.moments(), datatypes.Moments),
            ("m.fpi.dis.energy_spectrum", builders.energy_spectrum(), datatypes.EnergySpectrum),
            ("m.fpi.des.energy_spectrum", builders.energy_spectrum(), datatypes.EnergySpectrum),
        )
    }

    def used(name: str) -> InputUsed:
        return InputUsed("x", "granule", name, DAY.start, uids[name], uids[name])

    uids["m.labels"] = put(store, "m.labels", builders.labels(), datatypes.Labels, DAY,
                           inputs=(used("m.fpi.dis.moments"),))  # fmt: skip
    put(store, "m.crossings", None, datatypes.Events, DAY, events=(crossing, other),
        inputs=(used("m.labels"),))  # fmt: skip
    draw_event(store, "0b5e", tmp_path / "it.png")
    draw_event(store, "0b5e", tmp_path / "it.png", ["m.fpi.des.energy_spectrum"])
    (panels, interval, title, events), (chosen, *_) = drawn
    # Its own inputs, and the spectrum of the same instrument but not of another.
    assert [p.name for p in panels] == [
        "m.fpi.dis.moments",
        "m.fpi.dis.energy_spectrum",
        "m.labels",
    ]
    assert interval.contains(Interval(crossing.start, crossing.start + 1))
    assert title == "M  bow shock out  23:35:00"
    assert [e.start for e in events] == [crossing.start, other.start]
    assert [p.name for p in chosen] == ["m.fpi.des.energy_spectrum"]
    with pytest.raises(UnknownName):
        draw_event(store, "ffff", tmp_path / "it.png")
    draw_interval(store, ["m.crossings"], MINUTES, tmp_path / "it.png")
    panels, _, _, events = drawn[-1]
    assert [p.name for p in panels] == [
        "m.fpi.dis.moments",
        "m.fpi.dis.energy_spectrum",
        "m.labels",
    ]
    assert len(events) == 2
    other_day = Interval.of("2021-01-01", "2021-01-02")
    with pytest.raises(PipeError, match=r"to draw the events of m.crossings over .* Name datasets"):
        draw_interval(store, ["m.crossings"], other_day, tmp_path / "it.png")


def cube(dims: dict[str, np.ndarray], f: np.ndarray, **variables) -> xr.Dataset:
    """A particle product whose main variable is f (time, ...)."""
    time = builders.times(f.shape[0], step="30s")
    return xr.Dataset(
        {"f": (("time", *dims), f, {"units": "s m^-4", "long_name": "f"}), **variables},
        {"time": time} | {n: (n, v, {"units": "deg"}) for n, v in dims.items()},
        {"species": "H+", "mass": 1.67262192595e-27, "charge": 1.0},
    )


def test_pitch_angles_are_drawn_from_0_to_180_degrees_where_they_are():
    f = np.full((10, 18, 24), 1e-20)
    f[:, 4] = 1e-16
    angles = {"pitch_angle": 5.0 + 10 * np.arange(18), "energy_bin": np.arange(24)}
    ds = cube(angles, f, energy=("energy_bin", EVEN))
    fig = figure([Panel("p", "PitchAngle", ds)], MINUTES, "SIM")
    ax = axes_of(fig, "p/f")
    assert ax.get_ylim() == (0, 180)
    seen = brightness(pixels(fig, ax)[:, 200])
    rows = np.flatnonzero(seen == seen.max())
    # The first row is the top: 40 to 50 degrees lie between 130/180 and 140/180 from there.
    assert rows.mean() / seen.size == pytest.approx(135 / 180, abs=0.02)


def test_a_reduced_distribution_is_drawn_at_its_velocities():
    f = np.full((10, 40), 1e-3)
    f[:, 30] = 10.0
    ds = cube({"v": -975.0 + 50 * np.arange(40)}, f)
    fig = figure([Panel("r", "Reduced1D", ds)], MINUTES, "SIM")
    ax = axes_of(fig, "r/f")
    assert ax.get_ylim() == (-1000, 1000)
    seen = brightness(pixels(fig, ax)[:, 200])
    rows = np.flatnonzero(seen == seen.max())
    assert rows.mean() / seen.size == pytest.approx((1000 - 525) / 2000, abs=0.02)
