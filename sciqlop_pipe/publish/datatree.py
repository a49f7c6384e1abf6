"""The data tree as plain values: what is declared of every dataset, and what there is of it.

One place says what a dataset is called, whose it is, and how it may be got: `graph`, `search` and
their JSON, the HAPI server and published CDF files all say it in these words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import UsageError
from ..granule import Interval, iso
from ..graph import Graph
from ..model import Dataset, Mission
from ..plan import needs
from ..sources.access import Access
from ..sources.doors import Wanted, needs_intervals, open_doors
from ..sources.remote import words_of
from ..store import Store


@dataclass(frozen=True, slots=True)
class Availability:
    """What a store and some archives have, by dataset; `gone` are archives without an answer."""

    store: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    archive: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What people read of a dataset: what it is, and whose."""

    text: str
    mission: str = ""
    mission_title: str = ""
    authors: str = ""
    citation: str = ""
    acknowledgement: str = ""

    @classmethod
    def of(cls, dataset: Dataset, mission: Mission | None) -> Words:
        """Return what a dataset and its mission declare."""
        text = dataset.description or dataset.gives.description
        if mission is None:
            return cls(text, citation=dataset.citation)
        cited = "; ".join(t for t in (mission.citation, dataset.citation) if t)
        return cls(
            text, mission.name, mission.title, mission.authors, cited, mission.acknowledgement
        )


def in_store(store: Store) -> dict[str, dict[str, Any]]:
    """Return what a store has, by dataset: granules, records, from, to; cadence, units at last."""
    keep = ("granules", "empty", "records", "start", "stop")
    found = {
        row["dataset"]: {k: row[k] for k in keep} | {"cadence": "", "units": ""}
        for row in store.registry.summary()
    }
    shelves = store.registry.shelves()
    layouts = store.registry.layouts_of({s.layouts[-1] for s in shelves.values()})
    for name, shelf in shelves.items():
        last = shelf.last
        if last.n > 1 and last.first is not None and last.last is not None:
            found[name]["cadence"] = f"~{_length((last.last - last.first) / (last.n - 1))}"
        if (layout := layouts.get(shelf.layouts[-1])) is not None:
            found[name]["units"] = {
                v.name: u for v in layout.variables if (u := dict(v.attrs).get("units"))
            }
    return found


def _length(ns: float) -> str:
    """Return a duration in words: "4.5s", "7.81ms", "1h"."""
    for unit, size in (("h", 3600e9), ("min", 60e9), ("s", 1e9), ("ms", 1e6)):
        if ns >= 0.9995 * size and (
            unit in ("s", "ms") or abs(ns / size - round(ns / size)) < 0.01
        ):
            return f"{ns / size:.3g}{unit}"
    return f"{ns:.3g}ns"


def in_archives(
    whole: Graph,
    names: Iterable[str],
    archives: Sequence[str],
    span: tuple[str, str],
    access: Access,
) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """Return what archives have by raw dataset (number of files, from, to), and which are gone.

    Raises
    ------
    UsageError
        An archive can only be asked about an interval, and none is given.
    """
    raws = [n for n in names if whole[n].is_raw]
    if all(span):
        wanted = needs(whole, raws, [Interval.of(*span)])
        sources = [Wanted(whole[n].source, wanted[n]) for n in raws]
    elif odd := [a for a in archives if needs_intervals(a)]:
        raise UsageError(
            "this archive can only be asked about an interval", odd[0], "Give --start and --stop"
        )
    else:
        sources = []
    listing = open_doors(archives, sources, access)
    found: dict[str, dict[str, Any]] = {}
    for name in raws:
        source = whole[name].source
        files = source.candidates(listing) if source is not None else ()
        if files and source is not None:
            ends = [source.extent(f) for f in files]
            last = max(e.stop for e in ends)
            found[name] = {"files": len(files), "start": iso(files[0].start), "stop": iso(last)}
    return found, listing.remarks


def doors(dataset: Dataset) -> tuple[str, ...]:
    """Return the words for --archive behind which a dataset is known to be, best first."""
    return words_of(getattr(dataset.source, "remote", ()))


def files(dataset: Dataset) -> tuple[str, ...]:
    """Return how the files of a raw dataset are called."""
    pattern = getattr(dataset.source, "pattern", ())
    return (pattern,) if isinstance(pattern, str) else tuple(pattern)


