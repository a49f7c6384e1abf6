"""Records that are lost or left out, anywhere: what is made of the others stays, the rest says so.

For every family of field products hypothesis spoils records of one input: a component that is not
finite, or no record at all. A number that comes out must then be the one of the whole input, or
its record must be gone, NaN, flagged anew, or counted over less: never another plausible number.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.recipes.attitude import attitude_dataset
from sciqlop_pipe.recipes.coordinates import in_frame, position_in_frame
from sciqlop_pipe.recipes.curlometer import curlometer, field_gradient, magnetic_nulls
from sciqlop_pipe.recipes.de_hoffmann_teller import de_hoffmann_teller
from sciqlop_pipe.recipes.density_from_potential import (
    density_from_potential,
    potential_calibration,
)
from sciqlop_pipe.recipes.drifts import (
    convection_field,
    electric_field_in_plasma,
    energy_conversion,
    exb_drift,
    particle_current,
)
from sciqlop_pipe.recipes.energy_flux import energy_flux
from sciqlop_pipe.recipes.field_aligned import field_aligned
from sciqlop_pipe.recipes.formation import barycentre, tetrahedron_shape
from sciqlop_pipe.recipes.instabilities import instability_thresholds
from sciqlop_pipe.recipes.mean_field import elsasser, in_mean_field
from sciqlop_pipe.recipes.merged_field import merged_field
from sciqlop_pipe.recipes.minimum_variance import minimum_variance
from sciqlop_pipe.recipes.plasma_parameters import plasma_parameters
from sciqlop_pipe.recipes.polarization import wave_polarization, wave_poynting_flux
from sciqlop_pipe.recipes.pressure_strain import pressure_strain
from sciqlop_pipe.recipes.rotations import rotate_moments, rotate_vector, vector_in_axes
from sciqlop_pipe.recipes.shocks import shock_passages
from sciqlop_pipe.recipes.solar_connection import solar_connection
from sciqlop_pipe.recipes.timing import timing
from sciqlop_pipe.recipes.turbulence import alfvenicity, pvi, structure_functions
from sciqlop_pipe.recipes.upstream import magnetic_location, upstream_conditions
from sciqlop_pipe.recipes.wave_spectra import power_spectrum, wavelet_spectrum
from tests.fields import clock, moments, position, vector
from tests.shocks import passage

N = 240
RNG = np.random.default_rng(11)
NOISE = RNG.normal((5.0, 3.0, 1.0), 1.0, (4, N, 3))
CORNERS = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]]) * 40
B, E = vector(NOISE[0]), vector(NOISE[1], units="mV m^-1")
IONS, ELECTRONS = (moments(5.0, 100 * NOISE[k], species=s) for k, s in ((2, "H+"), (3, "e-")))
FIELDS = tuple(vector(x) for x in NOISE)
FOUR = tuple(position(np.tile(np.add(c, [7e4, 0, 0]), (20, 1))) for c in CORNERS)
MOVING = tuple(
    position(c + np.outer(np.arange(N), [2.0, -1, 0.5]) + [7e4, 0, 0], clock(N, 1.0))
    for c in CORNERS
)
FLUXGATE, COIL = vector(NOISE[0, 4::8], clock(N // 8, 8.0, 4.0)), vector(NOISE[1])
PLACE = position(RNG.normal((7e4, 0, 0), 1e3, (N, 3)), clock(N, 1.0))
LMN = (0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0)
# Nothing is interpolated: a record that is missing is missed.
ALONE = {"accumulation": "1s", "reach": "1ns"}
WINDOW = {"window": "30s", "step": "10s"}
STEP = {"samples": 16, "step": "30s", "reach": "30s"}


def pressed(noise: np.ndarray) -> xr.Dataset:
    """Ions with a pressure that changes."""
    ds = moments(5.0, 100 * noise)
    p = np.einsum("ti,tj->tij", noise, noise) / 50 + np.diag([1.0, 1.2, 1.5])
    about = {"units": "nPa", "long_name": "P", "frame": "GSE"}
    return ds.assign(pressure=(("time", "component", "component_2"), p, about)).assign_attrs(
        frame="GSE"
    )


PRESSED = tuple(pressed(x) for x in NOISE)
POTENTIAL = vector(NOISE[0])["vector"].isel(component=0, drop=True).to_dataset(name="value")


def sheet() -> tuple[xr.Dataset, ...]:
    """The same turning field at four places in turn."""
    found = []
    for corner in CORNERS:
        x = np.arange(N) - N / 2 - corner @ [0.0, 0.6, 0.8] / 30
        found.append(vector(np.stack([15 * np.sin(x / 7), 9 * np.cos(x / 5), 0 * x], 1)))
    return tuple(found)


def turning() -> xr.Dataset:
    """An attitude from GSE to DBCS that turns evenly."""
    half = np.radians(np.arange(9.0)) / 2
    q = np.stack([0 * half, 0.6 * np.sin(half), 0.8 * np.sin(half), np.cos(half)], -1)
    return attitude_dataset(clock(9, 30.0), q, "GSE", "DBCS")


TETRAHEDRON = {"reach": "1ns", "position_reach": "10min"}


# What other recipes make of these is made when it is wanted: each process that shares the suite
# reads this module, and would compile them.
@cache
def current() -> xr.Dataset:
    return curlometer(*FIELDS, *FOUR, **TETRAHEDRON)


@cache
def gradient() -> xr.Dataset:
    return field_gradient(*FIELDS, *FOUR, **TETRAHEDRON)


@cache
def aligned() -> xr.Dataset:
    return field_aligned(PRESSED[0], B, **ALONE)


@cache
def calibration() -> xr.Dataset:
    return potential_calibration(IONS, POTENTIAL, window="4min")


# Recipe: inputs, how many or which of them are spoilt, params.
Case = tuple[tuple[xr.Dataset | Callable[[], xr.Dataset], ...], int | tuple[int, ...], dict]
CASES: dict[Callable[..., xr.Dataset], Case] = {
    in_frame: ((B,), 1, {}),
    exb_drift: ((E, B), 2, ALONE),
    electric_field_in_plasma: ((E, IONS, B), 3, ALONE),
    convection_field: ((IONS, B), 2, ALONE),
    particle_current: ((IONS, ELECTRONS), 2, ALONE),
    energy_conversion: ((current, E), 2, ALONE),
    plasma_parameters: ((IONS, B, ELECTRONS), 3, ALONE),
    curlometer: ((*FIELDS, *FOUR), 4, TETRAHEDRON),
    field_gradient: ((*FIELDS, *FOUR), 4, TETRAHEDRON),
    timing: ((*sheet(), *FOUR), 4, {**TETRAHEDRON, "window": "80s", "step": "20s",
                                    "longest_delay": "8s"}),
    tetrahedron_shape: (MOVING, 4, {"reach": "1ns"}),
    barycentre: (MOVING, 4, {"reach": "1ns"}),
    position_in_frame: ((PLACE,), 1, {"frame": "SM"}),
    rotate_vector: ((B, turning()), 1, {}),
    merged_field: ((FLUXGATE, COIL), (1,), {"window": "40s", "reach": "9s"}),
    minimum_variance: ((B,), 1, WINDOW),
    de_hoffmann_teller: ((IONS, B), 2, {**ALONE, **WINDOW}),
    alfvenicity: ((IONS, B), 2, {**ALONE, **WINDOW}),
    structure_functions: ((B,), 1, {**WINDOW, "lags": 3}),
    power_spectrum: ((B,), 1, STEP),
    wavelet_spectrum: ((B,), 1, {"f_min": 0.2, "f_max": 0.4, "step": "30s", "reach": "30s"}),
    wave_polarization: ((B,), 1, STEP),
    wave_poynting_flux: ((E, B, FIELDS[2]), 2, STEP),
    # Eight samples of B are one record: that one of them is lost shows nowhere.
    shock_passages: (passage(seconds=600)[:2], 1, {}),
    pvi: ((B,), 1, {"lag": "2s", "average": "30s"}),
    elsasser: ((IONS, B), 2, {**ALONE, "mean": "30s"}),
    in_mean_field: ((B, FIELDS[2]), 2, {"mean": "30s"}),
    vector_in_axes: ((B,), 1, {"axes": LMN}),
    magnetic_nulls: ((gradient,), 1, {}),
    pressure_strain: ((*PRESSED, *FOUR), 4, TETRAHEDRON),
    field_aligned: ((PRESSED[0], B), 2, ALONE),
    instability_thresholds: ((aligned, B), 2, ALONE),
    energy_flux: ((PRESSED[0], B), 2, ALONE),
    rotate_moments: ((PRESSED[0], turning()), 1, {}),
    potential_calibration: ((IONS, POTENTIAL), 2, {**ALONE, "window": "4min"}),
    density_from_potential: ((POTENTIAL, calibration), 1, {"window": "4min"}),
    magnetic_location: ((PLACE,), 1, {}),
    solar_connection: ((PLACE, IONS, B), 3, {"reach": "1ns"}),
    upstream_conditions: ((PLACE, B, IONS), 3, {"reach": "1ns"}),
}  # fmt: skip
COUNTS = ("count", "coverage", "frames", "records")
SPOILT = ("vector", "velocity", "position", "current", "gradient", "value")


def spoilt(ds: xr.Dataset, lost: list[int], how: str) -> xr.Dataset:
    """Without some records, or with something that is no number in each of them."""
    lost = [k % ds.sizes["time"] for k in lost]
    if how == "gone":
        return ds.isel(time=np.setdiff1d(np.arange(ds.sizes["time"]), lost))
    name = next(n for n in SPOILT if n in ds)
    found = ds.copy(deep=True)
    values = found[name].values.reshape(ds.sizes["time"], -1)  # a view
    values[lost, np.asarray(lost) % min(3, values.shape[1])] = np.nan if how == "nan" else np.inf
    return found


def changed_unsaid(found: xr.Dataset, whole: xr.Dataset) -> list[str]:
    """Variables with numbers that differ from those of the whole input, without a word of it."""
    _, here, there = np.intersect1d(found["time"], whole["time"], return_indices=True)
    found, whole = found.isel(time=here), whole.isel(time=there)
    said = np.zeros(here.size, bool)
    if "quality" in found:
        said |= (found["quality"].values & ~whole["quality"].values) != 0
    for name in COUNTS:
        if name in found and found[name].ndim == 1:
            said |= found[name].values < whole[name].values
    wrong = []
    for name, one in found.data_vars.items():
        if name in ("quality", *COUNTS) or "time" not in one.dims:
            continue
        told = xr.DataArray(said, dims="time")
        for count in COUNTS:  # a count of its own for every lag or frequency
            if count in found and found[count].ndim == 2:
                told = told | (found[count] < whole[count])
        told = (
            told.broadcast_like(one).transpose(*one.dims).values
            if told.ndim <= one.ndim
            else (told.any([d for d in told.dims if d not in one.dims]).values)
        )
        same = np.isclose(one.values, whole[name].values, rtol=1e-5, atol=1e-9)
        if name == "kind":
            same |= one.values == 0  # "none"
        if (np.isfinite(one.values) & ~same & ~told).any():
            wrong.append(str(name))
    return wrong


SPOILING = {
    "which": st.integers(0, 7),
    "lost": st.lists(st.integers(0, 999), min_size=1, max_size=6, unique=True),
    "how": st.sampled_from(["nan", "infinite", "gone"]),
}


def check(recipe: Callable[..., xr.Dataset], which: int, lost: list[int], how: str) -> None:
    declared, spoiling, params = CASES[recipe]
    inputs = tuple(i() if callable(i) else i for i in declared)
    whole = recipe(*inputs, **params)
    those = range(spoiling) if isinstance(spoiling, int) else spoiling
    k = those[which % len(those)]
    given_ = tuple(spoilt(i, lost, how) if n == k else i for n, i in enumerate(inputs))
    found = recipe.gives.check(recipe(*given_, **params))
    assert changed_unsaid(found, whole) == []


@pytest.mark.parametrize("recipe", CASES, ids=lambda r: r.name)
@given(**SPOILING)
@settings(max_examples=4, deadline=None)
def test_what_is_lost_never_gives_another_plausible_number(recipe, which, lost, how):
    check(recipe, which, lost, how)


@pytest.mark.long
@pytest.mark.parametrize("recipe", CASES, ids=lambda r: r.name)
def test_nor_does_it_in_many_more_cases(recipe, effort):
    @given(**SPOILING)
    @settings(max_examples=5 if effort.short else 200, deadline=None)
    def many(which: int, lost: list[int], how: str) -> None:
        check(recipe, which, lost, how)

    many()
