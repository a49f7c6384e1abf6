"""The dashboards in a real browser: on a simulated mission, on real data, on nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sciqlop_pipe import datatypes
from sciqlop_pipe.cli import main
from sciqlop_pipe.dash.report import write_report
from sciqlop_pipe.granule import Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.events import verdicts
from sciqlop_pipe.store.records import Event
from tests import builders
from tests.dash.browser import ARGUMENTS, Watched, chromium, serving, watched
from tests.putting import put

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

PAGES = ("explorer", "events", "distribution", "campaigns")
START = instant(builders.START)
DAY = Interval.of("2020-11-19", "2020-11-20")
#: What a panel of a name says in place of data.
SAID = """name => {
  const all = [...Bokeh.documents[0]._all_models.values()];
  const fig = all.filter(m => m.name === name).at(-1);
  return fig ? fig.center.map(r => typeof r.text === 'string' ? r.text : '').join(' ').trim() : '';
}"""
HOSTILE = "<img src=x onerror=alert(1)>"
ENERGY = np.geomspace(10, 20000, 24)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def user(browser) -> Watched:
    return watched(browser)


def fill(root: Path) -> Path:
    """A store with moments, a spectrum with one bright bin, and events, one with a hostile name."""
    with Store.open(root, create=True, durable=False) as store:
        put(store, "m.moments", builders.moments(builders.times(60)), datatypes.Moments, DAY)
        values = np.full((60, 24), 1e4, np.float32)
        values[40:43, 12] = 1e8
        spectrum = builders.energy_spectrum(builders.times(60), spectrum=values, energy=ENERGY)
        put(store, "m.energy_spectrum", spectrum, datatypes.EnergySpectrum, DAY)
        put(store, "m.vdf", builders.vdf(builders.times(20), energy=ENERGY), datatypes.VDF, DAY)
        # Of another spacecraft, so that a server does not open it before it is asked for.
        put(store, "n.x", builders.scalar_series(builders.times(60)), datatypes.ScalarSeries, DAY)
        events = tuple(
            Event(f"0000000{k}", kind, START + k * 10**11, START + k * 10**11 + 3 * 10**10,
                  (("probability", 0.5 + k / 10),))
            for k, kind in enumerate(("shock", "shock", HOSTILE))
        )  # fmt: skip
        put(store, "m.crossings", None, datatypes.Events, DAY, events=events)
    return root


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("dash") / "store")


@pytest.fixture(scope="module")
def server(filled):
    with serving(filled) as url:
        yield url


def command(*words: str) -> None:
    import sys

    before, sys.argv = sys.argv, ["sciqlop-pipe", *words]
    try:
        main()
    except SystemExit as stopped:
        if stopped.code:
            raise
    finally:
        sys.argv = before


@pytest.mark.parametrize("kind", ["demo", "mms", "empty"])
def test_every_page_opens_without_an_error_or_a_request_to_elsewhere(kind, user, tmp_path, request):
    store = tmp_path / "store"
    if kind == "empty":
        Store.open(store, create=True).close()
    elif kind == "demo":
        from sciqlop_missions.sim.demo import process
        from sciqlop_missions.sim.simulate import simulate

        hour = Interval.of("2030-01-01", "2030-01-01T00:10")
        simulate(tmp_path / "archive", hour)
        with Store.open(store, create=True, durable=False) as opened:
            process(opened, tmp_path / "archive", hour, 0)
    else:
        data = str(request.getfixturevalue("shared_data") / "mms")
        span = ["--start", "2020-11-19T23:34", "--stop", "2020-11-19T23:37"]
        base = "mms1.fpi.dis.brst"
        command("run", f"{base}.vdf", f"{base}.moments", f"{base}.energy_spectrum", *span,
                "--archive", data, "--store", str(store), "--workers", "0")  # fmt: skip
    with serving(store) as url:
        for name in PAGES:
            user.open(f"{url}/{name}")
            if kind == "empty":
                user.says("This store")
            else:
                user.page.wait_for_selector("canvas, .said")
            assert "Traceback" not in user.text()
        if kind == "mms":
            user.open(f"{url}/distribution", until="canvas")
            user.says("density")
    user.fine()


def test_a_session_made_over_its_socket_fetches_nothing_from_elsewhere(server):
    """A browser that comes after its session was given up makes a new one, without a page."""
    import panel.models.layout
    import panel.models.markup
    import panel.models.reactive_html  # noqa: F401
    from bokeh.client import pull_session

    import sciqlop_pipe.dash.app  # noqa: F401

    def pulled() -> str:
        session = pull_session(url=f"{server}/explorer", arguments={"show": "m.moments"})
        try:
            return json.dumps(session.document.to_json(), default=str)
        finally:
            session.close()

    # In a thread of its own: the browser's driver keeps a loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        hosts = re.findall(r"https?://[^\"'/ ]+", pool.submit(pulled).result())
    assert all(h.startswith("http://127.0.0.1") for h in hosts), hosts


def test_a_server_that_goes_away_is_a_sentence_on_the_page(user, filled):
    with serving(filled) as url:
        user.open(f"{url}/explorer?show=m.moments", until="canvas")
        user.page.wait_for_function("window.Bokeh && Bokeh.documents[0].is_idle")
    user.says("connection to the server is lost")


def test_the_bright_bin_is_seen_at_its_time_and_energy(user, server):
    user.open(
        f"{server}/explorer?show=m.energy_spectrum&from=2020-11-19T23:34&to=2020-11-19T23:39",
        until="canvas",
    )
    user.settle()
    found = user.page.evaluate("""() => {
      const fig = Bokeh.documents[0].get_model_by_name('m.energy_spectrum/spectrum');
      const find = views => { for (const v of views) { if (v.model === fig) return v;
        const inner = find(v.child_views || []); if (inner) return inner; } return null; };
      const view = find(Object.values(Bokeh.index).concat([...Bokeh.index]));
      const frame = view.frame, canvas = view.canvas_view.primary;
      const ratio = canvas.pixel_ratio, box = frame.bbox;
      const data = canvas.ctx.getImageData(box.left * ratio, box.top * ratio, box.width * ratio, box.height * ratio);
      let xs = 0, ys = 0, n = 0;
      for (let k = 0; k < data.data.length; k += 4) {
        const [r, g, b] = data.data.slice(k, k + 3);
        if (r > 220 && g > 200 && b < 80) { const at = k / 4; xs += at % data.width; ys += Math.floor(at / data.width); n += 1; }
      }
      const sx = box.left + (xs / n + 0.5) / ratio, sy = box.top + (ys / n + 0.5) / ratio;
      return {n, x: frame.x_scale.invert(sx), y: frame.y_scale.invert(sy)};
    }""")
    assert found["n"] > 20
    bright = builders.times(60)[41].astype("datetime64[ms]").astype(int)
    assert abs(found["x"] - bright) < 1500
    assert 10 ** found["y"] == pytest.approx(ENERGY[12], rel=0.05)
    user.fine()


def test_zooming_by_key_reads_again_and_is_in_the_address(user, server):
    user.open(
        f"{server}/explorer?show=m.moments&from=2020-11-19T23:34&to=2020-11-19T23:39",
        until="canvas",
    )
    user.page.wait_for_function("location.search.includes('23:34')")
    user.page.keyboard.press("+")
    user.page.wait_for_function("location.search.includes('from=2020-11-19T23:35:15')")
    user.page.keyboard.press("ArrowRight")
    user.page.wait_for_function("!location.search.includes('from=2020-11-19T23:35:15')")
    user.fine()


def test_what_is_ticked_in_the_tree_is_shown_and_searched_by_words(user, server):
    user.open(f"{server}/explorer?show=m.moments", until="canvas")
    user.page.keyboard.press("/")
    user.page.keyboard.type("spectrum")
    user.says("1 of ")
    user.page.check("input[value='m.energy_spectrum']")
    user.page.wait_for_function("location.search.includes('m.energy_spectrum')")
    user.fine()


def test_a_hostile_address_is_a_sentence_and_runs_nothing(user, server):
    user.page.on("dialog", lambda d: user.complaints.append("a script ran"))
    for query in (
        f"show={HOSTILE}",
        "from=%3Cscript%3Ealert(1)%3C/script%3E&to=2020-01-01",
        "event=';drop",
    ):
        for name in PAGES:
            user.open(f"{server}/{name}?{query}")
            user.says("of the address" if "event" not in query else "the address names")
    user.open(f"{server}/explorer?show=m.never&from=2020-11-19&to=2020-11-20")
    user.page.wait_for_selector("canvas")
    user.fine()


def test_two_users_judge_one_event_and_both_verdicts_reach_the_registry(browser, server, filled):
    ana, ben = watched(browser), watched(browser)
    for who in (ana, ben):
        who.page.on("dialog", lambda d, who=who: who.complaints.append("a script ran"))
        who.open(f"{server}/events?events=m.crossings&event=00000000", until="canvas")
        who.says(HOSTILE)
    for who, name, button in ((ana, "ana", "Accept (a)"), (ben, "ben", "Reject (r)")):
        who.page.get_by_label("Author").fill(name)
        who.page.get_by_label("Author").press("Tab")
        who.page.click(f"text={button}")
        who.says(f"by {name} is kept")
    assert "Meanwhile ana said accept" in ben.text()
    ana.says("disputed")
    with Store.open(filled, read_only=True) as store:
        said = verdicts(store.registry.db, "m.crossings")[0]["00000000"]
    assert [(v.author, v.verdict) for v in said] == [("ana", "accept"), ("ben", "reject")]
    ana.fine()
    ben.fine()


def test_a_click_moves_the_marker_and_the_planes_follow(user, server):
    user.open(f"{server}/distribution?show=m.vdf", until="canvas")
    user.says("density")
    user.settle()
    before = user.page.evaluate("location.search")
    box = user.page.locator("canvas").first.bounding_box()
    user.page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    user.page.wait_for_function(f"location.search !== {before!r}")
    before = user.page.evaluate("location.search")
    user.page.click("text=(j) ▶")
    user.page.wait_for_function(f"location.search !== {before!r}")
    user.fine()


def frame_of(user: Watched, name: str) -> dict:
    """Where the data area of a panel lies on the page, and how its axis of time maps to it."""
    return user.page.evaluate(
        """name => {
      const find = views => { for (const v of views) { if (v.model && v.model.name === name) return v;
        const inner = find(v.child_views || []); if (inner) return inner; } return null; };
      const view = find([...Bokeh.index]);
      const box = view.canvas_view.el.getBoundingClientRect(), frame = view.frame.bbox;
      const range = view.model.x_range;
      return {x: box.left + frame.left, y: box.top + frame.top, width: frame.width, height: frame.height,
              start: range.start, end: range.end};
    }""",
        name,
    )


def drag(user: Watched, name: str, start: float, stop: float, up: float = 0.5) -> dict:
    """Drag with the mouse from one part of a panel's width to another; return its frame before."""
    at = frame_of(user, name)
    y = at["y"] + up * at["height"]
    user.page.mouse.move(at["x"] + start * at["width"], y)
    user.page.mouse.down()
    for k in range(1, 6):
        user.page.mouse.move(at["x"] + (start + (stop - start) * k / 5) * at["width"], y)
    user.page.mouse.up()
    return at


