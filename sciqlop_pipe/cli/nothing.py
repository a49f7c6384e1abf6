"""Why there is no data: what was looked for, and what the archives have instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..granule import Interval, iso
from ..graph import Graph
from ..sources.archive import Listing
from ..sources.files import FileSource

MOST, MOST_TARGETS = 8, 3


def why_nothing(
    graph: Graph, names: Sequence[str], intervals: Sequence[Interval], listing: Listing | None
) -> str:
    """Return the lines that say what was looked for in vain, and how to mend that.

    Parameters
    ----------
    graph : Graph
        All datasets.
    names : sequence of str
        What was asked for.
    intervals : sequence of Interval
        When.
    listing : Listing or None
        What the archives have; None without archives.
    """
    where = ", ".join(str(i) for i in intervals[:3]) + (" ..." if len(intervals) > 3 else "")
    lines = [f"No data: neither the archives nor the store hold anything of these in {where}."]
    if listing is None:
        return f"{lines[0]} No archive was given: --archive names a folder, an address or speasy."
    lines.append(f"The archives list {_files(len(listing))}. Looked for:")
    wanted = [n for n in graph.ancestors(names) if graph[n].is_raw]
    for name in wanted[:MOST]:
        source = graph[name].source
        assert source is not None
        files = source.candidates(listing)
        if files:
            found = f"{_files(len(files))}, starting {iso(files[0].start)[:19]}"
            if len(files) > 1:
                found += f" to {iso(files[-1].start)[:19]}"
        else:
            found = "none of that name"
        what = (
            " or ".join(p.text for p in source.patterns) if isinstance(source, FileSource) else ""
        )
        lines.append(f"  {name}: {what + ': ' if what else ''}{found}")
    if len(wanted) > MOST:
        lines.append(f"  ... and {len(wanted) - MOST} other datasets")
    return "\n".join(lines)


def left_out(graph: Graph, names: Sequence[str], counts: Mapping[str, Mapping[str, int]]) -> str:
    """Return a line per target that has no granule while others do: what it needs and is not there.

    A spacecraft of four without a file leaves no current, and nothing that could fail.

    Parameters
    ----------
    graph : Graph
        All datasets.
    names : sequence of str
        What was asked for.
    counts : mapping
        Per dataset how many granules of each state the plan has.
    """
    bare = [n for n in names if not counts.get(n)]
    lines = []
    for name in bare[:MOST_TARGETS]:
        needs = sorted(set(_needs(graph, name, counts)))
        more = f" and {len(needs) - MOST} more" if len(needs) > MOST else ""
        lines.append(f"Not made: {name}, for want of {', '.join(needs[:MOST])}{more}.")
    if len(bare) > MOST_TARGETS:
        lines.append(f"Not made either, for want of data: {len(bare) - MOST_TARGETS:,} others.")
    return "\n".join(lines)


def _needs(graph: Graph, name: str, counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Yield the raw datasets that a dataset requires and of which there is nothing."""
    dataset = graph[name]
    if dataset.recipe is None:
        yield name
        return
    required = {i.name for i in dataset.recipe.takes if i.required}
    for argument, source in dataset.inputs:
        if argument in required and not counts.get(source):
            yield from _needs(graph, source, counts)


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number:,} files"
