"""Whether there is anything at all of what was asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..graph import Graph
from ..sources.archive import Listing


def unfound(
    graph: Graph,
    words: Sequence[str],
    counts: Mapping[str, Mapping[str, int]],
    listing: Listing | None,
    held: Collection[str],
) -> list[str]:
    """Return the words of which nothing is known: a wrong archive rather than a day without data.

    A dataset is known when it has a granule in the plan, or anywhere in the store, or, raw, a file
    of its name at some door, whatever its time; a product also when all that it requires is known.
    A glob is known when one of its datasets is.

    Parameters
    ----------
    graph : Graph
        All datasets.
    words : sequence of str
        What was asked for, names or globs.
    counts : mapping
        Per dataset how many granules of each state the plan has.
    listing : Listing or None
        What the archives have; None without archives.
    held : collection of str
        The datasets that have granules in the store.
    """
    verdicts: dict[str, bool] = {}

    def known(name: str) -> bool:
        if name not in verdicts:
            verdicts[name] = bool(counts.get(name)) or name in held or possible(name)
        return verdicts[name]

    def possible(name: str) -> bool:
        dataset = graph[name]
        if dataset.recipe is None:
            source = dataset.source
            return listing is not None and source is not None and bool(source.candidates(listing))
        required = [s for a, s in dataset.inputs if dataset.argument(a).required]
        if required:
            return all(map(known, required))
        return any(known(s) for _, s in dataset.inputs)

    return [word for word in words if not any(map(known, graph.select([word])))]