def at_of(when: float, frame: dict) -> float:
    """Which part of a panel's width a time [ms] is at."""
    return (when - frame["start"]) / (frame["end"] - frame["start"])


RANGE = "(() => { const m = [...Bokeh.documents[0]._all_models.values()].find(m => m.name === %r); return [m.x_range.start, m.x_range.end]; })()"
BOX = "(() => { const m = [...Bokeh.documents[0]._all_models.values()].find(m => m.type === 'BoxAnnotation' && m.editable); return [m.left, m.right]; })()"
PLANES = """(() => {
  const views = []; const walk = vs => { for (const v of vs) { views.push(v); walk(v.child_views || []); } };
  walk([...Bokeh.index]);
  const shown = views.filter(v => v.frame && v.model.x_range && (v.model.xaxis || [v.model.below[0]])[0]?.axis_label?.startsWith?.('v')
    && v.model.renderers.some(r => r.glyph && r.glyph.type === 'Image'));
  return shown.map(v => [v.model.x_range.start, v.model.x_range.end, v.frame.bbox.width / v.frame.bbox.height]);
})()"""
LINE = "[...Bokeh.documents[0]._all_models.values()].find(m => m.type === 'Span' && m.editable).location"


def test_the_mouse_pans_turns_the_wheel_and_zooms_into_a_box(user, server):
    span = "from=2020-11-19T23:34&to=2020-11-19T23:39"
    user.open(f"{server}/explorer?show=m.moments,m.energy_spectrum&{span}", until="canvas")
    user.settle()
    panel = "m.energy_spectrum/spectrum"
    before = drag(user, panel, 0.6, 0.4)
    moved = f"(r => r[0] > {before['start']} + 0.18 * {before['end'] - before['start']})"
    user.page.wait_for_function(f"{moved}({RANGE % panel})")
    start, end = user.page.evaluate(RANGE % panel)
    width = before["end"] - before["start"]
    assert end - start == pytest.approx(width, rel=1e-6)
    assert (start - before["start"]) / width == pytest.approx(0.2, abs=0.02)
    user.page.wait_for_function("location.search.includes('from=2020-11-19T23:35:00')"
                                " || location.search.includes('from=2020-11-19T23:34:5')"
                                " || location.search.includes('from=2020-11-19T23:35:0')")  # fmt: skip
    user.settle()
    before = frame_of(user, panel)
    user.page.mouse.move(before["x"] + before["width"] / 2, before["y"] + before["height"] / 2)
    user.page.mouse.wheel(0, -240)
    user.page.wait_for_function(f"(r => r[1] - r[0] < {0.95 * width})({RANGE % panel})")
    user.page.locator("[title^='Box Zoom'], .bk-tool-icon-box-zoom").first.click()
    before = drag(user, panel, 0.25, 0.75)
    user.page.wait_for_function(
        f"(r => r[1] - r[0] < {0.6 * (before['end'] - before['start'])})({RANGE % panel})"
    )
    start, end = user.page.evaluate(RANGE % panel)
    assert at_of(start, before) == pytest.approx(0.25, abs=0.02)
    assert at_of(end, before) == pytest.approx(0.75, abs=0.02)
    user.fine()


