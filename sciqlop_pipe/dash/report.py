"""Reports: a catalog, a campaign or a store as one HTML file that needs nothing beside itself."""

from __future__ import annotations

import base64
import io
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..campaign.status import status_of
from ..catalog import Catalog, load_catalog
from ..errors import PipeError, UsageError, near
from ..granule import Interval, instant
from ..graph import Graph
from ..publish.citing import citation, software, text
from ..publish.quicklook import draw_event, draw_interval
from ..publish.whole import replacing
from ..standard import is_overview
from ..store import Store
from ..store.events import event_datasets
from ..store.staging import stages
from .health import STATES, coverage
from .judging import frame_of
from .statistics import durations, rates, scores
from .tables import FAILED, difference_table, failure_rows, status_table
from .words import safe, sentence, size, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ROWS = 2000

_STYLE = """
body { font: 14px system-ui, 'Helvetica Neue', Arial, sans-serif; color: #1a1a1a; margin: 2em auto;
       max-width: 1180px; padding: 0 1em; }
h1 { font-size: 22px; } h2 { font-size: 17px; margin-top: 1.6em; } figure { margin: 1em 0; }
img { max-width: 100%; height: auto; } figcaption { color: #555; }
table.plain { border-collapse: collapse; font-size: 12.5px; display: block; overflow-x: auto; }
table.plain th, table.plain td { text-align: left; border-bottom: 1px solid #ddd;
       padding: 2px 12px 2px 0; vertical-align: top; }
.said { border-left: 4px solid #e69f00; background: #fff7e6; padding: 6px 10px; margin: 4px 0; }
pre { background: #f5f5f5; padding: 8px; white-space: pre-wrap; font-size: 12px; }
"""


def write_report(
    store: Store,
    graph: Graph,
    output: Path,
    *,
    catalog: str = "",
    campaign: str = "",
    interval: Interval | None = None,
    pictures: int = 8,
) -> None:
    """Write a report to an HTML file; either all of it is there or nothing.

    Parameters
    ----------
    store, graph : Store, Graph
        What is, and what is declared.
    output : Path
        The file, replaced when it exists.
    catalog, campaign : str
        What it is on; the store as a whole where both are empty.
    interval : Interval, optional
        Only events and granules in it.
    pictures : int
        Events or stretches that are drawn.

    Raises
    ------
    UnknownName, UsageError
        When there is no such catalog or campaign, or the file is not to be HTML.
    """
    if output.suffix.lower() not in (".html", ".htm"):
        raise UsageError("a report is an HTML file", str(output), "Give a name ending in .html")
    if catalog and campaign:
        raise UsageError("a report is on a catalog or on a campaign", todo="Name one of them")
    if catalog:
        title, parts = f"Events: {catalog}", _events(store, graph, catalog, interval, pictures)
    elif campaign:
        title, parts = f"Campaign {campaign}", _campaign(store, graph, campaign, interval, pictures)
    else:
        title, parts = f"Store {store.root.name}", _store(store, graph, interval, pictures)
    made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    page = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{safe(title)}</title>"
        f"<style>{_STYLE}</style></head><body><h1>{safe(title)}</h1>"
        f"<p>Made {made} by {safe(software())} from {safe(store.root)}.</p>"
        f"{''.join(parts)}</body></html>"
    )
    with replacing(output, "report") as part:
        part.write_text(page, encoding="utf-8")


# -- parts -----------------------------------------------------------------------------------


def _events(
    store: Store, graph: Graph, name: str, interval: Interval | None, pictures: int
) -> list[str]:
    known = event_datasets(store.registry.db)
    if name not in known:
        hint = near(name, known) or f"There are: {', '.join(known) or 'none'}"
        raise UsageError(f"there is no catalog '{name}'", str(store.root), hint)
    catalog = load_catalog(store, name, interval)
    rows = [(k, f"{v:.3g}") for k, v in scores(catalog).items()]
    parts = [_h("What people said"), table(rows)]
    if catalog.events:
        parts += [_h("When, and for how long"), _figure(_event_charts(catalog), "")]
    frame = frame_of(catalog)
    drawn = [i for i in frame["id"] if any(e.id == i for e in catalog.events)][:pictures]
    if drawn:
        parts.append(_h("Those most worth a look"))
    for id_ in drawn:
        parts.append(_drawn(lambda file, id_=id_: draw_event(store, id_, file), f"event {id_}"))
    shown = frame.head(MOST_ROWS).drop(columns=["worth"])
    shown = shown.sort_values("start").fillna("")
    parts += [_h(f"All {len(frame)} events"), table(shown.values.tolist(), list(shown.columns))]
    if len(frame) > MOST_ROWS:
        parts.append(f"<p>The {MOST_ROWS} most worth a look; 'catalog export' writes all.</p>")
    return parts + _cited(store, graph, [name], interval)


def _campaign(
    store: Store, graph: Graph, name: str, interval: Interval | None, pictures: int
) -> list[str]:
    status = status_of(store, name)
    parts = [status_table(status), _failures(store)]
    if name in stages(store.registry):
        parts += [_h("Against what is current"), difference_table(store, name)]
    names = [n for n in status.rows if n in store.registry.datasets()]
    return parts + _held(store, graph, names, interval, pictures)


