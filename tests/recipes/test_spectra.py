from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import EnergySpectrum
from sciqlop_pipe.recipes.spectra import energy_spectrum
from tests.analytic import (
    FPI_2015,
    FPI_ELECTRONS,
    THEMIS,
    BiMaxwellian,
    E,
    esa_look,
    flattened,
    fpi_look,
    vdf,
)

IONS = BiMaxwellian(5, (-250, 80, 40), 400, 600, (3, -8, 15))
RESTING = BiMaxwellian(5, (0, 0, 0), 500, 500)
ELECTRONS = BiMaxwellian(15, (0, 0, 0), 50, 50, species="e-")


@pytest.mark.parametrize(
    ("plasma", "energy", "look"),
    [
        (RESTING, FPI_2015, fpi_look()),
        (RESTING, THEMIS, esa_look(88)),
        (ELECTRONS, FPI_ELECTRONS, fpi_look()),
    ],
)
def test_an_isotropic_plasma_has_its_textbook_spectrum(plasma, energy, look):
    ds = vdf(plasma, energy, look, nodes=1)
    # One node per bin: f at the centre in speed of each bin, which is not quite its energy.
    f = ds["f"].values.reshape(-1, energy.size)[0]
    found = energy_spectrum(ds).isel(time=0)
    joule = E * energy
    assert found["spectrum"].values == pytest.approx(
        2 * joule**2 * f / plasma.mass**2 * 1e-4, rel=1e-5
    )
    assert found["energy"].values == pytest.approx(energy, rel=1e-6)
    assert found["coverage"].values == pytest.approx(1, rel=1e-5)


def test_the_constant_for_protons_is_not_that_of_the_atomic_mass_unit():
    ds = vdf(RESTING, FPI_2015, fpi_look(4, 2), nodes=1)
    ds["f"][:] = 1.0
    ratio = energy_spectrum(ds)["spectrum"].values[0] / FPI_2015**2
    assert ratio == pytest.approx(2e-4 * (1.602176634e-19 / 1.67262192595e-27) ** 2, rel=1e-6)


def test_density_of_an_isotropic_plasma_follows_from_its_spectrum():
    # n = 4 pi integral of J/v dE = 4 pi integral of J_E/v dlnE, trapezoid in ln E.
    ds = vdf(RESTING, FPI_2015, fpi_look(4, 2), nodes=5)
    spectrum = energy_spectrum(ds)["spectrum"].values[0].astype(float)
    speed = np.sqrt(2 * E * FPI_2015 / RESTING.mass) * 1e2
    step = np.log(FPI_2015[1] / FPI_2015[0])
    density = 4 * np.pi * (spectrum / speed).sum() * step
    assert density == pytest.approx(5, rel=0.01)


def test_the_result_is_an_energy_spectrum_dataset():
    ds = vdf([IONS] * 2, np.stack([FPI_2015, 1.1 * FPI_2015]), fpi_look(8, 4), nodes=1)
    ds["quality"] = ("time", np.array([0, 2], np.uint32), {"units": "1", "long_name": "flags"})
    found = energy_spectrum(ds)
    assert not list(EnergySpectrum.problems(found))
    assert found["energy"].dims == ("time", "energy_bin")
    assert found.attrs["species"] == "H+"
    xr.testing.assert_identical(found["quality"].variable, ds["quality"].variable)


def test_a_grid_and_the_same_grid_as_a_list_agree():
    ds = vdf([IONS] * 2, FPI_2015, fpi_look(8, 4), nodes=1)
    ds["f"][1, 2, 1, 3] = np.nan
    xr.testing.assert_allclose(energy_spectrum(flattened(ds)), energy_spectrum(ds), rtol=1e-6)


def test_unmeasured_bins_do_not_count_as_zero():
    whole = vdf(RESTING, FPI_2015, fpi_look(8, 4), nodes=1)
    holes = whole.copy(deep=True)
    holes["f"][:, :4] = np.nan
    holes["f"][:, :, :, 3] = np.nan
    one, half = energy_spectrum(whole), energy_spectrum(holes)
    rest = np.arange(32) != 3
    assert half["spectrum"].values[0, rest] == pytest.approx(
        one["spectrum"].values[0, rest], rel=1e-5
    )
    assert half["coverage"].values[0, rest] == pytest.approx(0.5, rel=1e-5)
    assert np.isnan(half["spectrum"].values[0, 3])
    assert half["coverage"].values[0, 3] == 0


