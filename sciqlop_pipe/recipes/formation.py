"""Four spacecraft as one instrument: common clock, reciprocal vectors, shape, barycentre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import Position, TetrahedronShape
from ..errors import DataTypeError
from ..kernels.joining import whole_rows
from ..kernels.tetrahedron import reciprocal
from ..model import Margin, recipe
from ..quality import Flag, Flags
from .joining import ascending, clock, nearby

PAIRS = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
FLAT = 0.9
"""Elongation or planarity from which on gradients across the tetrahedron are not resolved."""

FLAGS = Flags(
    "tetrahedron",
    (
        Flag(0, "elongated", f"elongation above {FLAT:g}: four spacecraft nearly in a line"),
        Flag(1, "flat", f"planarity above {FLAT:g}: four spacecraft nearly in a plane"),
        Flag(2, "degenerate", "in a plane: no gradient"),
    ),
    source="recipes.formation",
)
_POSITION_REACH = "5min"


@dataclass(frozen=True, slots=True)
class Formation:
    """Where four spacecraft are: `time` (knot) [ns], `position` (knot, spacecraft, 3) [km].

    `reciprocal` (knot, spacecraft, 3) [km^-1] is NaN where the four lie in a plane; `quality`
    (knot) says so, and what is nearly so.
    """

    time: np.ndarray
    position: np.ndarray
    reciprocal: np.ndarray
    quality: np.ndarray
    frame: str

    @property
    def barycentre(self) -> np.ndarray:
        """Return the mean position, (knot, 3) [km]."""
        return self.position.mean(axis=1)

    @property
    def words(self) -> np.ndarray:
        """Return the flags of each knot and the next, (knot - 1)."""
        return self.quality[:-1] | self.quality[1:]

    def flags_at(self, time: np.ndarray) -> np.ndarray:
        """Return the flags of the knots on both sides of times (time,) [ns]."""
        words = self.words
        edges = np.searchsorted(time, self.time[1:-1])
        return np.repeat(words, np.diff(edges, prepend=0, append=time.size))


def formation(positions: tuple[xr.Dataset, ...], reach: str) -> Formation:
    """Four positions at the times of the first, between near neighbours of the others.

    Parameters
    ----------
    positions : tuple of Dataset
        Four Positions, in one frame and of one source: frames of two teams may be turned by more
        than the spacecraft are apart.
    reach : str
        How far apart positions may be that are interpolated.

    Raises
    ------
    DataTypeError
        When the frames differ.
    """
    frame = one_frame([r.variables["position"] for r in positions])
    series = [[p.variables[name].values for name in ("time", "position")] for p in positions]
    known = ascending(series[0][0], "four spacecraft")
    r = np.stack([nearby(time, position, known, reach) for time, position in series], axis=1)
    whole = np.isfinite(r).all(axis=(1, 2))
    r, time = np.ascontiguousarray(r[whole]), known[whole]
    k = np.full(r.shape, np.nan)
    # A volume below 1e-9 of a cube of that size is rounding.
    size = np.abs(r - r[:, 3:]).max(axis=(1, 2)) if len(r) else np.zeros(0)
    for t in range(len(r)):
        if reciprocal(r[t], k[t]) < 1e-9 * size[t] ** 3:
            k[t] = np.nan
    return Formation(time, r, k, _quality(r, k), frame)


def one_frame(vectors: Sequence[xr.DataArray | xr.Variable]) -> str:
    """Return the frame of all vectors.

    Raises
    ------
    DataTypeError
        When they are in different ones.
    """
    frames = {str(v.attrs.get("frame")) for v in vectors}
    if len(frames) > 1:
        raise DataTypeError(f"vectors are in {', '.join(sorted(frames))}", "four spacecraft",
                            "Turn all of them into one frame")  # fmt: skip
    return frames.pop()


def on_one_clock(
    fields: tuple[xr.Dataset, ...], formation: Formation, reach: str
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Times (time,) [ns] at which all four fields and positions are known, and the fields there.

    The first spacecraft's records give the times; the others are interpolated between near
    neighbours. Nothing before the last one begins, nothing after the first one ends.
    """
    time = ascending(fields[0]["time"].values, "four spacecraft")
    if formation.time.size < 2:
        return time[:0], tuple(np.zeros((0, 3)) for _ in fields)
    first, last = np.searchsorted(time, [formation.time[0], formation.time[-1] + 1])
    time = time[first:last]
    values = [np.ascontiguousarray(fields[0]["vector"].values[first:last], np.float64)]
    values += [nearby(o["time"].values, o["vector"].values, time, reach) for o in fields[1:]]
    known = whole_rows(*values)
    if known.all():
        return time, tuple(values)
    return time[known], tuple(v[known] for v in values)


