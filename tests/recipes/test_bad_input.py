"""What goes wrong with real input, for every family of field products: a flag, NaN, or an error.

Never a plausible wrong number: beside each family its own tests say what is right.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.errors import DataTypeError
from sciqlop_pipe.recipes.coordinates import in_frame
from sciqlop_pipe.recipes.curlometer import curlometer, field_gradient, magnetic_nulls
from sciqlop_pipe.recipes.de_hoffmann_teller import de_hoffmann_teller
from sciqlop_pipe.recipes.drifts import (
    convection_field,
    electric_field_in_plasma,
    energy_conversion,
    exb_drift,
    particle_current,
)
from sciqlop_pipe.recipes.formation import barycentre, tetrahedron_shape
from sciqlop_pipe.recipes.merged_field import merged_field
from sciqlop_pipe.recipes.minimum_variance import minimum_variance
from sciqlop_pipe.recipes.plasma_parameters import plasma_parameters
from sciqlop_pipe.recipes.polarization import wave_polarization, wave_poynting_flux
from sciqlop_pipe.recipes.shocks import shock_passages
from sciqlop_pipe.recipes.timing import FLAGS as TIMING
from sciqlop_pipe.recipes.timing import timing
from sciqlop_pipe.recipes.turbulence import alfvenicity, pvi, structure_functions
from sciqlop_pipe.recipes.upstream import upstream_conditions
from sciqlop_pipe.recipes.wave_spectra import power_spectrum
from tests.fields import clock, moments, position, vector
from tests.shocks import passage

N = 400
RNG = np.random.default_rng(6)
NOISE = RNG.normal((5.0, 3.0, 1.0), 1.0, (4, N, 3))
CORNERS = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]]) * 40
HOW = {"accumulation": "1s", "reach": "3s"}
FAR = {"reach": "3s", "position_reach": "10min"}

B, E = vector(NOISE[0]), vector(NOISE[1], units="mV m^-1")
IONS, ELECTRONS = (moments(5.0, 100 * NOISE[k], species=s) for k, s in ((2, "H+"), (3, "e-")))
FIELDS = tuple(vector(x) for x in NOISE)
PLACES = tuple(position(np.tile(np.add(c, [7e4, 0, 0]), (20, 1))) for c in CORNERS)

# Recipe: its inputs, and its params.
FAMILIES: dict[Callable[..., xr.Dataset], tuple[tuple[xr.Dataset, ...], dict[str, str]]] = {
    in_frame: ((B,), {}),
    minimum_variance: ((B,), {}),
    pvi: ((B,), {}),
    structure_functions: ((B,), {"window": "2min", "step": "1min"}),
    exb_drift: ((E, B), HOW),
    electric_field_in_plasma: ((E, IONS, B), HOW),
    convection_field: ((IONS, B), HOW),
    particle_current: ((IONS, ELECTRONS), HOW),
    plasma_parameters: ((IONS, B), HOW),
    de_hoffmann_teller: ((IONS, B), HOW),
    alfvenicity: ((IONS, B), {**HOW, "window": "2min"}),
    shock_passages: (passage()[:2], {}),
    curlometer: ((*FIELDS, *PLACES), FAR),
    field_gradient: ((*FIELDS, *PLACES), FAR),
    timing: ((*FIELDS, *PLACES), {**FAR, "window": "60s"}),
    tetrahedron_shape: (PLACES, {"reach": "10min"}),
    barycentre: (PLACES, {"reach": "10min"}),
    upstream_conditions: ((PLACES[0], B, IONS), {}),
}
# These sort what they get: defined, and tested beside them.
SORTING: dict[Callable[..., xr.Dataset], tuple[tuple[xr.Dataset, ...], dict[str, str]]] = {
    merged_field: ((vector(NOISE[0, ::4], clock(N // 4, 4)), B), {"window": "30s", "reach": "5s"}),
    power_spectrum: ((B,), {"samples": "16"}),
    wave_polarization: ((B, B), {}),
    wave_poynting_flux: ((E, B, B), {}),
}


def names(table) -> list[str]:
    return [r.name for r in table]


def backward(ds: xr.Dataset) -> xr.Dataset:
    """Records 7 and 8 in the wrong order."""
    order = np.arange(ds.sizes["time"])
    order[[7, 8]] = 8, 7
    return ds.isel(time=order)


def doubled(ds: xr.Dataset) -> xr.Dataset:
    """Record 7 twice."""
    return ds.isel(time=np.sort(np.r_[np.arange(ds.sizes["time"]), 7]))


def changed(inputs: tuple[xr.Dataset, ...], k: int, ds: xr.Dataset) -> tuple[xr.Dataset, ...]:
    return tuple(ds if n == k else i for n, i in enumerate(inputs))


@pytest.mark.parametrize("spoilt", [backward, doubled])
@pytest.mark.parametrize("recipe", FAMILIES, ids=names(FAMILIES))
def test_backward_and_duplicate_times_are_refused_by_record(recipe, spoilt):
    inputs, params = FAMILIES[recipe]
    recipe(*inputs, **params)  # as they should be, they pass
    for k, one in enumerate(inputs):
        with pytest.raises(DataTypeError, match="does not increase at record 8") as told:
            recipe(*changed(inputs, k, spoilt(one)), **params)
        assert "drop_duplicates" in str(told.value)


@pytest.mark.parametrize("recipe", [merged_field, wave_polarization, wave_poynting_flux])
def test_waveforms_are_sorted_and_of_equal_times_the_first_counts(recipe):
    inputs, _ = SORTING[recipe]
    params = {"window": "30s", "reach": "5s"} if recipe is merged_field else {
        "samples": 16, "step": "1min", "reach": "1min"}  # fmt: skip
    right = recipe(*inputs, **params)
    for k, one in enumerate(inputs):
        for spoilt in (backward, doubled):
            found = recipe(*changed(inputs, k, spoilt(one)), **params)
            xr.testing.assert_allclose(found, right)


# Plasma parameters are made of lengths alone, upstream conditions turn what they get.
MIXED = [
    (exb_drift, 1), (electric_field_in_plasma, 0), (electric_field_in_plasma, 1),
    (electric_field_in_plasma, 2), (convection_field, 1), (particle_current, 1),
    (de_hoffmann_teller, 1), (alfvenicity, 1), (shock_passages, 1),
    (curlometer, 1), (curlometer, 6), (field_gradient, 2), (timing, 3), (tetrahedron_shape, 2),
    (barycentre, 3),
]  # fmt: skip


@pytest.mark.parametrize(("recipe", "k"), MIXED, ids=[f"{r.name}-{k}" for r, k in MIXED])
def test_inputs_in_different_frames_are_refused_with_both_names(recipe, k):
    inputs, params = FAMILIES[recipe]
    other = inputs[k].copy(deep=True)
    for name in other.data_vars:
        if "frame" in other[name].attrs:
            other[name].attrs["frame"] = "DSL"
    with pytest.raises(DataTypeError, match=r"DSL.*GSE|GSE.*DSL"):
        recipe(*changed(inputs, k, other), **params)


def holes(ds: xr.Dataset, name: str) -> xr.Dataset:
    """NaN in one component of records 50 to 59, infinity in record 70."""
    found = ds.copy(deep=True)
    found[name].values[50:60, 1] = np.nan
    found[name].values[70, 0] = np.inf
    return found


@pytest.mark.parametrize("recipe", [exb_drift, electric_field_in_plasma, convection_field])
def test_samples_that_are_not_there_leave_nan_and_the_rest_as_it_was(recipe):
    inputs, params = FAMILIES[recipe]
    right = recipe(*inputs, **params)["vector"].values
    alone = {**params, "reach": "1ns"}
    for k, one in enumerate(inputs):
        name = "velocity" if "velocity" in one else "vector"
        found = recipe(*changed(inputs, k, holes(one, name)), **alone)["vector"].values
        lost = ~np.isfinite(found).all(axis=1)
        assert np.flatnonzero(lost).tolist() == [*range(50, 60), 70]
        np.testing.assert_array_equal(found[~lost], right[~lost])


def test_fluctuations_are_those_of_the_pairs_that_are_whole():
    found, right = (pvi(b, average="20s")["value"].values for b in (holes(B, "vector"), B))
    lost = ~np.isfinite(found)
    assert np.flatnonzero(lost).tolist() == [*range(49, 60), 69, 70]
    far = np.r_[0:35, 90 : right.size]
    np.testing.assert_array_equal(found[far], right[far])
    counted = structure_functions(holes(B, "vector"), window="2min", step="1min")
    assert counted["count"].values[:, 0].min() < counted["count"].values[:, 0].max()
    assert np.isfinite(counted["structure"].values[:, :, 0]).all()


@pytest.mark.parametrize("lost", range(4))
@pytest.mark.parametrize("recipe", [curlometer, field_gradient])
def test_what_one_spacecraft_lacks_nobody_makes_up(recipe, lost):
    inputs, params = FAMILIES[recipe]
    params = {**params, "reach": "1ns"}
    found = recipe(*changed(inputs, lost, holes(inputs[lost], "vector")), **params)
    missing = np.setdiff1d(B["time"].values, found["time"].values)
    assert missing.tolist() == B["time"].values[[*range(50, 60), 70]].tolist()
    for name in found.data_vars:
        assert np.isfinite(found[name].values).all(), name


@pytest.mark.parametrize("lost", range(8))
@pytest.mark.parametrize("recipe", [curlometer, field_gradient, timing])
def test_three_spacecraft_give_nothing(recipe, lost):
    inputs, params = FAMILIES[recipe]
    none = changed(inputs, lost, inputs[lost].isel(time=slice(0, 0)))
    assert recipe.gives.check(recipe(*none, **params)).sizes["time"] == 0


@pytest.mark.parametrize("recipe", [curlometer, field_gradient, timing, tetrahedron_shape])
def test_four_spacecraft_in_a_plane_or_a_line_are_flagged_and_give_no_number(recipe):
    inputs, params = FAMILIES[recipe]
    flat, line = (
        CORNERS * [1, 1, 0],
        CORNERS[:, :1] * [1.0, 2, 3] + np.arange(4)[:, None] * [1, 2, 3],
    )
    for corners in (flat, line):
        places = tuple(position(np.tile(np.add(c, [7e4, 0, 0]), (20, 1))) for c in corners)
        found = recipe(*inputs[:-4], *places, **params)
        assert (found["quality"].values & 4).all()
        for name in ("current", "ratio", "gradient", "normal", "speed"):
            if name in found:
                assert np.isnan(found[name].values).all(), name
    if recipe is field_gradient:
        nulls = magnetic_nulls(found)
        assert np.isnan(nulls["distance"]).all() and not nulls["kind"].any()


def test_a_front_in_uneven_or_too_few_samples_is_not_timed():
    inputs, params = FAMILIES[timing]
    thinned = tuple(b.isel(time=np.r_[0:100, 110:N]) for b in inputs[:4])
    at = timing(*thinned, *inputs[4:], **params).sel(time=B["time"].values[100], method="nearest")
    uneven = 1 << next(f.bit for f in TIMING.flags if f.name in ("few", "uneven", "too_few"))
    assert int(at["quality"]) & uneven and np.isnan(float(at["speed"]))
    few = timing(*(b.isel(time=slice(0, 5)) for b in inputs[:4]), *inputs[4:], **params)
    assert np.isnan(few["speed"]).all() and (few["quality"].values & uneven).all()


def test_without_a_field_nothing_that_needs_one_is_a_number():
    zero = vector(np.zeros((N, 3)))
    assert np.isnan(exb_drift(E, zero, **HOW)["vector"]).all()
    ds = curlometer(zero, zero, zero, zero, *PLACES, **FAR)
    assert np.isnan(ds["current_parallel"]).all() and np.isnan(ds["ratio"]).all()
    assert not ds["current"].any()
    gradient = field_gradient(zero, zero, zero, zero, *PLACES, **FAR)
    assert np.isnan(gradient["curvature"]).all()
    assert np.isnan(magnetic_nulls(gradient)["distance"]).all()
    assert np.isnan(minimum_variance(zero)["axes"]).all()
    frame = de_hoffmann_teller(IONS, zero, **HOW)
    assert np.isnan(frame["velocity"]).all() and frame["quality"].values.all()
    assert np.isnan(pvi(zero)["value"]).all()
    assert shock_passages(IONS, zero).sizes["time"] == 0
    still = moments(5.0, np.tile([-400.0, 0, 0], (N, 1)))
    assert np.isnan(alfvenicity(still, zero, window="2min", **HOW)["cross_helicity"]).all()


def test_an_interval_shorter_than_a_window_is_said_to_be_short():
    few = B.isel(time=slice(0, 5))
    assert np.isnan(minimum_variance(few)["ratio"]).all()
    assert (minimum_variance(few)["quality"].values & 4).all()
    ions = IONS.isel(time=slice(0, 5))
    frame = de_hoffmann_teller(ions, few, **HOW)
    assert np.isnan(frame["velocity"]).all() and frame["quality"].values.all()
    short = alfvenicity(ions, few, **HOW)
    assert np.isnan(short["cross_helicity"]).all() and (short["count"] < 8).all()
    structure = structure_functions(few, window="2min", step="1min")
    assert np.isnan(structure["structure"].values[:, :, 3:]).all()
    assert (structure["count"].values[:, 3:] == 0).all()
    assert shock_passages(ions, few).sizes["time"] == 0


@pytest.mark.parametrize("recipe", FAMILIES, ids=names(FAMILIES))
def test_nothing_in_is_nothing_out(recipe):
    inputs, params = FAMILIES[recipe]
    nothing = tuple(i.isel(time=slice(0, 0)) for i in inputs)
    assert recipe(*nothing, **params).sizes["time"] == 0


def test_an_instrument_without_electrons_has_seen_no_current_not_a_current_of_zero():
    none = ELECTRONS.copy(deep=True)
    none["density"].values[100:200] = 0
    none["velocity"].values[100:200] = 0
    found = particle_current(IONS, none, accumulation="1s", reach="2s")["vector"].values
    right = particle_current(IONS, ELECTRONS, accumulation="1s", reach="2s")["vector"].values
    assert np.isnan(found[100:200]).all()
    np.testing.assert_array_equal(found[:100], right[:100])


def test_a_current_in_another_frame_does_no_work():
    current = curlometer(*FIELDS, *PLACES, **FAR)
    with pytest.raises(DataTypeError, match=r"GSE.*DBCS"):
        energy_conversion(current, vector(NOISE[1], units="mV m^-1", frame="DBCS"))
    lost = energy_conversion(current, holes(E, "vector"), **HOW)["value"]
    assert np.isnan(lost[50:60]).all() and np.isfinite(lost[:50]).all()