def test_the_mouse_drags_the_edge_of_an_event_and_its_box_and_that_is_kept(user, tmp_path):
    store = fill(tmp_path / "store")
    with serving(store) as url:
        user.open(f"{url}/events?events=m.crossings&event=00000001", until="canvas")
        user.says("Reject (r)")
        user.settle()
        panel = user.page.evaluate(
            "[...Bokeh.documents[0]._all_models.values()].filter(m => m.name && m.name.startsWith('m.'))[0].name"
        )
        left, right = user.page.evaluate(BOX)
        at = frame_of(user, panel)
        drag(user, panel, at_of(right, at), at_of(right, at) + 0.1)
        user.page.wait_for_function(f"({BOX})[1] > {right + 1000}")
        assert user.page.evaluate(BOX)[0] == pytest.approx(left, abs=1)
        left, right = user.page.evaluate(BOX)
        drag(user, panel, at_of((left + right) / 2, at), at_of((left + right) / 2, at) - 0.05)
        user.page.wait_for_function(f"({BOX})[0] < {left - 1000}")
        moved = user.page.evaluate(BOX)
        assert moved[1] - moved[0] == pytest.approx(right - left, rel=0.01)
        user.page.get_by_label("Author").fill("ana")
        user.page.get_by_label("Author").press("Tab")
        user.page.click("text=Save moved edges (m)")
        user.says("moved by ana is kept")
    with Store.open(store, read_only=True) as opened:
        (said,) = verdicts(opened.registry.db, "m.crossings")[0]["00000001"]
    assert said.verdict == "moved"
    assert (said.start, said.stop) == pytest.approx([1e6 * m for m in moved], abs=1e6)
    user.fine()