@recipe(gives=TetrahedronShape, version=1)
def tetrahedron_shape(
    r1: Position,
    r2: Annotated[Position, Margin("reach")],
    r3: Annotated[Position, Margin("reach")],
    r4: Annotated[Position, Margin("reach")],
    *,
    reach: str = _POSITION_REACH,
) -> xr.Dataset:
    """Size [km], elongation, planarity, volume [km^3], quality factors (time), barycentre [km].

        R_ij = sum_a (r_a - r_b)_i (r_a - r_b)_j / 4,  eigenvalues a^2 >= b^2 >= c^2
        size L = 2a,  elongation E = 1 - b/a,  planarity P = 1 - c/b
        Q_GM = true volume / ideal volume + true surface / ideal surface + 1,  1 to 3
        Q_RR = ( 9 sqrt(3) V / 8 )^(1/3) / radius of the circumscribed sphere, 0 to 1

    Parameters
    ----------
    r1, r2, r3, r4 : Position
        Of one frame and one source [km]; the first gives the times.
    reach : str
        How far apart positions may be that are interpolated.

    References
    ----------
    Robert et al. (1998), ISSI SR-001, chapter 13 (L, E, P, Q_GM, Q_RR).
    """
    found = formation((r1, r2, r3, r4), reach)
    a, b, c = _semiaxes(found.position)
    with np.errstate(invalid="ignore", divide="ignore"):
        elongation, planarity = 1 - b / a, 1 - c / b
    volume, surface, radius = _solids(found.position)
    separation = np.stack(
        [np.linalg.norm(found.position[:, i] - found.position[:, j], axis=1) for i, j in PAIRS], 1
    )
    mean = separation.mean(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        gm = volume / (mean**3 * np.sqrt(2) / 12) + surface / (mean**2 * np.sqrt(3)) + 1
        rr = np.cbrt(9 * np.sqrt(3) * volume / 8) / radius
    t = ("time",)
    one = {"units": "1"}
    return xr.Dataset(
        {
            "size": (t, 2 * a, {"units": "km", "long_name": "characteristic size"}),
            "elongation": (t, elongation, one | {"long_name": "elongation"}),
            "planarity": (t, planarity, one | {"long_name": "planarity"}),
            "volume": (t, volume, {"units": "km^3", "long_name": "volume"}),
            "quality_gm": (t, gm, one | {"long_name": "quality factor of Glassmeier"}),
            "quality_rr": (t, rr, one | {"long_name": "quality factor of Robert and Roux"}),
            "separation": (("time", "pair"), separation,
                           {"units": "km", "long_name": "distances between spacecraft"}),
            "barycentre": (("time", "component"), found.barycentre,
                           {"units": "km", "long_name": "barycentre", "frame": found.frame}),
            "quality": (t, found.quality, FLAGS.attrs),
        },
        clock(found.time).assign(pair=[f"{i + 1}{j + 1}" for i, j in PAIRS]),
    )  # fmt: skip


@recipe(gives=Position, version=1)
def barycentre(
    r1: Position,
    r2: Annotated[Position, Margin("reach")],
    r3: Annotated[Position, Margin("reach")],
    r4: Annotated[Position, Margin("reach")],
    *,
    reach: str = _POSITION_REACH,
) -> xr.Dataset:
    """Mean position of four spacecraft, (time, component) [km], where all four are known.

        r_b = (r_1 + r_2 + r_3 + r_4) / 4

    Parameters
    ----------
    r1, r2, r3, r4 : Position
        Of one frame and one source [km]; the first gives the times.
    reach : str
        How far apart positions may be that are interpolated.

    References
    ----------
    Harvey (1998), ISSI SR-001, chapter 12: mesocentre.
    """
    found = formation((r1, r2, r3, r4), reach)
    attrs = {"units": "km", "long_name": "barycentre of four spacecraft", "frame": found.frame}
    return xr.Dataset(
        {"position": (("time", "component"), found.barycentre, attrs)},
        clock(found.time),
    )


def _semiaxes(position: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    d = position - position.mean(axis=1, keepdims=True)
    tensor = np.einsum("tai,taj->tij", d, d) / 4
    w = np.linalg.eigvalsh(tensor) if len(position) else np.zeros((0, 3))
    c, b, a = np.sqrt(np.maximum(w, 0.0)).T
    return a, b, c


def _solids(position: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return volume, surface and radius of the circumscribed sphere."""
    u, v, w = (position[:, a] - position[:, 3] for a in range(3))
    volume = np.abs((u * np.cross(v, w)).sum(axis=1)) / 6
    surface = np.zeros(len(position))
    for a in range(4):
        p, q, s = (position[:, (a + n) % 4] for n in (1, 2, 3))
        surface += 0.5 * np.linalg.norm(np.cross(q - p, s - p), axis=1)
    squares = [(x**2).sum(axis=1, keepdims=True) for x in (u, v, w)]
    top = squares[0] * np.cross(v, w) + squares[1] * np.cross(w, u) + squares[2] * np.cross(u, v)
    with np.errstate(divide="ignore", invalid="ignore"):
        radius = np.linalg.norm(top, axis=1) / (12 * volume)
    return volume, surface, radius


def _quality(position: np.ndarray, k: np.ndarray) -> np.ndarray:
    a, b, c = _semiaxes(position)
    return FLAGS.words(
        elongated=~(b > (1 - FLAT) * a),
        flat=~(c > (1 - FLAT) * b),
        degenerate=np.isnan(k).any(axis=(1, 2)),
    )
