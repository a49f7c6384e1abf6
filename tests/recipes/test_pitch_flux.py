"""Omnidirectional spectra of intensities per pitch angle."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.datatypes import EnergySpectrum, PitchAngleFlux
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.recipes.pitch_flux import omnidirectional_spectrum, pitch_angle_bins

ENERGY = np.array([1e3, 1e4, 1e5])


def intensity(values: np.ndarray, centres: np.ndarray) -> xr.Dataset:
    flux = {"units": "cm^-2 s^-1 sr^-1 keV^-1", "long_name": "differential intensity"}
    dims = ("time", "pitch_angle_bin") if centres.ndim == 2 else ("pitch_angle_bin",)
    ds = xr.Dataset(
        {
            "flux": (("time", "pitch_angle_bin", "energy_bin"), values.astype("f4"), flux),
            "pitch_angle": (dims, centres, {"units": "deg", "long_name": "pitch angle"}),
            "energy": (("energy_bin",), ENERGY, {"units": "eV", "long_name": "energy"}),
        },
        coords={"time": np.datetime64("2020-01-01", "ns") + np.arange(len(values))},
        attrs={"species": "e-", "mass": 1.0, "charge": -1.0},
    )
    return PitchAngleFlux.check(ds)


def test_an_isotropic_intensity_is_its_energy_flux():
    centres = np.arange(5.0, 180, 10)
    found = omnidirectional_spectrum.fn(intensity(np.full((2, 18, 3), 7.0), centres))
    EnergySpectrum.check(found)
    np.testing.assert_allclose(found["spectrum"], 7 * ENERGY[None] / 1e3 * np.ones((2, 1)))
    np.testing.assert_allclose(found["coverage"], 1)


@pytest.mark.parametrize("per_record", [False, True])
def test_sine_squared_gives_two_thirds(per_record: bool):
    centres = np.arange(0.5, 180)
    values = np.broadcast_to((np.sin(np.deg2rad(centres)) ** 2)[None, :, None], (1, 180, 3))
    table = centres[None, ::-1].copy() if per_record else centres
    found = omnidirectional_spectrum.fn(intensity(values, table))
    np.testing.assert_allclose(found["spectrum"][0], 2 / 3 * ENERGY / 1e3, rtol=1e-4)


def test_what_was_not_seen_is_not_made_up():
    centres = np.array([60.0, 80.0, 100.0, 120.0])
    values = np.full((3, 4, 3), 2.0)
    values[1, 0] = np.nan
    values[2] = np.nan
    found = omnidirectional_spectrum.fn(intensity(values, centres))
    belt = np.cos(np.deg2rad(50))
    np.testing.assert_allclose(found["coverage"][0], belt, rtol=1e-6)
    part = (np.cos(np.deg2rad(70)) + belt) / 2
    np.testing.assert_allclose(found["coverage"][1], part, rtol=1e-6)
    np.testing.assert_allclose(found["spectrum"][1], 2 * ENERGY / 1e3)
    assert np.isnan(found["spectrum"][2]).all()
    assert (found["coverage"][2] == 0).all()


def test_the_numbers_of_version_1():
    rng = np.random.default_rng(3)
    centres = np.sort(rng.uniform(0, 180, (4, 6)), axis=1)
    found = omnidirectional_spectrum.fn(intensity(rng.gamma(2, 3, (4, 6, 3)), centres))
    sums = [float(found[n].sum()) for n in ("spectrum", "coverage")]
    assert omnidirectional_spectrum.version == 1
    np.testing.assert_allclose(sums, GOLDEN, rtol=1e-5)


GOLDEN = [3624.98877, 11.337025]


@pytest.mark.parametrize(("response", "filled"), [(0.0, {2, 8}), (10.0, {2, 3, 8})])
def test_a_telescope_counts_in_every_bin_that_it_sees(response: float, filled: set[int]):
    """In bins of 20 degrees: 51 sees 41 to 61, 175 sees 165 to 185, the last bin ends at 180."""
    centres = np.array([[51.0, 175.0], [51.0, 180.0]])
    flux = np.array([[[4.0] * 3, [8.0] * 3]] * 2)
    found = PitchAngleFlux.check(
        pitch_angle_bins(intensity(flux, centres), bins=9, response=response)
    )
    seen = np.isfinite(found["flux"].values[:, :, 0])
    assert set(np.flatnonzero(seen[0])) == filled
    assert seen[1, 8]
    assert found["flux"].values[0, 2, 0] == 4


def test_telescopes_in_one_bin_are_averaged_and_no_bin_is_refused():
    ds = intensity(np.array([[[4.0, np.nan, 1], [8.0, 6, np.nan]]]), np.array([[51.0, 55.0]]))
    found = pitch_angle_bins(ds, bins=9)["flux"].values[0]
    np.testing.assert_array_equal(found[2], [6, 6, 1])
    assert np.isnan(found[[0, 1, 3, 4, 5, 6, 7, 8]]).all()
    with pytest.raises(UsageError, match="0 bins"):
        pitch_angle_bins(ds, bins=0)
