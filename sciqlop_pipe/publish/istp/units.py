"""Units in SI, as the ISTP attribute SI_CONVERSION states them."""

from __future__ import annotations

import re

from ...constants import ELEMENTARY_CHARGE

_BASE: dict[str, tuple[float, str]] = {
    "s": (1.0, "s"),
    "m": (1.0, "m"),
    "g": (1e-3, "kg"),
    "K": (1.0, "K"),
    "A": (1.0, "A"),
    "V": (1.0, "V"),
    "W": (1.0, "W"),
    "J": (1.0, "J"),
    "T": (1.0, "T"),
    "Pa": (1.0, "Pa"),
    "Hz": (1.0, "Hz"),
    "C": (1.0, "C"),
    "N": (1.0, "N"),
    "rad": (1.0, "rad"),
    "sr": (1.0, "sr"),
    "eV": (ELEMENTARY_CHARGE, "J"),
    "deg": (0.017453292519943295, "rad"),
    "min": (60.0, "s"),
    "h": (3600.0, "s"),
    "AU": (149_597_870_700.0, "m"),
}
_PREFIX = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "c": 1e-2, "k": 1e3, "M": 1e6, "G": 1e9}
_FACTOR = re.compile(r"([A-Za-z]+)(?:\^(-?\d+))?")


def si_conversion(units: str) -> str:
    """Return "factor>SI units" of units such as "km s^-1", or '' where a word is not known.

    The value in SI is the value in `units` times the factor; "1" has no units.
    """
    factor, powers = 1.0, dict[str, int]()
    for word in [] if units.strip() in ("", "1") else units.split():
        found = _FACTOR.fullmatch(word)
        if found is None or (known := _in_si(found[1])) is None:
            return ""
        power = int(found[2] or 1)
        factor *= known[0] ** power
        powers[known[1]] = powers.get(known[1], 0) + power
    left = [s if p == 1 else f"{s}^{p}" for s, p in powers.items() if p]
    return f"{factor:.9g}>{' '.join(left) or '1'}"


def _in_si(word: str) -> tuple[float, str] | None:
    if word in _BASE:
        return _BASE[word]
    prefix, base = word[:1], word[1:]
    if prefix in _PREFIX and base in _BASE:
        factor, unit = _BASE[base]
        return _PREFIX[prefix] * factor, unit
    return None
