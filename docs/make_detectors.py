"""Make docs/detectors.md and its pictures: `python docs/make_detectors.py`.

The table is made from the detectors and the graph. The pictures need the folder of mission files
beside the repository (SCIQLOP_PIPE_TEST_DATA names another one), and stay as they are without.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from sciqlop_missions.mms.plasma import moments_gse  # noqa: E402
from sciqlop_pipe.detect.detectors import NEAR_EARTH, SOLAR_WIND  # noqa: E402
from sciqlop_pipe.detect.jets import magnetosheath_jets  # noqa: E402
from sciqlop_pipe.detect.shocks import interplanetary_shocks  # noqa: E402
from sciqlop_pipe.detect.tail import dipolarization_fronts  # noqa: E402
from sciqlop_pipe.granule import Interval  # noqa: E402
from sciqlop_pipe.graph import Graph  # noqa: E402
from sciqlop_pipe.sources.cdf import open_cdf  # noqa: E402
from sciqlop_pipe.store.records import Event  # noqa: E402
from tests.detect import shock_series, test_tail  # noqa: E402
from tests.fields import moments  # noqa: E402

PAGE, PICTURES = DOCS / "detectors.md", DOCS / "images" / "detectors"
EVERY = tuple(dict.fromkeys((*NEAR_EARTH, *SOLAR_WIND)))
MMS = "mms/fast_20151017/mms1_fpi_fast_l2_dis-moms_20151017040000_v3.4.0.cdf"

Panel = tuple[str, Sequence[tuple[str, Any, Any]]]

HEAD = """# Detectors by rule

Each is a recipe of events (`docs/reference.md` has its definition, paper, attributes and
thresholds; those that no text at hand confirms say so). It is declared wherever a mission has
what it needs. Made by

    python docs/make_detectors.py

"""

TAIL = """
Every event has `time`, `uncertainty` [s], `score`, `flags`, `absent`, `detector` and `model`,
and medians and jumps of n, V, T and |B|. A score is 1 - 2^-m of the weakest criterion's ratio m
to its threshold: 0.5 at the threshold, no probability. `sciqlop-pipe explain NAME --at TIME`
names the granules and files that an event was made from. What of made events is found, and how
fast, is in `benchmarks/RESULTS.md` (`python -m benchmarks.detectors`).

## A magnetosheath jet

MMS1, 2015-10-17, the archive's fast ion moments. The solar wind is **made** (4 cm^-3, 380
km/s): no OMNI of that day was at hand.

![Dynamic pressure, velocity and density of MMS1 with a jet marked](images/detectors/jet.png)

## An interplanetary shock

**Made** by the Rankine-Hugoniot relations (Alfven Mach number 3, theta_Bn 60 deg), with
turbulence of a tenth of the field; no real shock was at hand.

![Field, density, speed and temperature through a made shock](images/detectors/shock.png)

## A dipolarization front

**Made**: a rise of 10 nT in 4 s with a flow of 500 km/s behind it.

![Field and flow of a made dipolarization front](images/detectors/front.png)
"""


def table() -> str:
    """Return a row per detector: what it finds, needs, loses, and for whom it is declared."""
    bound: dict[str, set[str]] = {}
    for mission in Graph.discover().missions:
        for d in mission.datasets:
            if d.recipe is not None and d.gives.in_sql:
                bound.setdefault(d.recipe.name, set()).add(mission.name)
    lines = ["| detector | finds | needs | without | missions |", "|---|---|---|---|---|"]
    for recipe in EVERY:
        needs = ", ".join(f"{i.name} ({i.datatype.name})" for i in recipe.takes if i.required)
        lost = "; ".join(f"{i.name}: {i.without}" for i in recipe.takes if i.without)
        missions = ", ".join(sorted(bound.get(recipe.name, ())))
        lines.append(f"| `{recipe.name}` | {recipe.summary} | {needs} | {lost} | {missions} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the whole page."""
    return HEAD + table() + TAIL


