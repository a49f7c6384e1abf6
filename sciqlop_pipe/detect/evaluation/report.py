"""What an evaluation found, as JSON and as a page that needs nothing else."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...granule import iso
from .matching import Mark

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was scored, on what, and how it did.

    Parameters
    ----------
    detector : str
        Its name, with the hash of its model where it has one.
    about : mapping
        Inputs, catalogs, model, protocol: words and numbers by name.
    points : mapping
        `score_points` of each set of classes.
    events : mapping
        `EventScores.as_numbers` of each catalog or kind.
    notes : tuple of str
        What is to be kept in mind.
    summary : mapping
        The few numbers that goals are about.
    """

    detector: str
    about: Mapping[str, Any] = field(default_factory=dict)
    points: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    events: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)

    def as_numbers(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "format": FORMAT, "detector": self.detector, "summary": dict(self.summary),
            "about": dict(self.about), "points": dict(self.points), "events": dict(self.events),
            "notes": list(self.notes),
        }  # fmt: skip


def write_json(evaluation: Evaluation, path: Path) -> None:
    """Write an evaluation as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(evaluation.as_numbers(), indent=1, allow_nan=False) + "\n")


def event_summary(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the few numbers that goals are about, of `EventScores.as_numbers` by overlap."""
    rules = numbers["rules"]
    found = {f"f1_iou_{k}": rules[f"iou>{k}"]["f1"] for k in ("0", "0.3", "0.5")}
    any_ = rules["iou>0"]
    return found | {"precision": any_["precision"], "recall": any_["recall"],
                    "average_precision": numbers["average_precision"],
                    "ece": numbers["calibration"]["ece"]}  # fmt: skip


def write_marks(path: Path | None, found: Sequence[Mark], kind: str) -> None:
    """Write events as CSV: start, stop, kind, probability; nothing without a path."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["start", "stop", "kind", "probability"])
        writer.writerows([iso(m.start), iso(m.stop), kind, f"{m.probability:.4f}"] for m in found)


def with_interval(value: float | None, interval: Any) -> str:
    """Return a number with its interval, for example "0.71 (0.66 to 0.75)"."""
    if value is None:
        return "-"
    text = f"{value:.3f}"
    return f"{text} ({interval[0]:.3f} to {interval[1]:.3f})" if interval else text


def point_rows(evaluation: Evaluation) -> list[tuple[str, ...]]:
    """Return rows of a table: classes, records, groups, accuracy, macro-F1, calibration error."""
    rows: list[tuple[str, ...]] = []
    for name, s in evaluation.points.items():
        between = s["interval_95"]
        rows.append((
            name, str(s["records"]), str(s["groups"]),
            with_interval(s["accuracy"], between["accuracy"]),
            with_interval(s["macro_f1"], between["macro_f1"]),
            with_interval(s["calibration"]["ece"], between["ece"]),
        ))  # fmt: skip
    return rows


POINT_HEAD = ("classes", "records", "groups", "accuracy", "macro-F1", "calibration error")
EVENT_HEAD = ("events", "rule", "true", "found", "matched", "precision", "recall", "F1",
              "start off", "end off")  # fmt: skip


def event_rows(evaluation: Evaluation) -> list[tuple[str, ...]]:
    """Return rows of a table: one per set of events and rule."""
    rows: list[tuple[str, ...]] = []
    for name, s in evaluation.events.items():
        for rule, r in s["rules"].items():
            between = r["interval_95"]
            rows.append((
                name, rule, str(r["true"]), str(r["found"]), str(r["matched"]),
                *(with_interval(r[k], between[k]) for k in ("precision", "recall", "f1")),
                _seconds(r["start_error_s"]), _seconds(r["stop_error_s"]),
            ))  # fmt: skip
    return rows


def _seconds(x: float | None) -> str:
    if x is None:
        return "-"
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if x >= size:
            return f"{x / size:.1f} {unit}"
    return f"{x:.1f} s"


def write_page(evaluation: Evaluation, path: Path) -> None:
    """Write an evaluation as one HTML file with its tables and pictures.

    Parameters
    ----------
    evaluation : Evaluation
        What is shown.
    path : Path
        The file; pictures are inside.
    """
    parts = [f"<h1>{html.escape(evaluation.detector)}</h1>", _facts(evaluation)]
    if evaluation.points:
        parts += ["<h2>Labels</h2>", _table(POINT_HEAD, point_rows(evaluation))]
        parts += [_figure(_reliability_of_points, evaluation), _figure(_confusions, evaluation)]
    if evaluation.events:
        parts += ["<h2>Events</h2>", _table(EVENT_HEAD, event_rows(evaluation)), _more(evaluation)]
        parts += [_figure(_curves, evaluation), _figure(_by_group, evaluation)]
    if evaluation.notes:
        items = "".join(f"<li>{html.escape(n)}</li>" for n in evaluation.notes)
        parts.append(f"<h2>To be kept in mind</h2><ul>{items}</ul>")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_PAGE.format(title=html.escape(evaluation.detector), body="\n".join(parts)))


def _facts(evaluation: Evaluation) -> str:
    def text(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value)

    rows = [(k, text(v)) for k, v in evaluation.about.items()]
    return _table(("", ""), rows) if rows else ""


def _more(evaluation: Evaluation) -> str:
    rows = []
    for name, s in evaluation.events.items():
        lenient = s["lenient"]
        shown = [lenient["precision"], lenient["recall"], s["false_alarms_per_day"],
                 s["average_precision"], s["calibration"]["ece"]]  # fmt: skip
        rows.append((name, f"{s['days_scored']:.1f}",
                     *("-" if x is None else f"{x:.3f}" for x in shown),
                     *(str(n) for n in s["left_out"].values())))  # fmt: skip
    return _table(
        ("events", "days scored", "lenient precision", "lenient recall", "false alarms a day",
         "average precision", "calibration error", "found, not labelled", "true, not observed"),
        rows,
    )  # fmt: skip


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    top = "".join(f"<th>{html.escape(h)}</th>" for h in head) if any(head) else ""
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(c))}</td>" for c in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{top}</tr>{body}</table>"


def _figure(draw: Any, evaluation: Evaluation) -> str:
    """Return a picture as an HTML element, a sentence where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return "<p>Pictures need matplotlib: pip install 'sciqlop-pipe[plot]'.</p>"
    figure = Figure(layout="constrained", dpi=110)
    if not draw(figure, evaluation):
        return ""
    out = io.BytesIO()
    figure.savefig(out, format="png")
    data = base64.b64encode(out.getvalue()).decode()
    return f'<img alt="{html.escape(draw.__doc__ or "")}" src="data:image/png;base64,{data}">'


