"""What the files of a dataset say of it besides its values: names, people, provenance."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...granule import DAY, Interval, datetime64


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a dataset in ISTP's scheme source_descriptor_datatype."""

    source: str
    descriptor: str
    data_type: str

    @classmethod
    def of(cls, dataset: str) -> Names:
        """Return the names of a dataset: "mms1.fpi.dis.brst.vdf" is mms1_fpi-dis-brst_vdf."""
        parts = [part.replace("_", "-") for part in dataset.split(".")]
        source, *middle = parts
        kind = middle.pop() if middle else "data"
        return cls(source, "-".join(middle) or "pipe", kind)

    @property
    def logical_source(self) -> str:
        """Return what all files of the dataset begin with."""
        return f"{self.source}_{self.descriptor}_{self.data_type}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is declared of a dataset, and by whom."""

    dataset: str
    datatype: str
    title: str = ""
    text: str = ""
    authors: str = ""
    mission: str = ""
    mission_title: str = ""
    citation: str = ""
    acknowledgement: str = ""
    cadence: str = ""

    @property
    def names(self) -> Names:
        """Return its names in ISTP's scheme."""
        return Names.of(self.dataset)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the values of one file were made from.

    `content` is the digest of the values and of what is said of them; `written` the time at which
    they were committed [ns].
    """

    content: str
    written: int
    code: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    release: str = ""


def stamp(piece: Interval, length: str) -> str:
    """Return the time in a file's name: the day, or the second where pieces are shorter."""
    text = re.sub(r"[-:T]", "", str(datetime64(piece.start).astype("datetime64[s]")))
    return text[:8] if length in ("month",) or not (piece.stop - piece.start) % DAY else text