def known_as(dataset: Dataset) -> tuple[str, ...]:
    """Return what servers call a dataset: "cda/WI_H0_MFI", "AC_H0_MFI"."""
    return tuple(name for r in getattr(dataset.source, "remote", ()) for name in r.ids)


def export(whole: Graph, missions: Sequence[Mission], have: Availability) -> dict[str, Any]:
    """Return the data tree as plain values, for scripts."""
    return {
        "missions": [
            {
                "name": m.name,
                "title": m.title,
                "authors": m.authors,
                "citation": m.citation,
                "acknowledgement": m.acknowledgement,
                "archives": list(m.archives),
            }
            for m in missions
        ],
        "datasets": [declared(whole, whole[d.name], have) for m in missions for d in m.datasets],
        "broken": [b.name for b in whole.broken],
    }


def declared(whole: Graph, dataset: Dataset, have: Availability) -> dict[str, Any]:
    """Return what is declared of one dataset, and what there is of it, as plain values."""
    path = dataset.name.split(".")
    words = Words.of(dataset, whole.mission_of.get(dataset.name))
    return {
        "name": dataset.name,
        "mission": words.mission,
        "path": path[:-1],
        "quantity": path[-1],
        "type": dataset.gives.name,
        "main": dataset.gives.main,
        "units": units(dataset, have),
        "cadence": cadence(dataset, have),
        "granule": str(whole.length(dataset.name)),
        "raw": dataset.is_raw,
        "doors": list(doors(dataset)),
        "known_as": list(known_as(dataset)),
        "files": list(files(dataset)),
        "recipe": dataset.recipe.name if dataset.recipe else None,
        "inputs": dict(dataset.inputs),
        "optional": [a for a, _ in dataset.inputs if not dataset.argument(a).required],
        "without": {
            i.name: i.without for i in (dataset.recipe.takes if dataset.recipe else ()) if i.without
        },
        "lost": lost(dataset),
        "params": dict(dataset.params),
        "model": dataset.model or None,
        "version": dataset.version,
        "variables": {v.name: v.units for v in dataset.gives.variables},
        "transient": dataset.transient,
        "description": words.text,
        "citation": words.citation,
        "acknowledgement": words.acknowledgement,
        "store": have.store.get(dataset.name),
        "archive": have.archive.get(dataset.name),
    }


def cadence(dataset: Dataset, have: Availability) -> str:
    """Return the declared cadence, else the mean one of the store's last granule, '' if neither."""
    return dataset.cadence or str(have.store.get(dataset.name, {}).get("cadence", ""))


def units(dataset: Dataset, have: Availability) -> str:
    """Return the units of the main variable: declared, else as the store has it, '' if neither."""
    seen = have.store.get(dataset.name, {}).get("units") or {}
    return dataset.units or str(seen.get(dataset.gives.main, ""))


def lost(dataset: Dataset) -> dict[str, str]:
    """Return what a dataset does without, by the optional inputs that nothing is bound to."""
    if dataset.recipe is None:
        return {}
    bound = dict(dataset.inputs)
    return {i.name: i.without for i in dataset.recipe.takes if i.without and i.name not in bound}


def matches(whole: Graph, words: Sequence[str]) -> list[tuple[Mission, Dataset]]:
    """Return the datasets in which all words occur; those with more of them in the name first.

    Looked at are names, types, units, descriptions, the mission, the recipe, names on servers and
    names of files.
    """
    wanted = [w.lower() for w in words]
    scored: list[tuple[int, int, Mission, Dataset]] = []
    for m in whole.missions:
        for i, d in enumerate(m.datasets):
            text = _searched(m, d)
            if all(w in text for w in wanted):
                scored.append((-sum(w in d.name for w in wanted), i, m, d))
    return [(m, d) for _, _, m, d in sorted(scored, key=lambda s: (s[0], s[2].name, s[1]))]


def occurrences(whole: Graph, words: Sequence[str]) -> dict[str, int]:
    """Return in how many datasets each word occurs."""
    texts = [_searched(m, d) for m in whole.missions for d in m.datasets]
    return {w: sum(w.lower() in text for text in texts) for w in words}


def _searched(mission: Mission, d: Dataset) -> str:
    plain = (
        d.name, d.gives.name, d.gives.description, d.description, d.units, mission.title,
        mission.name, d.recipe.name if d.recipe else "", *known_as(d), *files(d),
    )  # fmt: skip
    return " ".join(plain).lower()
