"""How far one number is from the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Off:
    """How far one number is from the truth, in percent of `of`; `target` where there is one."""

    product: str
    quantity: str
    percent: float
    of: str
    target: float | None = None


def worst(values: object) -> float:
    """Return the largest size of some numbers, in percent."""
    return percent(np.abs(np.asarray(values, float)).max())


def rms(values: np.ndarray) -> float:
    """Return the root of the mean square of the numbers that are known, in percent."""
    return percent(np.sqrt(np.nanmean(np.asarray(values, float) ** 2)))


def percent(value: float) -> float:
    """Return a part of one in percent."""
    return 100.0 * float(value)
