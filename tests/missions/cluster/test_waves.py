"""Waves of real internal bursts, and where there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sciqlop_missions.cluster import efw, fgm
from sciqlop_pipe.recipes.polarization import wave_polarization, wave_poynting_flux
from sciqlop_pipe.recipes.wave_spectra import power_spectrum
from sciqlop_pipe.sources.cdf import open_cdf

BURSTS = {
    "whistler": ("4", "20030301_035904_20030301_035916_V111209"),
    "nothing": ("4", "20050225_103705_20050225_103717_V111215"),
    "weak": ("2", "20070410_112015_20070410_112028_V111215"),
}
FIELD = "C2_CP_FGM_FULL_ISR2__20070410_111000_20070410_113000_V110726.cdf"


def burst(folder: Path, which: str, quantity: str) -> xr.Dataset:
    """One field of an internal burst."""
    probe, stamp = BURSTS[which]
    name = f"C{probe}_CP_EFW_L2_{quantity.upper()}B__{stamp}.cdf"
    with open_cdf(folder / "cluster" / "waves" / name) as cdf:
        return efw.burst(probe, quantity)(cdf)


@pytest.fixture(scope="module")
def background(shared_data: Path) -> xr.Dataset:
    """B of C2 in ISR2."""
    with open_cdf(shared_data / "cluster" / "waves" / FIELD) as cdf:
        return fgm.field("2", "full.b_isr2")(cdf)


def strongest(ds: xr.Dataset, low: float, high: float) -> dict[str, float]:
    """Everything where the power is largest within a band."""
    inside = (ds["frequency"] >= low) & (ds["frequency"] <= high)
    at = ds["power"].where(inside).argmax(...)
    one = ds.isel(at)
    return {n: float(one[n]) for n in one.data_vars if one[n].ndim == 0}


def test_a_weak_whistler_is_right_handed_and_nearly_along_the_field(shared_data, background):
    found = wave_polarization(burst(shared_data, "weak", "b"), background, samples=512)
    second = found.sel(time="2007-04-10T11:20:19.5", method="nearest")
    inside = ((second["frequency"] >= 145) & (second["frequency"] <= 177)).values
    band = second.isel(frequency_bin=np.flatnonzero(inside))
    assert (band["handedness"] == 1).all()
    assert (
        band["wave_normal_angle"].values.min() >= 9 and band["wave_normal_angle"].values.max() <= 26
    )
    share = band["frequency"] / second["electron_cyclotron_frequency"]
    assert float(share.min()) > 0.125 and float(share.max()) < 0.16
    assert (band["ellipticity"] > 0.8).all()
    assert float(band["power"].max()) < 5e-6


def test_its_poynting_flux_needs_only_two_components_of_e(shared_data, background):
    e, b = (burst(shared_data, "weak", q) for q in "eb")
    assert np.isnan(e["vector"].values[:, 2]).all()
    found = wave_poynting_flux(e, b, background, samples=512)
    known = np.isfinite(found["flux_parallel"]).all("frequency_bin").values
    low = (found["quality"].values & 8) > 0
    np.testing.assert_array_equal(known, ~low)
    assert known.sum() >= 9


def test_a_strong_whistler_is_circular_and_its_handedness_unknown(shared_data):
    wave = burst(shared_data, "whistler", "b")
    assert np.isnan(wave["vector"]).any(), "fill of -1e9 every 0.91 s"
    ds = wave_polarization(wave, samples=512, step="500ms")
    found = strongest(ds, 80, 120)
    assert found["frequency"] == pytest.approx(88, abs=1)
    assert found["power"] == pytest.approx(4.5e-4, rel=0.05)
    assert found["ellipticity"] == pytest.approx(0.98, abs=0.01)
    assert found["degree_of_polarization"] == pytest.approx(0.98, abs=0.015)
    assert np.isnan(ds["handedness"]).all() and np.isnan(ds["wave_normal_angle"]).all()
    assert (ds["quality"].values & 2).all() and (ds["quality"].values & 1).any()
    assert float(power_spectrum(wave, samples=512)["total"].max()) < 1e-2


def test_where_there_is_no_circular_wave_none_is_found(shared_data):
    ds = wave_polarization(burst(shared_data, "nothing", "b"), samples=512)
    inside = ((ds["frequency"] > 75) & (ds["frequency"] < 1000)).values
    circular = (ds["ellipticity"].values > 0.8) & (ds["degree_of_polarization"].values > 0.8)
    assert not (circular & inside).any()
