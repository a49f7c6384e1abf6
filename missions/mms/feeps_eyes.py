"""The eyes of MMS FEEPS: where they look, their energies and gains, which of them are bad and when.

All figures are the FEEPS team's (D. L. Turner, `FlatFieldResults_V3.xlsx` of 2017-01-19 with later
updates), as pyspedas 2.2.2 carries them in `projects/mms/feeps_tools`. The sectors that see the Sun
(`feeps_sun.csv`: a word per eye, bit k is spin sector k) are its tables `ContaminatedSectors`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

HEADS = ("top", "bottom")
NUMBERS = {"electron": (1, 2, 3, 4, 5, 9, 10, 11, 12), "ion": (6, 7, 8)}
SECTORS = 64

CHANNELS = {
    "electron": (33.2, 51.9, 70.6, 89.4, 107.1, 125.2, 146.5, 171.3, 200.2, 234.0, 273.4, 319.4,
                 373.2, 436.0, 509.2),
    "ion": (57.9, 76.8, 95.4, 114.1, 133.0, 153.7, 177.6, 205.1, 236.7, 273.2, 315.4, 363.8, 419.7,
            484.2, 558.6),
}  # fmt: skip
"""Energies [keV] of an ideal eye. The 16th channel of the files is an integral one: not read."""

COMMON_SHIFT = {"electron": {"1": 14.0, "2": -1.0, "3": -3.0, "4": -3.0}, "ion": {}}
"""What the energies [keV] of all eyes of a spacecraft are off by."""

COMMON_GAIN = {"electron": {}, "ion": {"1": 0.84}}
"""What the mean over the eyes of a spacecraft is multiplied with."""

_NONE = float("nan")
_SHIFT = {
    ("1", "top"): (14, 7, 16, 14, 14, 0, 0, 0, 14, 14, 17, 15),
    ("1", "bottom"): (_NONE, 14, 14, 13, 14, 0, 0, 0, 14, 14, -25, 14),
    ("2", "top"): (-1, 6, -2, -1, _NONE, 0, _NONE, 0, 4, -1, -1, 0),
    ("2", "bottom"): (-2, -1, -2, 0, -2, 15, _NONE, 15, -1, -2, -1, -3),
    ("3", "top"): (-3, _NONE, 2, -1, -5, 0, 0, 0, -3, -1, -3, _NONE),
    ("3", "bottom"): (-7, _NONE, -5, -6, _NONE, 0, 0, 12, 0, -2, -3, -3),
    ("4", "top"): (_NONE, _NONE, -2, -5, -5, 0, _NONE, 0, -1, -3, -6, -6),
    ("4", "bottom"): (-8, _NONE, -2, _NONE, _NONE, -8, 0, 0, -2, _NONE, _NONE, -4),
}
"""Shift [keV] of eyes 1 to 12; NaN where nobody has measured it."""

_GAIN = {
    ("1", "top"): {6: 0.7, 7: 2.5, 8: 1.5},
    ("1", "bottom"): {5: 1.2, 6: 0.9, 7: 2.2},
    ("2", "top"): {4: 1.2, 6: 1.3, 8: 0.8},
    ("2", "bottom"): {6: 1.4, 8: 1.5},
    ("3", "top"): {6: 0.7, 7: 0.8},
    ("3", "bottom"): {6: 0.9, 7: 0.9, 8: 1.3},
    ("4", "top"): {6: 0.8},
    ("4", "bottom"): {6: 0.8, 7: 0.6, 8: 0.9, 9: 1.5},
}

# Tables of bad eyes by the date they were made for; the nearest counts.
_BAD = {
    "2017-10-01": {
        ("1", "top"): (1,), ("1", "bottom"): (1, 11),
        ("2", "top"): (5, 7, 12), ("2", "bottom"): (7,),
        ("3", "top"): (2, 12), ("3", "bottom"): (2, 5, 11),
        ("4", "top"): (1, 2, 7), ("4", "bottom"): (2, 4, 5, 10, 11),
    },
    "2018-10-01": {
        ("1", "top"): (1,), ("1", "bottom"): (1, 11),
        ("2", "top"): (7, 12), ("2", "bottom"): (2, 12),
        ("3", "top"): (1, 2), ("3", "bottom"): (5, 11),
        ("4", "top"): (1, 7), ("4", "bottom"): (4, 11),
    },
}  # fmt: skip

# Eyes whose lowest one, two and three channels are not to be used (since May 2019, for all dates).
_BAD_CHANNELS = {
    ("1", "top"): ((2, 5, 6), (6,), ()),
    ("1", "bottom"): ((2, 3, 4, 5, 6, 8, 9, 11, 12), (6, 11), ()),
    ("2", "top"): ((1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12), (8,), ()),
    ("2", "bottom"): ((1, 2, 3, 4, 5, 7, 9, 10, 11, 12), (7, 12), ()),
    ("3", "top"): (tuple(range(1, 13)), (1, 6, 7), ()),
    ("3", "bottom"): ((1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12), (6, 7), ()),
    ("4", "top"): ((1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12), (1, 6), ()),
    ("4", "bottom"): (tuple(range(1, 13)), (6, 7, 8, 9), (6, 7)),
}

# Eyes that survey data have: the same on all spacecraft at first.
_SURVEY_BEFORE = (3, 4, 5, 11, 12, *NUMBERS["ion"])
_SURVEY_CHANGED = np.datetime64("2017-08-16")
_SURVEY_SINCE = {
    ("1", "top"): (3, 5, 6, 7, 8, 9, 10, 12), ("1", "bottom"): (2, 4, 5, 6, 7, 8, 9, 10),
    ("2", "top"): (1, 2, 3, 5, 6, 8, 10, 11), ("2", "bottom"): (1, 4, 5, 6, 7, 8, 9, 11),
    ("3", "top"): (3, 5, 6, 7, 8, 9, 10, 12), ("3", "bottom"): (1, 2, 3, 6, 7, 8, 9, 10),
    ("4", "top"): (3, 4, 5, 6, 8, 9, 10, 11), ("4", "bottom"): (3, 5, 6, 7, 8, 9, 10, 12),
}  # fmt: skip

# Look directions in the frame of a head, and what turns each head's frame into that of the body.
_LOOKS = np.array([
    [0.347, -0.837, 0.423], [0.347, -0.837, -0.423], [0.837, -0.347, 0.423],
    [0.837, -0.347, -0.423], [-0.087, 0.0, 0.996], [0.104, 0.180, 0.978],
    [0.654, -0.377, 0.656], [0.654, -0.377, -0.656], [0.837, 0.347, 0.423],
    [0.837, 0.347, -0.423], [0.347, 0.837, 0.423], [0.347, 0.837, -0.423],
])  # fmt: skip
_HALF = float(np.sqrt(0.5))
_TURN = {
    "top": np.array([[_HALF, -_HALF, 0], [_HALF, _HALF, 0], [0, 0, 1.0]]),
    "bottom": np.array([[-_HALF, -_HALF, 0], [-_HALF, _HALF, 0], [0, 0, -1.0]]),
}


@dataclass(frozen=True, slots=True)
class Eye:
    """One of the 24 eyes of a spacecraft: its head ("top", "bottom") and its number, 1 to 12."""

    probe: str
    head: str
    number: int

    @property
    def name(self) -> str:
        """Return its name, as "top3"."""
        return f"{self.head}{self.number}"

    @property
    def species(self) -> str:
        """Return what it counts, "electron" or "ion"."""
        return "ion" if self.number in NUMBERS["ion"] else "electron"

    @property
    def energies(self) -> np.ndarray:
        """Return its energies (15,) [keV]; NaN where they are not known."""
        shift = _SHIFT[self.probe, self.head][self.number - 1]
        return np.array(CHANNELS[self.species]) + shift

    @property
    def gain(self) -> float:
        """Return what its intensity is multiplied with."""
        return _GAIN[self.probe, self.head].get(self.number, 1.0)

    @property
    def bad_channels(self) -> int:
        """Return how many of its lowest channels are not to be used."""
        tables = _BAD_CHANNELS[self.probe, self.head]
        return max((k for k, eyes in enumerate(tables, 1) if self.number in eyes), default=0)

    @property
    def flight(self) -> np.ndarray:
        """Return where the particles that it counts fly, a unit vector (3,) in body axes (BCS)."""
        look = _TURN[self.head] @ _LOOKS[self.number - 1]
        return -look / np.linalg.norm(look)

    def works(self, time: np.ndarray, mode: str) -> np.ndarray:
        """Return at which times (n,) it is sent in a mode, is not bad, and has known energies."""
        if np.isnan(self.energies).any():
            return np.zeros(time.shape, bool)
        bad = [self.number in table[self.probe, self.head] for table in _BAD.values()]
        works: np.ndarray = ~np.array(bad)[_nearest(time, tuple(_BAD))]
        if mode == "srvy":
            since = self.number in _SURVEY_SINCE[self.probe, self.head]
            works &= np.where(time < _SURVEY_CHANGED, self.number in _SURVEY_BEFORE, since)
        return works

    def sees_the_sun(self, time: np.ndarray, sector: np.ndarray) -> np.ndarray:
        """Return in which records (n,) of given spin sectors it is lit by the Sun."""
        words = _sunlit()
        dates = tuple(sorted({date for probe, date in words if probe == self.probe}))
        column = HEADS.index(self.head) * 12 + self.number - 1
        of_dates = np.array([words[self.probe, date][column] for date in dates], np.uint64)
        known = (sector >= 0) & (sector < SECTORS)
        bit = np.where(known, sector, 0).astype(np.uint64)
        lit: np.ndarray = (of_dates[_nearest(time, dates)] >> bit) & np.uint64(1) != 0
        return lit | ~known


def eyes(probe: str, species: str) -> tuple[Eye, ...]:
    """Return the eyes of a species, those of the top head first, as the files order them."""
    return tuple(Eye(probe, head, number) for head in HEADS for number in NUMBERS[species])


def _nearest(time: np.ndarray, dates: tuple[str, ...]) -> np.ndarray:
    """Return the index of the nearest of some dates, for each time (n,)."""
    at = np.array(dates, "datetime64[ns]").astype(np.int64)
    middles = at[:-1] + (at[1:] - at[:-1]) // 2
    found: np.ndarray = np.searchsorted(middles, time.astype("datetime64[ns]").astype(np.int64))
    return found


@cache
def _sunlit() -> dict[tuple[str, str], tuple[int, ...]]:
    """Return by spacecraft and date a word per eye: top 1 to 12, bottom 1 to 12."""
    with (Path(__file__).parent / "feeps_sun.csv").open(encoding="ascii") as lines:
        rows = list(csv.reader(lines))[1:]
    return {(probe, date): tuple(int(w, 16) for w in words) for probe, date, *words in rows}
