"""Quality flags: what the bits of an instrument's flag word mean, and which of them mask data.

A flag word travels with the data, bit by bit, under the CF attributes ``flag_masks`` and
``flag_meanings``. Only documented bits mask: FPI data carry some flag nearly everywhere, and a
mask of "any flag" would delete them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

FLAGS_MISSING = 31
"""Bit that we set where the archive gives its fill value in place of a flag word."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One bit of a flag word: its number, its name (one word) and its meaning."""

    bit: int
    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Flags:
    """The flag word of one kind of data, as its documentation defines it.

    Parameters
    ----------
    title : str
        Whose flags they are, for plots and reports.
    flags : tuple of Flag
        The documented bits.
    masking : int
        Word of the bits that turn the data of a record into NaN.
    source : str
        Where the meanings are documented.
    """

    title: str
    flags: tuple[Flag, ...]
    masking: int = 0
    source: str = ""

    def names(self, word: int) -> tuple[str, ...]:
        """Return the names of the bits set in a word; undocumented ones as "bit7"."""
        known = {f.bit: f.name for f in self.flags} | {FLAGS_MISSING: "flags_missing"}
        return tuple(known.get(b, f"bit{b}") for b in range(32) if int(word) >> b & 1)

    def words(self, **told: np.ndarray) -> np.ndarray:
        """Return words (n,), uint32, with the bit of each name set where its array (n,) is true.

        Raises
        ------
        KeyError
            For a name that is not one of the flags.
        """
        bits = {f.name: f.bit for f in self.flags}
        parts = [np.where(true, np.uint32(1 << bits[name]), 0) for name, true in told.items()]
        return np.bitwise_or.reduce(parts, axis=0).astype(np.uint32)

    def masked(self, words: np.ndarray) -> np.ndarray:
        """Return which records (n,) the masking bits take away, as bool."""
        return (words & np.uint32(self.masking)) != 0

    @property
    def attrs(self) -> dict[str, Any]:
        """Return the attributes of the `quality` variable (CF flags, and the masking bits)."""
        return {
            "units": "1",
            "long_name": self.title,
            "flag_masks": [1 << f.bit for f in self.flags],
            "flag_meanings": " ".join(f.name for f in self.flags),
            "masking": self.masking,
        }


def masked_fraction(words: np.ndarray, masking: int) -> float:
    """Return the fraction [1] of records whose word has a masking bit; 0 without records.

    Parameters
    ----------
    words : ndarray of uint32, (n,)
        Flag words.
    masking : int
        The masking bits, as in the attribute ``masking`` of a `quality` variable.
    """
    return masked_records(words, masking) / words.size if words.size else 0.0


def masked_records(words: np.ndarray, masking: int) -> int:
    """Return how many of the records with flag words (n,) have a masking bit."""
    return int(np.count_nonzero(np.asarray(words).astype(np.uint32) & np.uint32(masking)))


@dataclass(frozen=True, slots=True)
class Tally:
    """What the flag words of some records add up to: fractions of the records [1]."""

    records: int
    masked: float
    flags: tuple[tuple[str, float, bool], ...]


def tally(words: np.ndarray, attrs: Mapping[str, Any]) -> Tally:
    """Return the fraction of records masked, and of each flag that is set anywhere.

    Parameters
    ----------
    words : ndarray of uint32, (n,)
        Flag words.
    attrs : mapping
        Attributes of the `quality` variable: ``flag_masks``, ``flag_meanings``, ``masking``.
    """
    words, masking = np.asarray(words).astype(np.uint32), int(attrs.get("masking", 0))
    meanings = str(attrs.get("flag_meanings", "")).split()
    names = dict(zip(np.atleast_1d(attrs.get("flag_masks", [])).tolist(), meanings, strict=False))
    names.setdefault(1 << FLAGS_MISSING, "flags_missing")
    found = []
    for bit in range(32):
        mask = 1 << bit
        if fraction := masked_fraction(words, mask):
            found.append((names.get(mask, f"bit{bit}"), fraction, bool(masking & mask)))
    return Tally(words.size, masked_fraction(words, masking), tuple(found))
