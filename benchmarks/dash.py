"""How fast the dashboards answer: `python -m benchmarks.dash [--users 20] [--no-browser]`.

A month of energy spectra every 4.5 s with overviews, and distributions of the size of FPI, made
here. Frames are timed in this process (least and median of repeats); first paint and zoom in a real
browser against a real server of its own, which is also asked by many users at once.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sciqlop_pipe import datatypes
from sciqlop_pipe.dash.desk import Desk, load
from sciqlop_pipe.dash.looking import Beside, seen, session
from sciqlop_pipe.dash.state import View
from sciqlop_pipe.granule import DAY, HOUR, MINUTE, Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.recipes.overview import coarser_overview, overview
from sciqlop_pipe.store import Store
from tests import builders
from tests.putting import put

MONTH = Interval.of("2020-11-01", "2020-12-01")
NAMES = ("m.energy_spectrum",)
ENERGY = np.geomspace(10, 30000, 32)


def fill(root: Path) -> None:
    """Write a month of spectra with overviews, and 400 distributions of 32 x 16 x 32 bins."""
    rng = np.random.default_rng(1)
    with Store.open(root, create=True, durable=False) as store:
        minutes = []
        for day in range(30):
            start = MONTH.start + day * DAY
            time_ = builders.times(19_200, str(np.datetime64(start, "ns")), step="4500ms")
            values = rng.lognormal(12, 2, (19_200, 32)).astype(np.float32)
            ds = builders.energy_spectrum(time_, spectrum=values, energy=ENERGY)
            span = Interval(start, start + DAY)
            put(store, NAMES[0], ds, datatypes.EnergySpectrum, span)
            minutes.append(overview(ds))
            put(store, f"{NAMES[0]}.overview_1min", minutes[-1], datatypes.Overview, span)
        import xarray as xr

        hours = coarser_overview(xr.concat(minutes, "time", data_vars="minimal"))
        put(store, f"{NAMES[0]}.overview_1h", hours, datatypes.Overview, MONTH)
        f = rng.lognormal(-30, 1, (400, 32, 16, 32)).astype(np.float32)
        vdf = builders.vdf(
            builders.times(400, step="150ms"), f=f, energy=ENERGY, phis=32, thetas=16
        )
        put(store, "m.vdf", vdf, datatypes.VDF, Interval.of("2020-11-19", "2020-11-20"))


def timed(words: str, made: Callable[[], object], repeats: int = 7) -> None:
    """Print the first, least and median time of something [ms]."""
    took = []
    for _ in range(repeats):
        began = time.perf_counter()
        made()
        took.append(1e3 * (time.perf_counter() - began))
    later = took[1:] or took
    print(f"{words:58} first {took[0]:7.0f}  least {min(later):6.0f}  median "
          f"{statistics.median(later):6.0f} ms")  # fmt: skip


def frames(root: Path) -> None:
    """Time frames of the explorer and looks at distributions, without browser."""
    desk = Desk(str(root), "", Graph.of([]))
    noon = MONTH.start + 18 * DAY + 12 * HOUR
    spans = {
        "a month (overview of 1 min)": MONTH,
        "a day (every 4.5 s)": Interval(noon - DAY // 2, noon + DAY // 2),
        "an hour": Interval(noon, noon + HOUR),
        "five minutes": Interval(noon, noon + 5 * MINUTE),
    }
    for words, span in spans.items():
        timed(f"frames of {words}", lambda s=span: load(desk, View(NAMES, s)))
    panned = iter(range(1000))
    timed("pan of a month by a day", lambda: load(desk, View(NAMES, Interval(
        MONTH.start + next(panned) % 5 * DAY, MONTH.stop + DAY))))  # fmt: skip
    start = instant(builders.START)
    kept = session(desk.store(), Beside("m.vdf"), Interval(start, start + MINUTE))
    at = iter(range(1000))
    for sliced, words in ((False, "reduced"), (True, "slices")):
        options = {"sliced": sliced, "axes": "instrument", "bulk": False, "v_max": 1000.0}
        timed(f"three planes and the rest after a marker move ({words})", lambda o=options: seen(
            kept, start + next(at) * 150_000_000, None, o))  # fmt: skip
    datashader_beside(desk, spans["a day (every 4.5 s)"])


def datashader_beside(desk: Desk, span: Interval) -> None:
    """Time our exact means beside Datashader's quadmesh on the same day and pixels."""
    try:
        import datashader
    except ImportError:
        print("datashader is not installed: not compared")
        return
    ds = desk.store().read(NAMES[0], span.start, span.stop).load()
    array = (
        ds["spectrum"].assign_coords(energy_bin=np.log10(ENERGY)).transpose("energy_bin", "time")
    )
    array = array.assign_coords(time=ds["time"].values.astype(np.int64))
    canvas = datashader.Canvas(plot_width=1100, plot_height=150)
    timed("the same day by datashader quadmesh (mean)", lambda: canvas.quadmesh(
        array.rename("z"), x="time", y="energy_bin", agg=datashader.mean("z")).values)  # fmt: skip
    from sciqlop_pipe.dash.frames import frames_of
    from sciqlop_pipe.publish.panels import Panel

    panel = Panel(NAMES[0], "EnergySpectrum", ds)
    timed("the same day by our raster", lambda: frames_of(panel, span))