def test_the_mouse_drags_the_marker_and_the_planes_are_those_of_its_new_time(user, server):
    user.open(f"{server}/distribution?show=m.vdf", until="canvas")
    user.says("density")
    user.settle()
    panel = user.page.evaluate(
        "[...Bokeh.documents[0]._all_models.values()].filter(m => m.name && m.name.startsWith('m.'))[0].name"
    )
    at, line = frame_of(user, panel), user.page.evaluate(LINE)
    drag(user, panel, at_of(line, at), at_of(line, at) + 0.25)
    user.page.wait_for_function(f"{LINE} > {line + 1000}")
    now = user.page.evaluate(LINE)
    assert at_of(now, at) - at_of(line, at) == pytest.approx(0.25, abs=0.03)
    times = builders.times(20).astype("datetime64[ns]").astype(int)
    nearest = str(np.datetime64(int(times[np.argmin(np.abs(times - now * 1e6))]), "ns"))[11:19]
    user.says(nearest)
    assert user.page.evaluate(PLANES) == [[-1000, 1000, 1.0]] * 3
    user.fine()


def test_what_vanishes_while_it_is_shown_is_a_sentence_and_elsewhere_nobody_writes(user, tmp_path):
    store = fill(tmp_path / "store")
    span = "from=2020-11-19T23:34&to=2020-11-19T23:39"
    with serving(store, "--read-only") as url:
        user.open(f"{url}/events", until="canvas")
        user.says("does not write")
        assert "Accept" not in user.text()
        user.open(f"{url}/explorer?show=m.energy_spectrum&{span}", until="canvas")
        shutil.rmtree(store / "data" / "n.x")
        user.page.check("input[value='n.x']")
        user.page.wait_for_function(f"({SAID})('n.x/').includes('does not read')")
        assert user.page.evaluate(f"({SAID})('m.energy_spectrum/spectrum')") == ""
        shutil.rmtree(store)
        user.page.keyboard.press("+")
        user.says("store is gone", "no store here")
        user.open(f"{url}/events")
        user.says("no store")
    user.fine()