def _reliability(axis: Any, calibration: Mapping[str, Any], label: str) -> None:
    bins = calibration["bins"]
    said, held, count = (np.array([b[k] for b in bins]) for k in ("said", "held", "count"))
    line = axis.plot(said, held, "-", lw=1)[0]
    axis.scatter(said, held, s=8 + 120 * count / count.max(), color=line.get_color(), alpha=0.8,
                 label=f"{label}, ECE {calibration['ece']:.3f}")  # fmt: skip


def _diagonal(axis: Any) -> None:
    axis.plot([0, 1], [0, 1], color="0.7", lw=1, zorder=0)
    axis.set(xlabel="probability that was given", ylabel="fraction that was right",
             xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")  # fmt: skip
    axis.legend(frameon=False, fontsize=8, loc="upper left")


def _reliability_of_points(figure: Any, evaluation: Evaluation) -> bool:
    """Reliability of labels: what was right against what was said."""
    figure.set_size_inches(4.6, 4.4)
    axis = figure.subplots()
    for name, s in evaluation.points.items():
        if s["calibration"]["bins"]:
            _reliability(axis, s["calibration"], name)
    _diagonal(axis)
    return True


def _confusions(figure: Any, evaluation: Evaluation) -> bool:
    """Confusion of classes, true by rows, in percent of the row."""
    shown = list(evaluation.points.items())[:3]
    figure.set_size_inches(4.2 * len(shown), 3.8)
    for axis, (name, s) in zip(np.atleast_1d(figure.subplots(1, len(shown))), shown, strict=True):
        names = list(s["confusion"])
        counts = np.array([s["confusion"][n][: len(names)] for n in names], dtype=float)
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for i, j in np.ndindex(*counts.shape):
            if counts[i, j]:
                axis.text(j, i, f"{100 * share[i, j]:.0f}", ha="center", va="center", fontsize=8,
                          color="white" if share[i, j] > 0.5 else "black")  # fmt: skip
        words = [n.replace("_", " ") for n in names]
        axis.set_xticks(range(len(names)), words, rotation=40, ha="right", fontsize=8)
        axis.set_yticks(range(len(names)), words, fontsize=8)
        axis.set(title=name, xlabel="said", ylabel="true")
    return True


def _curves(figure: Any, evaluation: Evaluation) -> bool:
    """Precision against recall, and reliability of the probability of events."""
    shown = {k: s for k, s in evaluation.events.items() if s["pr_curve"]}
    if not shown:
        return False
    figure.set_size_inches(9, 4.2)
    left, right = figure.subplots(1, 2)
    for name, s in shown.items():
        curve = np.array(s["pr_curve"], dtype=float)
        left.plot(curve[:, 2], curve[:, 1], "-", lw=1.5, label=name)
        if s["calibration"]["bins"]:
            _reliability(right, s["calibration"], name)
    left.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
    left.legend(frameon=False, fontsize=8)
    _diagonal(right)
    return True


def _by_group(figure: Any, evaluation: Evaluation) -> bool:
    """F1 of each group."""
    name, s = next(iter(evaluation.events.items()))
    groups = {k: v for k, v in s["by_group"].items() if v["f1"] is not None}
    if not 2 <= len(groups) <= 60:
        return False
    figure.set_size_inches(max(4.6, 0.45 * len(groups)), 3.2)
    axis = figure.subplots()
    axis.bar(list(groups), [v["f1"] for v in groups.values()], color="tab:blue", alpha=0.8)
    axis.tick_params(axis="x", rotation=60, labelsize=8)
    axis.set(ylim=(0, 1), ylabel="F1", title=f"{name}, by group")
    return True


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}: evaluation</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto;
  padding: 0 1rem; }}
table {{ border-collapse: collapse; margin: 1rem 0; font-size: 14px; }}
th, td {{ border-bottom: 1px solid #ddd; padding: .25rem .7rem; text-align: left; }}
img {{ max-width: 100%; }}
</style></head><body>
{body}
</body></html>
"""