def draw(name: str, panels: Sequence[Panel], events: Sequence[Event], title: str) -> None:
    """Draw panels of lines (label, time, values), with events shaded and their times marked."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.dates as dates
    import matplotlib.pyplot as plt

    colours = ["#0072B2", "#D55E00", "#009E73", "#000000"]
    figure, axes = plt.subplots(len(panels), 1, figsize=(8, 1.7 * len(panels)), sharex=True,
                                layout="constrained")  # fmt: skip
    for axis, (words, lines) in zip(axes, panels, strict=True):
        for colour, (label, time, values) in zip(colours, lines, strict=False):
            axis.plot(time, values, color=colour, lw=0.9, label=label)
        if len(lines) > 1:
            axis.legend(loc="upper left", fontsize=7, frameon=False, ncol=4)
        axis.set_ylabel(words, fontsize=8)
        axis.tick_params(labelsize=8)
        for event in events:
            start, stop = (np.datetime64(t, "ns") for t in (event.start, event.stop))
            axis.axvspan(start, stop, color="#E69F00", alpha=0.3, lw=0)
            when = str(dict(event.attributes)["time"]).rstrip("Z")
            axis.axvline(np.datetime64(when, "ns"), color="#444444", lw=0.8, ls="--")
    axes[0].set_title(title, fontsize=9)
    axes[-1].xaxis.set_major_formatter(
        dates.ConciseDateFormatter(axes[-1].xaxis.get_major_locator())
    )
    PICTURES.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURES / f"{name}.png", dpi=110)
    plt.close(figure)


def components(b: xr.Dataset) -> tuple[tuple[str, Any, Any], ...]:
    """Return the three components of a field as lines."""
    return tuple((f"B_{c}", b["time"], b["vector"][:, k]) for k, c in enumerate("xyz"))


def jet(data: Path) -> None:
    """Draw the strongest jet of a real morning."""
    with open_cdf(data / MMS) as cdf:
        ions = moments_gse("1", "dis", "fast")(cdf)
    clock = np.arange(np.datetime64("2015-10-17T04:00", "ns"), np.datetime64("2015-10-17T06:00"),
                      np.timedelta64(60, "s"))  # fmt: skip
    wind = moments(4.0, np.tile([-380.0, 0, 0], (clock.size, 1)), 10.0, clock)
    span = Interval.of("2015-10-17T04:56", "2015-10-17T05:10")
    events = magnetosheath_jets(ions, wind, dataset="x", interval=span)
    part = ions.sel(time=slice("2015-10-17T04:58", "2015-10-17T05:09"))
    t, n, v = part["time"], part["density"].values, part["velocity"].values
    pressure = 1.6726e-6 * n * v[:, 0] ** 2
    half = np.full(t.size, 0.5 * 1.6726e-6 * 4.0 * 380**2)
    draw("jet", (
        ("n m V_x^2 [nPa]", (("magnetosheath", t, pressure), ("half of the wind", t, half))),
        ("V [km/s]", tuple((f"V_{c}", t, v[:, k]) for k, c in enumerate("xyz"))),
        ("n [cm^-3]", (("n", t, n),)),
    ), events, "MMS1 fast ion moments, 2015-10-17: magnetosheath_jets")  # fmt: skip


def shock() -> None:
    """Draw a made shock."""
    states, _, _ = shock_series.sides(3.0, 60.0, 0.8, True, 3)
    ions, b = shock_series.wind([(7200.0, shock_series.order(states, True))], noise=0.1)
    span = Interval.of("2020-01-01T12:00", "2020-01-01T16:00")
    events = interplanetary_shocks(ions, b, dataset="x", interval=span)
    cut = slice("2020-01-01T13:35", "2020-01-01T14:25")
    ions, b = ions.sel(time=cut), b.sel(time=cut)
    size = np.linalg.norm(b["vector"], axis=1)
    a = dict(events[0].attributes)
    draw("shock", (
        ("B [nT]", (*components(b), ("|B|", b["time"], size))),
        ("n [cm^-3]", (("n", ions["time"], ions["density"]),)),
        ("V [km/s]", (("V", ions["time"], np.linalg.norm(ions["velocity"], axis=1)),)),
        ("T [eV]", (("T", ions["time"], ions["temperature"]),)),
    ), events, f"made shock: M_A = 3, theta_Bn = 60; found {a['alfven_mach']:.2f}, "
       f"{a['theta_bn']:.0f}: interplanetary_shocks")  # fmt: skip


def front() -> None:
    """Draw a made front."""
    b, ions = test_tail.field(), test_tail.ions()
    events = dipolarization_fronts(b, ions, dataset="x", interval=test_tail.SPAN)
    cut = slice("2020-01-01T12:13", "2020-01-01T12:18")
    b, ions = b.sel(time=cut), ions.sel(time=cut)
    a = dict(events[0].attributes)
    draw("front", (
        ("B [nT], GSM", components(b)),
        ("V_x [km/s]", (("V_x", ions["time"], ions["velocity"][:, 0]),)),
    ), events, f"made front of 10 nT in 4 s; fitted {a['amplitude']:.1f} nT in "
       f"{a['duration']:.1f} s: dipolarization_fronts")  # fmt: skip


def main() -> None:
    """Draw what can be drawn, and write the page."""
    data = Path(os.environ.get("SCIQLOP_PIPE_TEST_DATA", DOCS.parent.parent / "shared" / "data"))
    shock()
    front()
    if (data / MMS).exists():
        jet(data)
    PAGE.write_text(page())
    print(f"{len(EVERY)} detectors: {PAGE}")


if __name__ == "__main__":
    main()
