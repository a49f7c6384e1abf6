"""What follows from moments and distributions, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.datatypes import EnergyFlux, Instabilities, NonMaxwellianity, PressureStrain
from sciqlop_pipe.errors import DataTypeError
from sciqlop_pipe.model import product
from sciqlop_pipe.recipes.background import without_background, without_radiation
from sciqlop_pipe.recipes.energy_flux import energy_flux, poynting_flux
from sciqlop_pipe.recipes.field_aligned import field_aligned
from sciqlop_pipe.recipes.instabilities import KNOWN, instability_thresholds
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.non_maxwellianity import non_maxwellianity
from sciqlop_pipe.recipes.pressure_strain import pressure_strain
from sciqlop_pipe.recipes.spectra import energy_spectrum
from tests.analytic import FPI_2015, BiMaxwellian, field, fpi_look, vdf
from tests.fields import START, between, clock, position
from tests.recipes.test_field_aligned import of

B = (3.0, -8.0, 15.0)
SHEATH = BiMaxwellian(5, (-250, 80, 40), 400, 600, B)


def test_a_bimaxwellian_is_as_far_from_maxwellian_as_its_temperatures_say():
    ds = vdf(SHEATH, FPI_2015, fpi_look(), nodes=4)
    found = non_maxwellianity(ds, field(ds, B))
    assert not list(NonMaxwellianity.problems(found))
    found = found.isel(time=0)
    assert float(found.epsilon) < 2e-3
    deficit = np.log(1600 / 3) - (np.log(400) + 2 * np.log(600)) / 3
    assert float(found.entropy_deficit) == pytest.approx(deficit, abs=1e-3)
    assert np.isnan(non_maxwellianity(ds).epsilon).all()


def test_two_cold_beams_are_all_outside_their_maxwellian():
    beams = [BiMaxwellian(2.5, (v, 0, 0), 20, 20) for v in (-900.0, 900.0)]
    one, other = (vdf(beam, FPI_2015, fpi_look(), nodes=3) for beam in beams)
    one["f"] = (one["f"] + other["f"]).assign_attrs(one["f"].attrs)
    found = non_maxwellianity(one).isel(time=0)
    assert float(found.epsilon_isotropic) > 0.95
    assert float(found.epsilon_isotropic) <= 1.001


def test_thresholds_are_those_of_hellinger_at_unit_beta():
    at = {t.name: t.at(np.array([1.0]))[0] for t in KNOWN["H+"]}
    assert at["proton_cyclotron"] == pytest.approx(1 + 0.43 / 1.0004**0.42)
    assert at["mirror"] == pytest.approx(1 + 0.77 / 1.016**0.76)
    assert at["parallel_firehose"] == pytest.approx(1 - 0.47 / 0.41**0.53)
    assert np.isnan(at["oblique_firehose"])


def test_a_sheath_beyond_the_mirror_threshold_is_flagged():
    p = np.diag([2.0, 2.0, 1.0])
    ds = of([p, p[::-1, ::-1] * 0.5 + np.diag([0, 0, 9.0])])
    b = field(ds, (0, 0, 40.0))
    found = instability_thresholds(field_aligned(ds, b), b)
    assert not list(Instabilities.problems(found))
    beta = 1.0 / (40.0**2 * 1e-9 / (2 * 1.25663706127e-6))
    assert float(found.beta_parallel[0]) == pytest.approx(beta, rel=1e-6)
    assert found.unstable.sel(instability="mirror").values.tolist() == [1, 0]
    assert found.unstable.sel(instability="oblique_firehose").values.tolist() == [0, 1]
    ds.attrs["species"] = "O+"
    with pytest.raises(DataTypeError, match="O\\+"):
        instability_thresholds(field_aligned(ds, b), b)


def test_energy_fluxes_are_those_of_a_drifting_gas():
    ds = of([np.eye(3)], (100.0, 0.0, 0.0), 10.0)
    found = energy_flux(ds, field(ds, (2.0, 0, 0)), field(ds, (0, 3.0, 0)))
    assert not list(EnergyFlux.problems(found))
    kinetic = 0.5 * 1.67262192595e-27 * 1e7 * 1e5**3 * 1e3
    assert float(found.kinetic[0, 0]) == pytest.approx(kinetic, rel=1e-6)
    assert float(found.enthalpy[0, 0]) == pytest.approx(2.5e-9 * 1e5 * 1e3, rel=1e-6)
    assert float(found.enthalpy_parallel[0]) == pytest.approx(float(found.enthalpy[0, 0]))
    # Poynting: (0, 3, 0) mV/m x (2, 0, 0) nT.
    assert float(found.poynting[0, 2]) == pytest.approx(-6e-12 / 1.25663706127e-6 * 1e3, rel=1e-5)
    series = poynting_flux(field(ds, (0, 3.0, 0)), field(ds, (2.0, 0, 0)))
    assert float(series.vector[5, 2]) == pytest.approx(float(found.poynting[0, 2]), rel=1e-5)
    with pytest.raises(DataTypeError, match="without a magnetic"):
        energy_flux(ds, None, field(ds, B))


GRADIENT = np.array([[0.1, 0.3, 0.0], [-0.2, 0.05, 0.1], [0.0, 0.2, -0.3]])
PLACES = 10.0 * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])


def four(places: np.ndarray, p: np.ndarray) -> list[xr.Dataset]:
    """Four spacecraft in a flow u = x . G: moments, then positions."""
    found = []
    for r in places:
        ds = of([p] * 4, r @ GRADIENT)
        for name in ("velocity", "pressure"):
            ds[name].attrs["frame"] = "GSE"
        found.append(ds)
    for r in places:
        time = found[0]["time"].values[[0, -1]] + np.array([-60, 60]) * np.timedelta64(1, "s")
        about = {"units": "km", "long_name": "r", "frame": "GSE"}
        found.append(
            xr.Dataset({"position": (("time", "component"), np.tile(r, (2, 1)), about)},
                       {"time": time})
        )  # fmt: skip
    return found


def test_pressure_strain_of_a_linear_flow_is_exact():
    p = np.array([[2.0, 0.3, -0.1], [0.3, 1.0, 0.2], [-0.1, 0.2, 0.9]])
    found = pressure_strain(*four(PLACES, p))
    assert not list(PressureStrain.problems(found))
    assert found.velocity_gradient.values[1] == pytest.approx(GRADIENT, abs=1e-9)
    assert found.pressure_strain.values == pytest.approx(-(p * GRADIENT).sum())
    assert found.p_theta.values == pytest.approx(-np.trace(p) / 3 * np.trace(GRADIENT))
    assert (found.p_theta + found.pi_d).values == pytest.approx(found.pressure_strain.values)
    assert found.quality.values.tolist() == [0] * 4
    isotropic = pressure_strain(*four(PLACES, np.eye(3)))
    assert isotropic.pi_d.values == pytest.approx(0, abs=1e-12)
    parts = [
        pressure_strain(*[d.isel(time=s) if i == 0 else d for i, d in enumerate(four(PLACES, p))])
        for s in (slice(0, 1), slice(1, 4))
    ]
    xr.testing.assert_identical(xr.concat(parts, "time"), found)


def test_a_flat_tetrahedron_or_a_missing_spacecraft_gives_no_gradient():
    flat = PLACES.copy()
    flat[3] = [10.0, 10.0, 0.0]
    found = pressure_strain(*four(flat, np.eye(3)))
    assert np.isnan(found.pi_d).all()
    assert ((found.quality.values & 4) > 0).all()
    lost = four(PLACES, np.eye(3))
    lost[2] = lost[2].isel(time=slice(0, 2))
    found = pressure_strain(*lost)
    assert np.isfinite(found.pi_d.values).tolist() == [True, True, False, False]
    assert found.quality.values.tolist() == [0, 0, 8, 8]
    mixed = four(PLACES, np.eye(3))
    mixed[1]["velocity"].attrs["frame"] = "DBCS"
    with pytest.raises(DataTypeError, match="DBCS"):
        pressure_strain(*mixed)


def test_a_background_goes_and_leaves_negative_noise_negative():
    ds = vdf(SHEATH, FPI_2015, fpi_look(8, 4), nodes=1)
    twice = ds.copy()
    twice["f"] = (3 * ds["f"]).assign_attrs(ds["f"].attrs)
    left = without_background(twice, ds, factor=2.0)
    assert left["f"].values == pytest.approx(ds["f"].values, rel=1e-5)
    assert float(without_background(ds, ds, factor=2.0)["f"].min()) < 0
    assert float(moments(left).density[0]) == pytest.approx(float(moments(ds).density[0]), rel=1e-5)
    other = ds.assign(energy=(ds["energy"] * 1.1).assign_attrs(ds["energy"].attrs))
    with pytest.raises(DataTypeError, match="energies"):
        without_background(ds, other)


def test_radiation_is_one_flux_at_every_energy():
    ds = vdf(SHEATH, FPI_2015, fpi_look(8, 4), nodes=1)
    about = {"units": "eV cm^-2 s^-1 sr^-1 eV^-1", "long_name": "background"}
    flux = xr.Dataset({"value": (("time",), [1e4], about)}, {"time": ds["time"]})
    left = without_radiation(ds, flux)
    change = energy_spectrum(ds).spectrum - energy_spectrum(left).spectrum
    assert change.values == pytest.approx(1e4, rel=2e-2)
    late = flux.assign_coords(time=flux["time"] + np.timedelta64(1, "s"))
    assert np.isnan(without_radiation(ds, late)["f"]).all()


# Raise the version of a recipe whenever its numbers move, and only then.
GOLDEN = {1: [0.0776, 0.0294]}


def test_numbers_move_only_with_the_version():
    ds = vdf(SHEATH, FPI_2015, fpi_look(), nodes=2)
    found = non_maxwellianity(ds, field(ds, B)).isel(time=0)
    assert [float(found.epsilon_isotropic), float(found.epsilon_greco)] == pytest.approx(
        GOLDEN[non_maxwellianity.version], rel=5e-3
    )


def test_positions_of_other_clocks_are_read_as_far_as_the_edge_of_a_granule_needs():
    ions = [moments_in_time(r) for r in PLACES]
    places = [
        position(np.tile(r, (9, 1)), clock(9, 60, 15 * k - 240)) for k, r in enumerate(PLACES)
    ]
    inputs = {f"m{k}": m for k, m in enumerate(ions, 1)}
    inputs |= {f"r{k}": r for k, r in enumerate(places, 1)}
    how = {"reach": "1s", "position_reach": "60s"}
    declared = product("x.pressure_strain", pressure_strain, **{k: f"x.{k}" for k in inputs}, **how)
    pieces = []
    for start, stop in ((0, 30), (30, 60)):
        low, high = START + np.array([start, stop]) * np.timedelta64(1, "s")
        beyond = {k: np.timedelta64(declared.margin(k), "ns") for k in inputs}
        read = {k: between(ds, low - beyond[k], high + beyond[k]) for k, ds in inputs.items()}
        pieces.append(between(pressure_strain(**read, **how), low, high))
    whole = pressure_strain(**inputs, **how)
    assert np.isfinite(whole["pi_d"]).all()
    xr.testing.assert_allclose(xr.concat(pieces, "time"), whole, rtol=1e-12)


def moments_in_time(place: np.ndarray) -> xr.Dataset:
    """A minute of the flow at a place."""
    ds = four(PLACES, np.eye(3))[0].isel(time=[0] * 60)
    ds["velocity"].values[:] = place @ GRADIENT
    return ds.assign_coords(time=clock(60, 1.0))
