"""File names of the Cluster Science Archive, and the times they claim."""

from __future__ import annotations

from dataclasses import dataclass

from sciqlop_pipe.granule import Interval, duration
from sciqlop_pipe.sources.archive import RawFile
from sciqlop_pipe.sources.files import FileSource


def patterns(probe: str, *products: str) -> tuple[str, ...]:
    """Return the file names of some products of a spacecraft: start, stop and version."""
    return tuple(
        f"C{probe}_CP_{name}__{{start:%Y%m%d_%H%M%S}}_{{stop:%Y%m%d_%H%M%S}}_V{{version}}.cdf"
        for name in products
    )


@dataclass(frozen=True)
class StartTagged(FileSource):
    """Files cut by the start of records, whose centres may lie `tail` after the stop they name."""

    # Half of the longest accumulation, with room: telemetry modes differ in their number of spins.
    tail: str = "2min"

    @property
    def late(self) -> int:
        """How long after its extent [ns] a file may hold records: the tail is part of it."""
        return 0

    def extent(self, file: RawFile) -> Interval:
        """Return the interval that a file may hold records of, judged by its name."""
        named = super().extent(file)
        return Interval(named.start, named.stop + duration(self.tail))
