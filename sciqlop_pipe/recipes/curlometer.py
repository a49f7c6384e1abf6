"""Currents, gradients and nulls of the magnetic field between four spacecraft."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..constants import VACUUM_PERMEABILITY
from ..datatypes import CurrentDensity, FieldGradient, MagneticNull, Position, VectorSeries
from ..granule import duration
from ..kernels.tetrahedron import currents, gradients
from ..model import Margin, recipe
from ..quality import Flag, Flags
from .formation import FLAGS as FORMATION_FLAGS
from .formation import Formation, formation, on_one_clock, one_frame
from .joining import ascending, clock

NA_PER_NT_KM = 1e-12 / VACUUM_PERMEABILITY * 1e9
"""curl B [nT/km] to J [nA m^-2]."""

POOR = 0.5
"""|div B| / |curl B| above which a current is doubtful."""

FLAGS = Flags(
    "curlometer",
    (*FORMATION_FLAGS.flags, Flag(3, "divergence", f"|div B| above {POOR:g} of |curl B|")),
    source="recipes.curlometer",
)

KINDS = ("none", "A", "B", "As", "Bs", "X", "O")
"""Kinds of nulls by number: three-dimensional, spiral (s), and those that are two-dimensional."""

ROUNDING = 1e-9
"""Part of the largest gradient below which a divergence (or its cube a determinant) is zero."""

TRUSTED = 0.4
NULL_FLAGS = Flags(
    "magnetic null",
    (
        *FORMATION_FLAGS.flags,
        Flag(3, "untrusted", f"eta or xi above {TRUSTED:g}: the field is not linear here"),
        Flag(4, "far", "the null lies farther away than the spacecraft from each other"),
    ),
    source="recipes.curlometer",
)

_AXES = ["x", "y", "z"]
_REACH, _POSITION_REACH = "100ms", "5min"


@recipe(gives=CurrentDensity, version=1)
def curlometer(
    b1: VectorSeries,
    b2: Annotated[VectorSeries, Margin("reach")],
    b3: Annotated[VectorSeries, Margin("reach")],
    b4: Annotated[VectorSeries, Margin("reach")],
    r1: Annotated[Position, Margin("position_reach")],
    r2: Annotated[Position, Margin("position_reach"), Margin("position_reach")],
    r3: Annotated[Position, Margin("position_reach"), Margin("position_reach")],
    r4: Annotated[Position, Margin("position_reach"), Margin("position_reach")],
    *,
    reach: str = _REACH,
    position_reach: str = _POSITION_REACH,
) -> xr.Dataset:
    """J (time, component), along B (time), and div B / mu0 (time) [nA m^-2]; |div B|/|curl B|.

        mu0 J = curl B = sum_a k_a x B_a,  div B = sum_a k_a . B_a
        k_4 = (r_12 x r_13) / (r_14 . (r_12 x r_13)) and so on in turn

    B is taken to vary linearly between the spacecraft; div B, which is zero in truth, tells how
    far that holds. The clock is that of the first spacecraft; there is a record where all four
    fields and positions are known, nothing before the last file begins.

    Parameters
    ----------
    b1, b2, b3, b4 : VectorSeries
        Magnetic field [nT] in one frame; b2 to b4 are interpolated between near neighbours.
    r1, r2, r3, r4 : Position
        Of the same frame and all of one source [km].
    reach, position_reach : str
        How far apart records of the fields and of the positions may be that are interpolated.

    Raises
    ------
    DataTypeError
        When frames differ.

    References
    ----------
    Dunlop et al. (1988), Adv. Space Res. 8, 273, doi:10.1016/0273-1177(88)90141-X; Chanteur
    (1998), ISSI SR-001, chapter 14: reciprocal vectors.
    """
    fields, places = (b1, b2, b3, b4), formation((r1, r2, r3, r4), position_reach)
    frame = one_frame([*(b.variables["vector"] for b in fields), r1.variables["position"]])
    time, current, along, divergence, ratio, quality = _currents(fields, places, reach)
    t, tc, unit = ("time",), ("time", "component"), {"units": "nA m^-2"}
    return xr.Dataset(
        {
            "current": (tc, current, unit | {"long_name": "current density", "frame": frame}),
            "current_parallel": (t, along, unit | {"long_name": "current along the field"}),
            "divergence": (t, divergence, unit | {"long_name": "div B / mu0 (zero in truth)"}),
            "ratio": (t, ratio, {"units": "1", "long_name": "|div B| / |curl B|"}),
            "quality": (t, quality, FLAGS.attrs),
        },
        clock(time),
    )


@recipe(gives=FieldGradient, version=1)
def field_gradient(
    b1: VectorSeries,
    b2: Annotated[VectorSeries, Margin("reach")],
    b3: Annotated[VectorSeries, Margin("reach")],
    b4: Annotated[VectorSeries, Margin("reach")],
    r1: Annotated[Position, Margin("position_reach")],
    r2: Annotated[Position, Margin("position_reach"), Margin("position_reach")],
    r3: Annotated[Position, Margin("position_reach"), Margin("position_reach")],
    r4: Annotated[Position, Margin("position_reach"), Margin("position_reach")],
    *,
    reach: str = _REACH,
    position_reach: str = _POSITION_REACH,
) -> xr.Dataset:
    """dB_j/dx_i (time, component i, component_2 j) [nT km^-1], B and curvature at the barycentre.

        dB_j/dx_i = sum_a k_ai B_aj,  curvature = (b . grad) b,  b = B/|B|

    Parameters
    ----------
    b1, b2, b3, b4, r1, r2, r3, r4, reach, position_reach
        As of `curlometer`; any vector will do, in its own units per km.

    Raises
    ------
    DataTypeError
        When frames differ.

    References
    ----------
    Chanteur (1998), ISSI SR-001, chapter 14; Shen et al. (2003), J. Geophys. Res. 108, 1168,
    doi:10.1029/2002JA009612: curvature.
    """
    fields, places = (b1, b2, b3, b4), formation((r1, r2, r3, r4), position_reach)
    frame = one_frame([*(b["vector"] for b in fields), r1["position"]])
    time, values = on_one_clock(fields, places, reach)
    if time.size:
        gradient = gradients(*values, time, places.time, places.reciprocal)
        mean = sum(values) / 4
    else:
        gradient, mean = np.zeros((0, 3, 3)), np.zeros((0, 3))
    strength = np.linalg.norm(mean, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = mean / strength[:, None]
        along = np.einsum("ti,tij->tj", unit, gradient) / strength[:, None]
    curvature = along - (along * unit).sum(axis=1, keepdims=True) * unit
    units = str(b1["vector"].attrs["units"])
    tc = ("time", "component")
    return xr.Dataset(
        {
            "gradient": ((*tc, "component_2"), gradient,
                         {"units": f"{units} km^-1", "long_name": "gradient, d/dx_i of B_j",
                          "frame": frame}),
            "mean": (tc, mean, {"units": units, "long_name": "mean of four spacecraft",
                                "frame": frame}),
            "curvature": (tc, curvature, {"units": "km^-1", "long_name": "curvature of field lines",
                                          "frame": frame}),
            "quality": (("time",), _at(places, time), FORMATION_FLAGS.attrs),
            "size": (("time",), _sizes(places, time),
                     {"units": "km", "long_name": "longest distance between spacecraft"}),
        },
        {"time": time.astype("datetime64[ns]"), "component": _AXES, "component_2": _AXES},
    )  # fmt: skip


@recipe(gives=MagneticNull, version=2)
def magnetic_nulls(gradient: FieldGradient) -> xr.Dataset:
    """Offset (time, component) and distance (time) [km] of the null of the linear field, its kind.

        B(r) = B_0 + (r . grad) B = 0,  first-order Taylor expansion (FOTE)
        eta = |div B|/|curl B|,  xi = |l1 + l2 + l3|/max|l|,  l eigenvalues of dB_i/dx_j

    Every linear field has a null somewhere: it means something where it is near and eta and xi
    are below 0.4; both are flagged. Without a divergence eta is zero, with a current or without.
    Kinds: A (one positive, two negative eigenvalues), B (one negative, two positive), As and Bs
    (the pair complex: spirals); X or O where the field is as good as two-dimensional (an eigenvalue
    below a quarter of the largest; for O the real parts below a quarter of the imaginary ones).

    Parameters
    ----------
    gradient : FieldGradient
        Gradient and mean of B of four spacecraft.

    Returns
    -------
    Dataset
        offset (time, component) [km] from the barycentre, distance (time) [km], kind (time) with
        its CF flag meanings, eta, xi, quality.

    References
    ----------
    Fu et al. (2015), J. Geophys. Res. 120, 3758, doi:10.1002/2015JA021082; Lau and Finn (1990),
    Astrophys. J. 350, 672, doi:10.1086/168419.
    """
    g = np.array(gradient["gradient"].values, np.float64)
    g[~np.isfinite(g).all(axis=(1, 2))] = np.nan  # an infinite curl would make eta zero
    mean = np.asarray(gradient["mean"].values, np.float64)
    jacobian = np.transpose(g, (0, 2, 1))
    n = len(g)
    offset, eigenvalues = np.full((n, 3), np.nan), np.full((n, 3), np.nan, complex)
    whole = np.isfinite(g).all(axis=(1, 2)) & np.isfinite(mean).all(axis=1)
    scale = np.abs(g).max(axis=(1, 2)) if n else np.zeros(0)
    with np.errstate(invalid="ignore"):
        whole &= np.abs(np.linalg.det(jacobian)) > ROUNDING * scale**3
    offset[whole] = np.linalg.solve(jacobian[whole], -mean[whole][..., None])[..., 0]
    eigenvalues[whole] = np.linalg.eigvals(jacobian[whole])
    distance = np.linalg.norm(offset, axis=1)
    curl = np.stack([g[:, 1, 2] - g[:, 2, 1], g[:, 2, 0] - g[:, 0, 2], g[:, 0, 1] - g[:, 1, 0]], 1)
    divergence = np.abs(np.trace(g, axis1=1, axis2=2))
    with np.errstate(divide="ignore", invalid="ignore"):
        eta = divergence / np.linalg.norm(curl, axis=1)
        # Without a current both may be rounding, and their ratio anything.
        eta = np.where(divergence <= ROUNDING * scale, 0.0, eta)
        xi = np.abs(eigenvalues.sum(axis=1)) / np.abs(eigenvalues).max(axis=1)
    quality = gradient["quality"].values.astype(np.uint32) | NULL_FLAGS.words(
        untrusted=~((eta <= TRUSTED) & (xi <= TRUSTED)),
        far=~(distance <= gradient["size"].values),
    )
    t, frame = ("time",), str(gradient["gradient"].attrs["frame"])
    about_kind = {"units": "1", "long_name": "kind of null", "flag_values": list(range(len(KINDS))),
                  "flag_meanings": " ".join(KINDS)}  # fmt: skip
    return xr.Dataset(
        {
            "offset": (("time", "component"), offset,
                       {"units": "km", "long_name": "null from the barycentre", "frame": frame}),
            "distance": (t, distance, {"units": "km", "long_name": "distance of the null"}),
            "kind": (t, null_kinds(eigenvalues), about_kind),
            "eta": (t, eta, {"units": "1", "long_name": "|div B| / |curl B|"}),
            "xi": (t, xi, {"units": "1", "long_name": "sum over largest eigenvalue"}),
            "quality": (t, quality, NULL_FLAGS.attrs),
        },
        {"time": gradient["time"], "component": _AXES},
    )  # fmt: skip


def null_kinds(eigenvalues: np.ndarray) -> np.ndarray:
    """Kinds (time,) of nulls, as numbers in KINDS, of complex eigenvalues (time, 3)."""
    size, real = np.abs(eigenvalues), eigenvalues.real
    with np.errstate(invalid="ignore"):
        spiral = (np.abs(eigenvalues.imag) > 1e-9 * size.max(axis=1, keepdims=True)).any(axis=1)
        negative = (real < 0).sum(axis=1) >= 2
        flat = size.min(axis=1) < 0.25 * size.max(axis=1)
        pair = np.sort(np.abs(eigenvalues.imag), axis=1)[:, 1]
        round_ = np.abs(real).max(axis=1) < 0.25 * pair
    kind = np.where(spiral, np.where(negative, 3, 4), np.where(negative, 1, 2))
    kind = np.where(~spiral & flat, 5, np.where(spiral & round_, 6, kind))
    return np.where(np.isfinite(size).all(axis=1), kind, 0).astype(np.int8)


def _currents(
    fields: tuple[xr.Dataset, ...], places: Formation, reach: str
) -> tuple[np.ndarray, ...]:
    """Return time [ns], current, along the field, divergence, ratio, quality (time)."""
    values = [b.variables["vector"].values for b in fields]
    kind = np.float32 if all(v.dtype == np.float32 for v in values) else np.float64
    series: list[np.ndarray] = []
    for b, v in zip(fields, values, strict=True):
        time = ascending(b.variables["time"].values, "four spacecraft")
        series += [time, np.ascontiguousarray(v, kind)]
    n = len(values[0])
    # One piece of memory: the system gives a large one in pages of 2 MB, not of 4 kB.
    room = np.empty((8, n))
    out = (room[0].view(np.int64), room[1:4].reshape(n, 3), *room[4:7], room[7].view(np.uint32)[:n])
    if places.time.size < 2:
        return tuple(a[:0] for a in out)
    samples = currents(
        *series, duration(reach), places.time, places.reciprocal, NA_PER_NT_KM,
        places.words, POOR, np.uint32(8), out,
    )  # fmt: skip
    return tuple(a[:samples] for a in out)


def _at(places: Formation, time: np.ndarray) -> np.ndarray:
    if not time.size:
        return np.zeros(0, np.uint32)
    return places.flags_at(time)


def _sizes(places: Formation, time: np.ndarray) -> np.ndarray:
    """Return the longest distance between spacecraft (time,) [km]."""
    if not time.size:
        return np.zeros(0)
    r = places.position
    between = np.linalg.norm(r[:, :, None] - r[:, None], axis=-1).max(axis=(1, 2))
    return np.interp(time, places.time, between)
