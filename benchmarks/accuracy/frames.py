"""What is compared of whole distributions: turned, moved, rebinned, on a cube."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import xarray as xr

from sciqlop_pipe.recipes.attitude import attitude_dataset
from sciqlop_pipe.recipes.bulk_frame import moved_to_bulk, rebinned_to_field
from sciqlop_pipe.recipes.cartesian import cartesian
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.rotations import rotate_distribution, rotate_moments

from .angular import field_axes
from .cases import Case
from .off import Off, worst
from .plasmas import BiKappa, E

SKEW = np.array([0.4, -0.3, 0.5, 0.7]) / np.linalg.norm([0.4, -0.3, 0.5, 0.7])
"""A turn (x, y, z, w) that leaves no axis where it was."""


def of_rotation(case: Case) -> Iterator[Off]:
    """Moments of the turned distribution against the turned moments of the distribution."""
    time = case.vdf["time"].values[[0, -1]] + np.array([-5, 5]) * np.timedelta64(1, "s")
    turn = attitude_dataset(time, np.tile(SKEW, (2, 1)), "DBCS", "GSE")
    one = moments(rotate_distribution(case.vdf, turn))
    other = rotate_moments(moments(case.vdf), turn)
    n = one["density"].values / other["density"].values.astype(float) - 1
    v = (one["velocity"] - other["velocity"]).values / case.thermal
    t = (one["temperature_tensor"] - other["temperature_tensor"]).values
    yield Off("turned distribution", "n", worst(n), "n")
    yield Off("turned distribution", "V", worst(np.linalg.norm(v, axis=-1)), "thermal speed")
    level = case.truths[0].temperature
    yield Off("turned distribution", "T tensor", worst(_size(t) / (level * np.sqrt(3))), "T")


def of_rebinning(case: Case) -> Iterator[Off]:
    """Density kept, and moments of distributions around the bulk velocity."""
    one, bulk = case.vdf.isel(time=[0]), moments(case.vdf.isel(time=[0]))
    axes = field_axes(case)
    promised = case.instrument.name.startswith(("FPI", "ESA")) and case.resolved
    target = 0.5 if promised and not isinstance(case.plasma, BiKappa) else None
    for name, found, basis in (
        ("moved to bulk", moved_to_bulk(one, bulk), np.eye(3)),
        ("rebinned to field", rebinned_to_field(one, case.b, bulk), axes),
    ):
        yield from _moved(case, name, found, basis, target)


def of_cube(case: Case) -> Iterator[Off]:
    """Density, velocity and temperature of the cells of a cube (T less the spread of clouds)."""
    one, true = case.vdf.isel(time=[0]), case.truths[0]
    # A cube as large as the plasma: cells that do not see it say nothing about it.
    sigma = case.thermal / np.sqrt(2)
    v_max = float(np.abs(true.velocity).max() + 6 * sigma)
    found = cartesian(one, v_max=v_max)
    f = np.nan_to_num(found["f"].values[0].astype(float))
    v = [found[f"v{i}"].values for i in (1, 2, 3)]
    step = v[0][1] - v[0][0]
    total, outside = f.sum() * (1e3 * step) ** 3 * 1e-6, float(found["outside"][0])
    n = total / (1 - outside) / float(moments(one)["density"][0]) - 1
    yield Off("cube", "n kept", worst(n), "n of moments", 0.01)
    yield Off("cube", "outside", worst(outside), "n")
    part = f / f.sum()
    lines = [part.sum(tuple(j for j in range(3) if j != i)) for i in range(3)]
    mean = np.array([line @ x for line, x in zip(lines, v, strict=True)])
    planes = {(i, j): part.sum(3 - i - j) for i in range(3) for j in range(i + 1, 3)}
    spread = np.diag([line @ (x - m) ** 2 for line, x, m in zip(lines, v, mean, strict=True)])
    for (i, j), plane in planes.items():
        spread[i, j] = spread[j, i] = (v[i] - mean[i]) @ plane @ (v[j] - mean[j])
    yield Off("cube", "V", worst(np.linalg.norm(mean - true.velocity) / case.thermal),
              "thermal speed")  # fmt: skip
    for words, less in (("T tensor", 0.0), ("T, less clouds' spread", step**2 / 6)):
        t = case.plasma.mass / E * 1e6 * (spread - less * np.eye(3))
        off = _size(t - true.temperature_tensor) / _size(true.temperature_tensor)
        yield Off("cube", words, worst(off), "T")


MEASURES: tuple[Callable[[Case], Iterator[Off]], ...] = (of_rotation, of_rebinning, of_cube)


def _moved(
    case: Case, name: str, found: xr.Dataset, basis: np.ndarray, target: float | None
) -> Iterator[Off]:
    true, made = case.truths[0], moments(found)
    kept = float(found["density_kept"][0]) + float(found["outside"][0]) - 1
    yield Off(name, "n kept (FPI, ESA: Maxwellians)", worst(kept), "n of moments", target)
    t = made["temperature_tensor"].values[0] - basis @ true.temperature_tensor @ basis.T
    yield Off(name, "n", worst(float(made["density"][0]) / true.density - 1), "n")
    off = np.linalg.norm(made["velocity"].values[0]) / case.thermal
    yield Off(name, "V left", worst(off), "thermal speed")
    yield Off(name, "T tensor", worst(_size(t) / _size(true.temperature_tensor)), "T")


def _size(tensor: np.ndarray) -> np.ndarray:
    return np.sqrt((np.asarray(tensor, float) ** 2).sum((-2, -1)))
