"""Shocks: normals by several methods, theta_Bn, speed along the normal, Mach numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import xarray as xr

from ..constants import ELEMENTARY_CHARGE
from ..datatypes import Moments, ShockSeries, VectorSeries
from ..errors import UsageError
from ..granule import duration
from ..model import Margin, recipe
from ..quality import Flag, Flags
from .de_hoffmann_teller import part_of
from .minimum_variance import LEAST_RECORDS as LEAST_FOR_VARIANCE
from .minimum_variance import variance_of
from .plasma import Plasma, alfven_velocity, plasma_of, temperature_of

METHODS = ("magnetic_coplanarity", "velocity_coplanarity", "mixed_1", "mixed_2", "mixed_3",
           "minimum_variance")  # fmt: skip

FLAGS = Flags(
    "shock",
    (
        Flag(0, "coplanarity_undefined", "the fields on both sides are parallel within 5 deg"),
        Flag(1, "velocity_unchanged", "the velocity changes by less than 5 %"),
        Flag(2, "normals_disagree", "mixed normals more than 20 deg apart"),
        Flag(3, "no_temperature", "no temperature: no fast Mach number"),
        Flag(4, "not_compressed", "downstream is not denser: the sides may be swapped"),
        Flag(5, "too_slow", "the inflow is below Mach 1 by the mixed normals: no fast shock"),
    ),
    source="recipes.shocks",
)


@dataclass(frozen=True, slots=True)
class Side:
    """Mean state on one side: B (3) [nT], n [cm^-3], V (3) [km/s], T [eV], mass [kg], records."""

    b: np.ndarray
    density: float
    velocity: np.ndarray
    temperature: float
    mass: float
    records: int = 1


@dataclass(frozen=True, slots=True)
class Shock:
    """A shock by one method: normal (3) towards upstream, theta_Bn [deg], speed along it [km/s].

    The Mach numbers are those of the flow into the shock, along the normal, in its frame.
    """

    method: str
    normal: np.ndarray
    theta_bn: float
    speed: float
    alfven_mach: float
    fast_mach: float


def side_of(moments: xr.Dataset, b: xr.Dataset, accumulation: str, reach: str) -> Side:
    """Return the means of all whole records of moments with the field on their clock.

    Raises
    ------
    UsageError
        When fewer than 3 records are whole.
    DataTypeError
        When the frames differ.
    """
    side = _side(plasma_of(moments, b, accumulation, reach), temperature_of(moments))
    if side is None:
        raise UsageError("fewer than 3 records have density, velocity and field", "shock")
    return side


def _side(plasma: Plasma, temperature: np.ndarray) -> Side | None:
    use = plasma.whole
    if use.sum() < 3:
        return None
    return Side(
        plasma.b[use].mean(axis=0),
        float(plasma.density[use].mean()),
        plasma.velocity[use].mean(axis=0),
        float(temperature[use].mean()),
        plasma.mass,
        int(use.sum()),
    )


def normals(up: Side, down: Side) -> dict[str, np.ndarray]:
    """Unit normals (3) by method, towards upstream; NaN where a method is undefined.

        magnetic coplanarity  (Bd x Bu) x dB,  velocity coplanarity  dV
        mixed  (Bu x dV) x dB,  (Bd x dV) x dB,  (dB x dV) x dB

    References
    ----------
    Schwartz (1998), ISSI SR-001, chapter 10: equations 10.13 to 10.18.
    """
    db, dv = down.b - up.b, down.velocity - up.velocity
    raw = {
        "magnetic_coplanarity": np.cross(np.cross(down.b, up.b), db),
        "velocity_coplanarity": dv,
        "mixed_1": np.cross(np.cross(up.b, dv), db),
        "mixed_2": np.cross(np.cross(down.b, dv), db),
        "mixed_3": np.cross(np.cross(db, dv), db),
    }
    return {name: upstream_side(n, dv) for name, n in raw.items()}


def upstream_side(normal: np.ndarray, dv: np.ndarray) -> np.ndarray:
    """Return a unit normal that points upstream: the flow is slowed down against it."""
    length = np.linalg.norm(normal)
    if not length > 0:
        return np.full(3, np.nan)
    unit = normal / length
    return unit if unit @ dv >= 0 else -unit


def shock_of(up: Side, down: Side, method: str, normal: np.ndarray) -> Shock:
    """Angle, speed and Mach numbers of a shock whose normal is known.

        cos theta_Bn = |Bu . n| / |Bu|,  V_sh = (n_d V_d - n_u V_u) . n / (n_d - n_u)
        M = |V_u . n - V_sh| / V_A,  V_f^2 = (a + sqrt(a^2 - 4 c_s^2 V_A^2 cos^2 theta_Bn)) / 2,
        a = V_A^2 + c_s^2,  c_s^2 = (5/3) T / m

    Mass flux through the shock is conserved in its frame. T is that of all species together: give
    the sum of ions and electrons where both are known.

    References
    ----------
    Schwartz (1998), ISSI SR-001, equations 10.25, 10.29; Baumjohann and Treumann (1996), 9.7.
    """
    cosine = abs(float(up.b @ normal)) / float(np.linalg.norm(up.b))
    change = down.density - up.density
    flux = float((down.density * down.velocity - up.density * up.velocity) @ normal)
    speed = flux / change if change else np.nan
    inflow = abs(float(up.velocity @ normal) - speed)
    alfven = float(
        alfven_velocity(np.array([np.linalg.norm(up.b)]), np.array([up.density]), up.mass)[0]
    )
    sound2 = 5 / 3 * up.temperature * ELEMENTARY_CHARGE / up.mass * 1e-6
    a = alfven**2 + sound2
    fast = np.sqrt(0.5 * (a + np.sqrt(max(a**2 - 4 * sound2 * (alfven * cosine) ** 2, 0.0))))
    return Shock(
        method,
        normal,
        float(np.degrees(np.arccos(min(cosine, 1.0)))),
        speed,
        inflow / alfven if alfven > 0 else np.nan,
        inflow / fast if np.isfinite(sound2) and fast > 0 else np.nan,
    )


def shock_analysis(up: Side, down: Side, across: np.ndarray | None = None) -> tuple[Shock, ...]:
    """Shocks by all methods of `METHODS`.

    Parameters
    ----------
    up, down : Side
        Means on both sides; swap them for a shock met from behind.
    across : ndarray (record, 3), optional
        Field through the shock [nT], for minimum variance.

    Raises
    ------
    UsageError
        When a side has no field or no density.
    """
    for side, word in ((up, "upstream"), (down, "downstream")):
        if not (np.isfinite(side.b).all() and side.b.any() and side.density > 0):
            raise UsageError("there is no field or no density", word, "Take another interval")
    found = normals(up, down)
    dv = down.velocity - up.velocity
    found["minimum_variance"] = np.full(3, np.nan)
    if across is not None and np.isfinite(across).all(axis=1).sum() >= LEAST_FOR_VARIANCE:
        found["minimum_variance"] = upstream_side(variance_of(across).axes[2], dv)
    return tuple(shock_of(up, down, name, found[name]) for name in METHODS)


def quality_of(up: Side, down: Side, shocks: tuple[Shock, ...]) -> int:
    """Return the flags of an analysis, see `FLAGS`."""
    sine = np.linalg.norm(np.cross(up.b, down.b)) / np.linalg.norm(up.b) / np.linalg.norm(down.b)
    change = np.linalg.norm(down.velocity - up.velocity) / max(
        float(np.linalg.norm(up.velocity)), 1e-9
    )
    mixed = np.array([s.normal for s in shocks if s.method.startswith("mixed")])
    apart = (np.abs(mixed @ mixed.T) < np.cos(np.radians(20))).any()
    return (
        (1 if sine < np.sin(np.radians(5)) else 0)
        | (2 if change < 0.05 else 0)
        | (4 if apart or not np.isfinite(mixed).all() else 0)
        | (0 if np.isfinite(up.temperature) else 8)
        | (0 if down.density > up.density else 16)
        | (32 if _fastest(shocks) < 1 else 0)
    )


def _fastest(shocks: tuple[Shock, ...]) -> float:
    """Return the highest Mach number by the mixed normals; that of Alfven without a temperature."""
    found = [
        s.fast_mach if np.isfinite(s.fast_mach) else s.alfven_mach
        for s in shocks
        if s.method.startswith("mixed")
    ]
    return float(np.nanmax([*found, -np.inf]))


@dataclass(frozen=True, slots=True)
class _Passage:
    time: int
    up: Side
    down: Side
    jump: float
    upstream_first: bool


@recipe(gives=ShockSeries, version=3)
def shock_passages(
    moments: Annotated[Moments, Margin("side"), Margin("side"), Margin("ramp")],
    b: Annotated[VectorSeries, Margin("side"), Margin("side"), Margin("ramp")],
    *,
    side: str = "2min",
    ramp: str = "30s",
    step: str = "10s",
    accumulation: str = "4s",
    reach: str = "8s",
    least_compression: float = 1.5,
    mass_per_ion: float = 1.0,
) -> xr.Dataset:
    """Normals (time, technique, component), theta_Bn [deg], speed [km/s], Mach numbers per shock.

        n ~ (dB x dV) x dB and others,  cos theta_Bn = |B_u . n| / |B_u|
        V_sh = (n_d V_d - n_u V_u) . n / (n_d - n_u),  M = |V_u . n - V_sh| / V_A or V_f

    At full steps of UTC the means over `side` before and after a `ramp` are compared. A record is
    made where density and field both grow or both shrink by `least_compression` and more, the
    denser plasma is slower, and no other such time within `side` has a higher jump of density
    times field. Everything is in the frame of the data; see `normals` and
    `shock_of` for the formulas.

    Parameters
    ----------
    moments : Moments
        density [cm^-3], velocity [km/s], temperature [eV] of ions; without electrons Mach numbers
        are those of ions alone.
    b : VectorSeries
        Magnetic field [nT] in their frame.
    side, ramp, step : str
        Length of each side, of what lies between, and between times that are looked at.
    accumulation, reach : str
        As of `joining.joined`.
    least_compression : float
        Smallest ratio of densities and of fields.
    mass_per_ion : float
        Mean mass per ion, in masses of the species.

    Returns
    -------
    Dataset
        One record per shock; `upstream_first` is 1 where the spacecraft comes from upstream,
        `count` the whole records of both sides.
        Quality flags name undefined and disagreeing normals, and passages that are no fast shocks
        (a magnetopause has such a jump as well).

    Raises
    ------
    DataTypeError
        When the frames differ.

    References
    ----------
    Schwartz (1998), ISSI SR-001, chapter 10; Abraham-Shrauner (1972), J. Geophys. Res. 77, 736,
    doi:10.1029/JA077i004p00736: mixed methods.
    """
    plasma = plasma_of(moments, b, accumulation, reach, mass_per_ion)
    temperature = temperature_of(moments)
    time = plasma.time
    every, length, gap = duration(step), duration(side), duration(ramp) // 2
    found: list[_Passage] = []
    times = np.zeros(0, np.int64)
    if time.size:
        times = np.arange(time[0] // every, time[-1] // every + 2) * every

    def mean(start: int, stop: int) -> Side | None:
        i, j = np.searchsorted(time, [start, stop])
        return _side(part_of(plasma, slice(i, j)), temperature[i:j])

    for t in times.tolist():
        before, after = mean(t - gap - length, t - gap), mean(t + gap, t + gap + length)
        if before is None or after is None:
            continue
        first = after.density > before.density
        up, down = (before, after) if first else (after, before)
        dense = down.density / up.density
        strong = float(np.linalg.norm(down.b)) / max(float(np.linalg.norm(up.b)), 1e-9)
        slowed = np.linalg.norm(down.velocity) < np.linalg.norm(up.velocity)
        if min(dense, strong) >= least_compression and slowed:
            found.append(_Passage(t, up, down, dense * strong, first))
    kept = [
        p
        for p in found
        if not any(
            abs(o.time - p.time) < length and (o.jump, -o.time) > (p.jump, -p.time) for o in found
        )
    ]
    return _dataset(kept, plasma.frame, b, gap, str(moments.attrs["species"]))


def _dataset(
    rows: list[_Passage],
    frame: str,
    b: xr.Dataset,
    gap: int,
    species: str,
) -> xr.Dataset:
    n, m = len(rows), len(METHODS)
    normal = np.full((n, m, 3), np.nan)
    numbers = np.full((4, n, m), np.nan)
    scalars = np.zeros((3, n))
    count = np.array([p.up.records + p.down.records for p in rows], np.int64)
    quality = np.zeros(n, np.uint32)
    at, field = b["time"].values.astype(np.int64), np.asarray(b["vector"].values, np.float64)
    for k, p in enumerate(rows):
        up, down = p.up, p.down
        i, j = np.searchsorted(at, [p.time - gap, p.time + gap])
        shocks = shock_analysis(up, down, field[i:j])
        quality[k] = quality_of(up, down, shocks)
        for s, shock in enumerate(shocks):
            normal[k, s] = shock.normal
            numbers[:, k, s] = shock.theta_bn, shock.speed, shock.alfven_mach, shock.fast_mach
        scalars[:, k] = (
            down.density / up.density,
            np.linalg.norm(down.b) / np.linalg.norm(up.b),
            p.upstream_first,
        )
    tm, one = ("time", "technique"), {"units": "1"}
    return xr.Dataset(
        {
            "normal": ((*tm, "component"), normal,
                       one | {"long_name": "shock normal, towards upstream", "frame": frame}),
            "theta_bn": (tm, numbers[0], {"units": "deg", "long_name": "angle of B to the normal"}),
            "speed": (tm, numbers[1], {"units": "km s^-1", "long_name": "speed along the normal"}),
            "alfven_mach": (tm, numbers[2], one | {"long_name": "Alfven Mach number"}),
            "fast_mach": (tm, numbers[3], one | {"long_name": "fast Mach number"}),
            "compression": (("time",), scalars[0], one | {"long_name": "density ratio"}),
            "field_ratio": (("time",), scalars[1], one | {"long_name": "field ratio"}),
            "upstream_first": (("time",), scalars[2].astype(np.int8),
                               one | {"long_name": "1 where the spacecraft comes from upstream"}),
            "count": (("time",), count, one | {"long_name": "records of both sides"}),
            "quality": (("time",), quality, FLAGS.attrs),
        },
        {"time": np.array([p.time for p in rows], "datetime64[ns]"), "technique": list(METHODS),
         "component": ["x", "y", "z"]},
        {"species": species},
    )  # fmt: skip