def test_zero_counts_are_a_flux_of_zero_and_nothing_is_nan():
    ds = vdf([IONS] * 2, FPI_2015, fpi_look(8, 4), nodes=1)
    ds["f"][0], ds["f"][1] = 0, np.nan
    found = energy_spectrum(ds)
    assert not found["spectrum"].values[0].any()
    assert np.isnan(found["spectrum"].values[1]).all()
    assert (found["coverage"].values[1] == 0).all()


def test_energy_per_charge_times_charge_is_energy():
    ds = vdf(IONS, FPI_2015, fpi_look(8, 4), nodes=1)
    ds.attrs.update(species="He++", mass=6.644657345e-27, charge=2.0)
    per_charge = ds.copy()
    per_charge.attrs["energy_kind"] = "energy_per_charge"
    per_charge["energy"] = ds["energy"] / 2
    xr.testing.assert_allclose(energy_spectrum(per_charge), energy_spectrum(ds), rtol=1e-6)


def test_a_single_energy_is_enough():
    ds = vdf(RESTING, FPI_2015, fpi_look(8, 4), nodes=1)
    one = energy_spectrum(ds.isel(energy_bin=[20]))
    xr.testing.assert_allclose(one, energy_spectrum(ds).isel(energy_bin=[20]))


def test_no_records_give_no_records():
    ds = vdf(IONS, FPI_2015, fpi_look(8, 4), nodes=1).isel(time=slice(0))
    found = energy_spectrum(ds)
    assert found.sizes["time"] == 0
    assert not list(EnergySpectrum.problems(found))


@settings(max_examples=15)
@given(st.integers(0, 69), st.integers(0, 69), st.booleans())
def test_cutting_time_into_granules_changes_nothing(first, second, as_list):
    one = vdf(IONS, THEMIS, fpi_look(6, 4), nodes=1)
    ds = one.isel(time=np.zeros(70, int)).assign_coords(
        time=one["time"].values + np.arange(70) * np.timedelta64(1, "s")
    )
    rng = np.random.default_rng(first)
    ds["f"] = ds["f"] * rng.gamma(2.0, size=ds["f"].shape).astype(np.float32)
    ds["f"].values[rng.random(ds["f"].shape) < 0.01] = np.nan
    ds["energy"] = (
        ("time", "energy_bin"),
        np.where(np.arange(70)[:, None] % 2, THEMIS * 1.1, THEMIS),
        ds["energy"].attrs,
    )
    ds = flattened(ds) if as_list else ds
    cuts = sorted({0, first, second, 70})
    pieces = [energy_spectrum(ds.isel(time=slice(a, b))) for a, b in pairwise(cuts)]
    xr.testing.assert_identical(xr.concat(pieces, "time"), energy_spectrum(ds))


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {1: [0.0002148192, 0.002429328, 0.01666296, 0.06932194, 0.1709622, 0.267711]}


def test_numbers_move_only_with_the_version():
    i, j, k = np.meshgrid(np.arange(4), np.arange(3), np.arange(6), indexing="ij")
    f = 1e-18 * (1.5 + np.cos(0.8 * i - 1) + np.sin(1.1 * j)) * np.exp(-((k - 3) ** 2) / 4)
    f[2, 1, 4] = np.nan
    edges = np.radians([0.0, 60.0, 120.0, 180.0])
    ds = xr.Dataset(
        {
            "f": (("time", "phi_bin", "theta_bin", "energy_bin"), f[None].astype(np.float32)),
            "energy": ("energy_bin", 20.0 * 1.8 ** np.arange(6)),
            "phi": ("phi_bin", 90.0 * np.arange(4)),
            "theta": ("theta_bin", np.array([30.0, 90.0, 150.0])),
            "solid_angle": ("theta_bin", np.radians(90) * -np.diff(np.cos(edges))),
        },
        {"time": np.array(["2020-01-01"], "datetime64[ns]")},
        {
            "species": "H+",
            "mass": 1.67262192595e-27,
            "charge": 1.0,
            "energy_kind": "energy",
            "frame": "X",
        },
    )
    assert energy_spectrum.version in GOLDEN, "new version: store its numbers here"
    assert energy_spectrum(ds)["spectrum"].values[0] == pytest.approx(
        GOLDEN[energy_spectrum.version], rel=1e-5
    )