def test_who_is_logged_in_is_the_author_and_the_login_asks_nobody_else(user, tmp_path):
    store = fill(tmp_path / "store")
    (tmp_path / "users.json").write_text('{"ana": "word"}')
    with serving(store, "--login", str(tmp_path / "users.json")) as url:
        user.open(f"{url}/events?events=m.crossings&event=00000001", until="input[name=password]")
        user.page.fill("input[name=username]", "ana")
        user.page.fill("input[name=password]", "wrong")
        user.page.keyboard.press("Enter")
        user.page.wait_for_selector("text=nvalid")
        user.page.fill("input[name=username]", "ana")
        user.page.fill("input[name=password]", "word")
        user.page.keyboard.press("Enter")
        user.page.wait_for_selector("canvas")
        user.says("Reject (r)")
        assert user.page.url.endswith("/events?events=m.crossings&event=00000001")
        user.settle()
        user.page.keyboard.press("r")
        user.says("reject by ana is kept")
    with Store.open(store, read_only=True) as opened:
        (said,) = verdicts(opened.registry.db, "m.crossings")[0]["00000001"]
    assert (said.author, said.verdict) == ("ana", "reject")
    user.fine()


def test_a_token_is_given_once_and_never_stays_in_the_address(browser, tmp_path):
    store = fill(tmp_path / "store")
    stranger, friend = watched(browser), watched(browser)
    with serving(store, SCIQLOP_PIPE_DASH_TOKEN="word") as url:
        page = f"{url}/events?events=m.crossings&event=00000001"
        stranger.open(page, until="canvas")
        stranger.page.get_by_label("Author").fill("eve")
        stranger.page.get_by_label("Author").press("Tab")
        stranger.page.click("text=Accept (a)")
        stranger.says("needs the token")
        friend.open(f"{page}&token=word", until="canvas")
        friend.page.wait_for_function("!location.search.includes('token')")
        friend.open(page, until="canvas")
        friend.page.get_by_label("Author").fill("ana")
        friend.page.get_by_label("Author").press("Tab")
        friend.page.click("text=Accept (a)")
        friend.says("accept by ana is kept")
    with Store.open(store, read_only=True) as opened:
        (said,) = verdicts(opened.registry.db, "m.crossings")[0]["00000001"]
    assert said.author == "ana"
    friend.fine()
    stranger.fine()


def test_a_store_on_a_read_only_disk_is_shown_and_says_so(user, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], check=False, capture_output=True)
    if made.returncode:
        pytest.skip("a disk cannot be mounted here: that needs root")
    try:
        fill(disk / "store")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with serving(disk / "store") as url:
            for name in PAGES[::-1]:
                user.open(f"{url}/{name}", until="canvas")
            user.open(f"{url}/events", until="canvas")
            user.says("This store is read-only: verdicts cannot be kept in it.")
            assert "Accept (a)" not in user.text()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
    user.fine()


def test_broken_granules_and_ranges_without_data_are_sentences_beside_what_is_whole(user, tmp_path):
    store = fill(tmp_path / "store")
    for name in ("m.moments", "m.vdf"):
        for file in (store / "data" / name).rglob("*.zip"):
            whole = file.read_bytes()
            file.write_bytes(whole[: len(whole) // 2])
    span = "from=2020-11-19T23:34&to=2020-11-19T23:39"
    with serving(store) as url:
        user.open(f"{url}/explorer?show=m.moments,m.energy_spectrum&{span}", until="canvas")
        user.page.wait_for_function(f"({SAID})('m.moments/').length > 20")
        assert user.page.evaluate(f"({SAID})('m.energy_spectrum/spectrum')") == ""
        assert "Error" not in user.page.evaluate(f"({SAID})('m.moments/')")
        user.open(f"{url}/distribution?show=m.vdf")
        user.says("m.vdf", "does not read")
        user.open(f"{url}/explorer?show=m.energy_spectrum&from=1999-01-01&to=1999-01-02",
                  until="canvas")  # fmt: skip
        user.page.wait_for_function(
            f"({SAID})('m.energy_spectrum/').includes('no data in this interval')"
        )
    user.fine()


def test_a_saved_report_asks_nobody_for_anything(user, filled, tmp_path):
    with Store.open(filled, read_only=True) as store:
        write_report(store, Graph.of([]), tmp_path / "it.html", catalog="m.crossings", pictures=1)
    user.page.on("dialog", lambda d: user.complaints.append("a script ran"))
    user.open((tmp_path / "it.html").as_uri(), until="img")
    assert user.page.evaluate("document.images[0].naturalWidth") > 300
    user.fine()