def _store(store: Store, graph: Graph, interval: Interval | None, pictures: int) -> list[str]:
    names = [n for n in store.registry.datasets() if not is_overview(n)]
    if not names:
        return ["<p class='said'>This store is empty.</p>"]
    return [_failures(store), *_held(store, graph, names, interval, pictures)]


def _held(
    store: Store, graph: Graph, names: Sequence[str], interval: Interval | None, pictures: int
) -> list[str]:
    rows = [r for r in store.registry.summary() if r["dataset"] in names]
    cells = [
        (r["dataset"], r["granules"], r["empty"], f"{r['records']:,}", size(r["bytes"]), r["start"],
         r["stop"])
        for r in rows
    ]  # fmt: skip
    head = ("dataset", "granules", "empty", "records", "size", "from", "to")
    parts = [_h("What there is"), table(cells, head)]
    ends = [(instant(r["start"]), instant(r["stop"])) for r in rows if r["start"]]
    if ends:
        whole = interval or Interval(min(a for a, _ in ends), max(b for _, b in ends) + 1)
        parts.append(_figure(_coverage_chart(store, graph, names, whole), "coverage"))
    there = [r for r in rows if r["start"] and (interval is None or _touches(r, interval))]
    for row in there[:pictures]:
        stop = instant(row["stop"]) + 1
        span = interval or Interval(max(instant(row["start"]), stop - 86_400 * 10**9), stop)
        name = row["dataset"]
        parts.append(_drawn(lambda file, n=name, s=span: draw_interval(store, [n], s, file), name))
    return parts + _cited(store, graph, names, interval)


def _touches(row: Mapping[str, str], interval: Interval) -> bool:
    return instant(row["start"]) < interval.stop and instant(row["stop"]) >= interval.start


def _failures(store: Store) -> str:
    rows = failure_rows(store)
    if not rows:
        return "<p>Nothing failed that was not made since.</p>"
    return _h(f"{len(rows)} granules failed") + table(rows[:MOST_ROWS], FAILED)


def _cited(
    store: Store, graph: Graph, names: Sequence[str], interval: Interval | None
) -> list[str]:
    declared = [n for n in names if n in graph.nodes]
    if not declared:
        return []
    words = text(citation(graph, declared, store, interval))
    return [_h("What to cite"), f"<pre>{safe(words)}</pre>"]


def _h(words: str) -> str:
    return f"<h2>{safe(words)}</h2>"


# -- pictures --------------------------------------------------------------------------------


def _drawn(draw: object, words: str) -> str:
    """Return a picture that a quicklook draws, or the sentence that says why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "it.png"
        try:
            draw(file)  # type: ignore[operator]
        except PipeError as error:
            return f"<p class='said'>{safe(words)}: {safe(sentence(error))}</p>"
        return _image(file.read_bytes(), words)


def _image(png: bytes, words: str) -> str:
    data = base64.b64encode(png).decode()
    return (f"<figure><img alt='{safe(words)}' src='data:image/png;base64,{data}'>"
            f"<figcaption>{safe(words)}</figcaption></figure>")  # fmt: skip


def _figure(figure: Figure, words: str) -> str:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=100, bbox_inches="tight")
    return _image(out.getvalue(), words)


def _event_charts(catalog: Catalog) -> Figure:
    from matplotlib.figure import Figure

    fig = Figure(figsize=(11, 2.8))
    when, long = fig.subplots(1, 2)
    for kind, mine in rates(catalog.events).groupby("kind"):
        when.step(mine["time"], mine["events"], where="mid", label=str(kind).replace("$", ""))
    when.set_ylabel("events")
    when.legend(frameon=False, fontsize=8)
    when.tick_params("x", rotation=20)
    seconds = durations(catalog.events)["seconds"]
    if len(seconds):
        long.hist(seconds, bins=30, color="#0072b2")
    long.set_xlabel("duration [s]")
    return fig


def _coverage_chart(store: Store, graph: Graph, names: Sequence[str], interval: Interval) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    cells = coverage(store, graph, names, interval)
    rows = {n: k for k, n in enumerate(dict.fromkeys(c.dataset for c in cells))}
    fig = Figure(figsize=(11, 0.6 + 0.24 * max(len(rows), 1)))
    ax = fig.subplots()
    for c in cells:
        left, right = (clock64(t) for t in (c.start, max(c.stop, c.start + 1)))
        ax.barh(rows[c.dataset], right - left, left=left, height=0.8, color=STATES[c.state])
    ax.set_xlim(*(clock64(t) for t in (interval.start, interval.stop)))
    ax.set_yticks(list(rows.values()), list(rows), fontsize=8)
    ax.invert_yaxis()
    ax.legend(handles=[Patch(color=v, label=k) for k, v in STATES.items()], ncols=5, fontsize=8,
              frameon=False, loc="lower left", bbox_to_anchor=(0, 1))  # fmt: skip
    return fig


def clock64(when: int) -> Any:
    """Return a time as matplotlib takes it, ns since 1970 UTC."""
    import numpy as np

    return np.datetime64(when, "ns")
