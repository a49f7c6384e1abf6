"""The tables of an evaluation as Markdown, put in their place in a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .report import EVENT_HEAD, POINT_HEAD, Evaluation, event_rows, point_rows


def tables(evaluation: Evaluation) -> str:
    """Return the tables of labels, of scales and of events, as Markdown."""
    parts = []
    if evaluation.points:
        sets = ("6 classes", "5 classes", "3 regions")
        rows = [r for r in point_rows(evaluation) if r[0] in sets]
        parts.append(_table(POINT_HEAD, rows))
    scaled = evaluation.about.get("scaled")
    if scaled:
        head = ("n x", "B x", *(f"{n}: macro-F1" for n in ("6 classes", "5 classes")),
                "3 regions: accuracy")  # fmt: skip
        body = [
            (f"{r['density_factor']:g}", f"{r['field_factor']:g}",
             *(f"{r[n]['macro_f1']:.3f}" if n in r else "-" for n in ("6 classes", "5 classes")),
             f"{r['3 regions']['accuracy']:.3f}" if "3 regions" in r else "-")
            for r in scaled
        ]  # fmt: skip
        parts.append(_table(head, body))
    if evaluation.events:
        parts.append(_table(EVENT_HEAD, event_rows(evaluation)))
        for name, s in evaluation.events.items():
            groups = [(k, str(v["true"]), str(v["found"]), str(v["matched"]),
                       "-" if v["f1"] is None else f"{v['f1']:.2f}")
                      for k, v in s["by_group"].items()]  # fmt: skip
            if name == evaluation.detector and 1 < len(groups) <= 40:
                parts.append(_table(("year", "true", "found", "matched", "F1"), groups))
    return "\n\n".join(parts)


def put(evaluation: Evaluation, path: Path) -> None:
    """Write the tables into a page, in the place of those that were there.

    Parameters
    ----------
    evaluation : Evaluation
        What is shown.
    path : Path
        A Markdown page; the tables lie between `<!-- DETECTOR -->` and `<!-- /DETECTOR -->`, which
        are added at its end where they are not.
    """
    first, last = f"<!-- {evaluation.detector} -->", f"<!-- /{evaluation.detector} -->"
    text = path.read_text() if path.exists() else ""
    block = f"{first}\n\n{tables(evaluation)}\n\n{last}"
    before, found, rest = text.partition(first)
    after = rest.partition(last)[2] if found else "\n"
    path.write_text(before + block + after)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
