"""De Hoffmann-Teller frames, and whether a boundary in them is Alfvenic (Walen relation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import FrameAnalysis, Moments, VectorSeries
from ..errors import UsageError
from ..model import Margin, recipe
from ..quality import Flag, Flags
from .plasma import Plasma, alfven_velocity, plasma_of
from .stretches import windows

LEAST_RECORDS = 6
GOOD_FRAME = 0.85
"""Correlation of E and -V_HT x B from which on a frame is called good."""

WALEN_SLOPE, WALEN_CORRELATION = (0.5, 1.5), 0.8
"""Slope and correlation of V - V_HT with V_A of what passes for Alfvenic."""

FLAGS = Flags(
    "de Hoffmann-Teller analysis",
    (
        Flag(0, "no_frame", f"correlation of the electric fields below {GOOD_FRAME:g}"),
        Flag(1, "walen_failed", "slope or correlation not those of an Alfvenic structure"),
        Flag(2, "too_few", f"fewer than {LEAST_RECORDS} whole records: no result"),
        Flag(3, "degenerate", "B keeps its direction: the frame is not determined"),
        Flag(4, "incomplete", "records of the window are missing or fill"),
    ),
    source="recipes.de_hoffmann_teller",
)

# K0 is singular where B keeps its direction; noise alone gives a few parts in a thousand.
_DEGENERATE = 1e-3


@dataclass(frozen=True, slots=True)
class Frame:
    """A de Hoffmann-Teller frame: velocity (3) [km/s], correlation, D/D0, records, degeneracy."""

    velocity: np.ndarray
    correlation: float
    residual: float
    records: int
    degenerate: bool

    @property
    def good(self) -> bool:
        """Tell whether the electric field vanishes in this frame, nearly."""
        return not self.degenerate and self.correlation >= GOOD_FRAME


@dataclass(frozen=True, slots=True)
class Walen:
    """Regression of V - V_HT on V_A: slope, its error, intercept [km/s], correlation, records."""

    slope: float
    slope_error: float
    intercept: float
    correlation: float
    records: int

    @property
    def passed(self) -> bool:
        """Tell whether the structure is Alfvenic."""
        low, high = WALEN_SLOPE
        return abs(self.correlation) >= WALEN_CORRELATION and low <= abs(self.slope) <= high


def frame_of(velocity: np.ndarray, b: np.ndarray) -> Frame:
    """De Hoffmann-Teller frame of all records.

    Parameters
    ----------
    velocity : ndarray (record, 3)
        [km/s]; records that are not finite do not count.
    b : ndarray (record, 3)
        [nT].

    Raises
    ------
    UsageError
        When fewer than 6 records are whole.

    References
    ----------
    Khrabrov and Sonnerup (1998), ISSI SR-001, chapter 9: equations 9.10 to 9.15.
    """
    whole = np.isfinite(velocity).all(axis=1) & np.isfinite(b).all(axis=1)
    v, b = np.asarray(velocity, float)[whole], np.asarray(b, float)[whole]
    if len(v) < LEAST_RECORDS:
        raise UsageError(f"{len(v)} whole records are too few for a de Hoffmann-Teller frame",
                         todo=f"Take an interval with at least {LEAST_RECORDS}")  # fmt: skip
    projector = (b**2).sum(axis=1)[:, None, None] * np.eye(3) - b[:, :, None] * b[:, None, :]
    k0 = projector.mean(axis=0)
    spread = np.linalg.eigvalsh(k0)
    if not spread[0] > _DEGENERATE * spread[2]:
        return Frame(np.full(3, np.nan), np.nan, np.nan, len(v), True)
    vht = np.linalg.solve(k0, np.einsum("tij,tj->ti", projector, v).mean(axis=0))
    field, moving = np.cross(v, b), np.cross(vht, b)
    left = np.cross(v - vht, b)
    residual = float((left**2).sum() / (field**2).sum()) if field.any() else np.nan
    return Frame(vht, _correlation(field, moving), residual, len(v), False)


def walen_of(plasma: Plasma, frame: Frame) -> Walen:
    """Regression of V - V_HT on V_A, all components of all whole records together.

        V - V_HT = slope V_A + intercept,  V_A = B / sqrt(mu0 n m)

    References
    ----------
    Khrabrov and Sonnerup (1998), ISSI SR-001, section 9.4; Paschmann and Sonnerup (2008), ISSI
    SR-008, chapter 7.
    """
    whole = plasma.whole
    x = alfven_velocity(plasma.b[whole], plasma.density[whole], plasma.mass).ravel()
    y = (plasma.velocity[whole] - frame.velocity).ravel()
    if len(x) < 3 * LEAST_RECORDS or not np.isfinite(y).all():
        return Walen(np.nan, np.nan, np.nan, np.nan, len(x) // 3)
    dx, dy = x - x.mean(), y - y.mean()
    spread = (dx**2).sum()
    slope = float((dx * dy).sum() / spread) if spread > 0 else np.nan
    error = (
        float(np.sqrt(((dy - slope * dx) ** 2).sum() / (len(x) - 2) / spread))
        if spread > 0
        else np.nan
    )
    return Walen(slope, error, float(y.mean() - slope * x.mean()), _correlation(x, y), len(x) // 3)


@recipe(gives=FrameAnalysis, version=1)
def de_hoffmann_teller(
    moments: Annotated[Moments, Margin("window")],
    b: Annotated[VectorSeries, Margin("window"), Margin("accumulation"), Margin("reach")],
    *,
    window: str = "30s",
    step: str = "10s",
    accumulation: str = "150ms",
    reach: str = "2s",
    mass_per_ion: float = 1.0,
) -> xr.Dataset:
    """V_HT (time, component) [km/s], its correlation, and the Walen slope (time) per window.

        V_HT = K0^-1 <K V>,  K_ij = B^2 delta_ij - B_i B_j,  K0 = <K>
        correlation of the components of V x B and V_HT x B;  residual = D(V_HT)/D(0)
        V - V_HT = walen_slope V_A + constant,  V_A = B / sqrt(mu0 n m)

    Windows are centred on full steps of UTC. B is averaged over the accumulation of each record.

    Parameters
    ----------
    moments : Moments
        density [cm^-3], velocity [km/s] of the ions.
    b : VectorSeries
        Magnetic field [nT] in their frame.
    window, step : str
        Length of the windows and time between their centres.
    accumulation, reach : str
        How long a record takes; how far apart samples of B may be that are interpolated where
        none lies in it.
    mass_per_ion : float
        Mean mass per ion in masses of the species (1.16 for 4 % of alphas).

    Returns
    -------
    Dataset
        velocity (time, component), correlation, residual, walen_slope, walen_slope_error,
        walen_correlation, count, quality (time). NaN for windows of fewer than 6 whole records
        and where B keeps its direction. Flags say which frames are poor (correlation below 0.85)
        and which windows fail the Walen test (|slope| outside of 0.5 to 1.5, |correlation| below
        0.8).

    Raises
    ------
    DataTypeError
        When the frames differ.

    References
    ----------
    Khrabrov and Sonnerup (1998), ISSI SR-001, chapter 9.
    """
    plasma = plasma_of(moments, b, accumulation, reach, mass_per_ion)
    found = windows(plasma.time, window, step)
    rows = [
        _row(plasma, slice(first, last))
        for first, last in zip(found.first, found.last, strict=True)
    ]
    values = np.array(rows, np.float64).reshape(-1, 10)
    t, one = ("time",), {"units": "1"}
    return xr.Dataset(
        {
            "velocity": (("time", "component"), values[:, :3],
                         {"units": "km s^-1", "long_name": "de Hoffmann-Teller velocity",
                          "frame": plasma.frame}),
            "correlation": (t, values[:, 3], one | {"long_name": "correlation of electric fields"}),
            "residual": (t, values[:, 4], one | {"long_name": "electric field left, squared"}),
            "walen_slope": (t, values[:, 5], one | {"long_name": "slope of V - V_HT over V_A"}),
            "walen_slope_error": (t, values[:, 6], one | {"long_name": "error of the Walen slope"}),
            "walen_correlation": (t, values[:, 7],
                                  one | {"long_name": "correlation of V - V_HT with V_A"}),
            "count": (t, values[:, 8].astype(np.int64), one | {"long_name": "whole records"}),
            "quality": (t, values[:, 9].astype(np.uint32), FLAGS.attrs),
        },
        {"time": found.time, "component": ["x", "y", "z"]},
        {"window": window, "species": moments.attrs["species"]},
    )  # fmt: skip


def part_of(plasma: Plasma, records: slice | np.ndarray) -> Plasma:
    """Return some records of a plasma."""
    return Plasma(
        plasma.time[records],
        plasma.density[records],
        plasma.velocity[records],
        plasma.b[records],
        plasma.mass,
        plasma.frame,
    )


def _row(plasma: Plasma, records: slice) -> tuple[float, ...]:
    part = part_of(plasma, records)
    whole = int(part.whole.sum())
    missing = 16 if whole < part.time.size else 0
    if whole < LEAST_RECORDS:
        return (*[np.nan] * 8, whole, 4 | missing)
    part = part_of(part, part.whole)
    frame = frame_of(part.velocity, part.b)
    walen = walen_of(part, frame)
    quality = (
        missing
        | (0 if frame.good else 1)
        | (0 if walen.passed else 2)
        | (8 if frame.degenerate else 0)
    )
    return (
        *frame.velocity,
        frame.correlation,
        frame.residual,
        walen.slope,
        walen.slope_error,
        walen.correlation,
        whole,
        quality,
    )


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    dx, dy = x.ravel() - x.mean(), y.ravel() - y.mean()
    size = np.sqrt((dx**2).sum() * (dy**2).sum())
    return float((dx * dy).sum() / size) if size > 0 else np.nan