def resident(pid: int) -> float:
    """Resident memory of a process [MB]."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def seconds(pid: int) -> float:
    """CPU of a process so far [s]."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def browser(root: Path, users: int) -> None:
    """Time first paint, zoom and marker in a browser; then many users at once."""
    from playwright.sync_api import sync_playwright

    from tests.dash.browser import ARGUMENTS, chromium, serving, watched

    month = f"show={NAMES[0]}&from=2020-11-01&to=2020-12-01"
    with serving(root) as url, sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        painted, zoomed, moved = [], [], []
        for _ in range(4):
            user = watched(opened)
            began = time.perf_counter()
            user.open(f"{url}/explorer?{month}", until="canvas")
            user.page.wait_for_function(_PAINTED, timeout=60_000)
            painted.append(time.perf_counter() - began)
            for _ in range(4):
                before = user.page.evaluate("location.search")
                began = time.perf_counter()
                user.page.keyboard.press("+")
                user.page.wait_for_function(f"location.search !== {before!r}", polling=10)
                zoomed.append(time.perf_counter() - began)
            user.page.context.close()
        user = watched(opened)
        user.open(f"{url}/distribution?show=m.vdf", until="canvas")
        user.says("density")
        user.page.wait_for_timeout(2000)
        for _ in range(12):
            moved.append(user.page.evaluate(_MARKER) / 1e3)
            user.page.wait_for_timeout(300)
        print(
            f"first paint of a month: {painted[0]:.2f} s, then {min(painted[1:]):.2f} to "
            f"{max(painted[1:]):.2f} s"
        )
        print(
            f"zoom, key to new address: median {1e3 * statistics.median(zoomed):.0f} ms, "
            f"worst {1e3 * max(zoomed):.0f} ms"
        )
        print(
            f"marker, moved to planes painted: median {1e3 * statistics.median(moved):.0f} ms, "
            f"worst {1e3 * max(moved):.0f} ms"
        )
        user.page.context.close()
        pid = server_of(url)
        before = resident(pid)
        pages = [watched(opened) for _ in range(users)]
        worked = seconds(pid)
        began = time.perf_counter()
        for user in pages:
            user.page.goto(f"{url}/explorer?{month}", wait_until="commit")
        for user in pages:
            user.page.wait_for_selector("canvas", timeout=180_000)
        took, worked = time.perf_counter() - began, seconds(pid) - worked
        for user in pages:
            user.page.keyboard.press("+")
        for user in pages:
            user.page.wait_for_function("location.search.includes('2020-11-08')", timeout=120_000)
        bad = [c for user in pages for c in (*user.complaints, *user.outside)]
        for words, count in Counter(bad).most_common(5):
            print(f"   {count} x {words[:200]}")
        print(
            f"{users} users at once: all painted after {took:.1f} s, of which the server worked "
            f"{worked:.1f} s, {len(bad)} errors, "
            f"{(resident(pid) - before) / users:.1f} MB of server memory a user "
            f"({before:.0f} MB before)"
        )
        opened.close()


#: Moves the marker by a record and waits until three planes have other numbers and are painted.
_MARKER = """async () => {
  const all = [...Bokeh.documents[0]._all_models.values()];
  const line = all.find(m => m.type === 'Span' && m.editable);
  const shown = all.filter(m => m.type === 'ColumnDataSource' && m.data.dw);
  const planes = shown.filter(m => Array.from(m.data.dw)[0] === 2000);
  const began = performance.now();
  const changed = Promise.all(planes.map(
    s => new Promise(done => s.properties.data.change.connect(done))));
  line.location = line.location + 150;
  await changed;
  await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)));
  return performance.now() - began;
}"""
_PAINTED = "window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle"


def server_of(url: str) -> int:
    """Return the process that listens at an address."""
    port = int(url.rsplit(":", 1)[1])
    for proc in Path("/proc").iterdir():
        if proc.name.isdigit():
            try:
                words = (proc / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(port).encode() in words and b"dash" in words:
                return int(proc.name)
    raise LookupError(url)


def main() -> None:
    """Run all of it and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--no-browser", action="store_true")
    args = parser.parse_args()
    print(
        f"load of the machine before: {os.getloadavg()[0]:.1f}, {threading.active_count()} threads"
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "store"
        fill(root)
        frames(root)
        if not args.no_browser:
            browser(root, args.users)


if __name__ == "__main__":
    main()
