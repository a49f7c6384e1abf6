"""Whom to cite and thank for datasets: papers, DOIs, versions of code and of files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..granule import Interval
from ..graph import Graph
from ..model import Mission
from ..store import Store
from .drawn import Drawn

_DOI = re.compile(r"10\.\d{4,9}/[^\s;,\]\"'<>]*[^\s;,.\]\"'<>)]")


def citation(
    whole: Graph, chosen: Sequence[str], store: Store | None = None, span: Interval | None = None
) -> dict[str, Any]:
    """Return whom to cite and thank for datasets, as plain values.

    Parameters
    ----------
    whole : Graph
        All datasets.
    chosen : sequence of str
        Names of those that are used.
    store : Store, optional
        The versions of the files that they were made of in it are told too.
    span : Interval, optional
        Where they are used.
    """
    used = whole.ancestors(chosen)
    missions = [m for m in whole.missions if {d.name for d in m.datasets} & set(used)]
    return {
        "datasets": list(chosen),
        "made_from": [n for n in used if whole[n].is_raw],
        "missions": [
            {
                "name": m.name,
                "title": m.title,
                "authors": m.authors,
                "citation": m.citation,
                "acknowledgement": m.acknowledgement
                or f"We thank the teams of {m.title or m.name} and the archives of their data.",
                "dois": dois(m.citation, *(whole[n].citation for n in used if _of(m, n))),
            }
            for m in missions
        ],
        "citations": {n: whole[n].citation for n in used if whole[n].citation},
        "versions": {n: whole[n].code for n in used},
        "files": files_of(whole, used, store, span) if store is not None else {},
        "software": software(),
    }


def as_drawn(whole: Graph, shown: Drawn, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a citation with the versions of code and files of the time a picture was drawn.

    Parameters
    ----------
    whole : Graph
        All datasets.
    shown : Drawn
        What the picture says of itself.
    facts : mapping
        The citation of its datasets.
    """
    return {
        **facts,
        "datasets": list(shown.datasets),
        "interval": [shown.start, shown.stop],
        "unknown": [n for n in shown.datasets if n not in whole.nodes],
        "versions": {**facts["versions"], **shown.versions},
        "files": {k: dict(v) for k, v in shown.files.items()} or facts["files"],
    }


def text(facts: Mapping[str, Any]) -> str:
    """Return a citation as text that people read."""
    lines = [f"Data {', '.join(facts['datasets'])}"]
    if "interval" in facts:
        lines.append(f"  {' to '.join(facts['interval'])}")
    if unknown := facts.get("unknown"):
        said = "nobody here declares it: install the plugin of its mission to see whom to cite"
        lines += [f"  {name}: {said}" for name in unknown]
    for m in facts["missions"]:
        lines += ["", m["title"] or m["name"]]
        lines += [f"  {k}: {m[k]}" for k in ("authors", "citation", "acknowledgement") if m[k]]
        lines += [f"  https://doi.org/{doi}" for doi in m["dois"]]
    lines += [f"  {name}: {said}" for name, said in facts["citations"].items()]
    lines += ["", "Versions", *(f"  {name}: {code}" for name, code in facts["versions"].items())]
    for name, row in facts["files"].items():
        many = {v: f"{n} file{'s' if n > 1 else ''}" for v, n in row.items()}
        shown = ", ".join(f"v{v} ({n})" if v else n for v, n in many.items())
        lines.append(f"  {name}: read from {shown}")
    return "\n".join([*lines, f"  {facts['software']}"])


def dois(*texts: str) -> list[str]:
    """Return the DOIs in some texts, each once."""
    return list(dict.fromkeys(doi for text in texts for doi in _DOI.findall(text)))


def _of(mission: Mission, name: str) -> bool:
    return any(d.name == name for d in mission.datasets)


def files_of(
    whole: Graph, used: Iterable[str], store: Store, span: Interval | None = None
) -> dict[str, dict[str, int]]:
    """Return how many files of which version the current granules of raw datasets were made of."""
    found: dict[str, dict[str, int]] = {}
    for name in used:
        source = whole[name].source
        if source is None:
            continue
        patterns = getattr(source, "patterns", ())
        seen: dict[str, str] = {}
        for row in store.registry.current(name, span):
            for u in store.registry.lineage(row.uid):
                if u.kind == "file":
                    match = next((m for p in patterns if (m := p.match(u.name))), None)
                    seen[u.name] = ".".join(map(str, match.version)) if match else ""
        if seen:
            counts: dict[str, int] = {}
            for v in seen.values():
                counts[v] = counts.get(v, 0) + 1
            found[name] = counts
    return found


def software() -> str:
    """Return the name and version of this software."""
    try:
        return f"SciQLOP Pipe {version('sciqlop-pipe')}"
    except PackageNotFoundError:
        return "SciQLOP Pipe"
