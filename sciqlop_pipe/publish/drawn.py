"""What a picture carries about its data, so that it can be cited from the file alone."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..errors import PipeError
from ..granule import Interval, iso
from ..store import Store

WORD = "Data"
"""Under which name a PNG of ours keeps it."""

_VERSION = re.compile(r"[-_.][vV](\d+(?:\.\d+)*)(?=[-_.]|$)")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a picture shows, and of what that was made when it was drawn.

    Parameters
    ----------
    datasets : tuple of str
        What is shown, from above.
    start, stop : str
        The interval, UTC.
    versions : mapping
        By dataset, those before them too: the code and its version.
    files : mapping
        By raw dataset: how many files of which version.
    """

    datasets: tuple[str, ...]
    start: str
    stop: str
    versions: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def words(self) -> dict[str, str]:
        """Return it as the words that a PNG carries."""
        return {WORD: json.dumps(asdict(self))}


def drawn(store: Store, datasets: Sequence[str], interval: Interval) -> Drawn:
    """Return what a picture of some datasets of a store shows, and what that was made of."""
    registry = store.registry
    uids = [row.uid for name in datasets for row in registry.current(name, interval)]
    made = registry.ancestry(uids)
    return Drawn(
        tuple(datasets),
        iso(interval.start),
        iso(interval.stop),
        {name: ", ".join(sorted(m.codes)) for name, m in made.items()},
        {name: versions(m.files) for name, m in made.items() if m.files},
    )


def versions(names: Iterable[str]) -> dict[str, int]:
    """Return how many files have which version in their names, '' where none is seen."""
    found = Counter(
        ".".join(str(int(n)) for n in said[-1].split(".")) if (said := _VERSION.findall(n)) else ""
        for n in names
    )
    return dict(sorted(found.items()))


def drawn_in(picture: str | Path) -> Drawn:
    """Return what a picture that this project drew shows.

    Raises
    ------
    PipeError
        It cannot be read, or was drawn by something else (or before pictures told it).
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise PipeError(
            "reading pictures needs Pillow, which is not installed", str(picture),
            "Install it: pip install 'sciqlop-pipe[plot]'",
        ) from error  # fmt: skip
    try:
        with Image.open(picture) as image:
            said = image.info.get(WORD)
    except FileNotFoundError as error:
        raise PipeError("there is no such picture", str(picture), "Check the path") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise PipeError("it is no picture that can be read", str(picture)) from error
    try:
        facts = json.loads(str(said))
        return Drawn(tuple(facts.pop("datasets")), **facts)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PipeError(
            "the picture does not say what it shows", str(picture),
            "Pictures of 'quicklook' and the dashboards say it; of others name the datasets",
        ) from error  # fmt: skip
