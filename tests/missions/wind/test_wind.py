"""Wind: MFI, SWE and 3DP from real files."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions.wind import mission, swe
from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.quality import masked_fraction
from sciqlop_pipe.sources.cdf import open_cdf
from tests.missions.claims import check_contents, read, real
from tests.sources.archive_cdfs import FILL, Writer, times

MFI = "wind/wi_h0_mfi_20200101_v05.cdf"
KEY = "wind/wi_k0_mfi_20220101_v01.cdf"
SWE = "wind/wi_h1_swe_20220101_v01.cdf"
PLSP = "wind/wi_plsp_3dp_19990329_v02.cdf"


def test_the_table_of_contents_is_whole():
    check_contents(mission)


@pytest.mark.parametrize(
    ("name", "path", "records", "first"),
    [
        ("wind.mfi.3s.b_gse", MFI, 28800, "2020-01-01T00:00:01.500"),
        ("wind.mfi.1min.b_gsm", MFI, 1440, "2020-01-01T00:00:30"),
        ("wind.mfi.1h.b_gse", MFI, 24, "2020-01-01T00:30"),
        ("wind.mfi.position_gse", MFI, 1440, "2020-01-01T00:00:30"),
        ("wind.mfi.k0.b_gse", KEY, 939, "2022-01-01T00:01:19.4745"),
        ("wind.swe.fit", SWE, 579, "2022-01-01T00:02:42.794"),
        ("wind.swe.alpha_fit", SWE, 579, "2022-01-01T00:02:42.794"),
        ("wind.swe.moms", SWE, 579, "2022-01-01T00:02:42.794"),
        ("wind.3dp.plsp.archive_spectrum", PLSP, 412, "1999-03-29T00:03:07.128125"),
    ],
)
def test_a_real_file_is_read_with_all_records_of_its_own_clock(
    shared_data, name, path, records, first
):
    ds = read(mission, name, real(shared_data, path))
    assert ds.sizes["time"] == records
    assert ds["time"].values[0] == np.datetime64(first)


def test_wind_is_at_l1_and_its_three_cadences_agree(shared_data):
    path = real(shared_data, MFI)
    position = read(mission, "wind.mfi.position_gse", path)["position"].values
    assert np.linalg.norm(position, axis=1).mean() == pytest.approx(240.6 * 6378, rel=2e-3)
    hours = read(mission, "wind.mfi.1h.b_gse", path)["vector"].values
    minutes = read(mission, "wind.mfi.1min.b_gse", path)["vector"].values
    np.testing.assert_allclose(minutes.reshape(24, 60, 3).mean(1), hours, atol=0.05)


@pytest.fixture(scope="module")
def protons(shared_data):
    return read(mission, "wind.swe.fit", real(shared_data, SWE))


def test_a_temperature_is_that_of_the_most_probable_speed(shared_data, protons):
    """T = m W^2 / 2: 5.22e-3 W^2 eV for protons."""
    with open_cdf(real(shared_data, SWE)) as cdf:
        w = cdf.values("Proton_W_nonlin")
    known = np.isfinite(protons["temperature"].values)
    np.testing.assert_allclose(protons["temperature"][known], 5.2198e-3 * w[known] ** 2, rtol=1e-4)
    parts = protons["temperature_parallel"] + 2 * protons["temperature_perpendicular"]
    np.testing.assert_allclose(protons["temperature"], parts / 3, rtol=2e-3)


def test_the_fill_that_swe_does_not_declare_is_masked(shared_data, protons):
    alphas = read(mission, "wind.swe.alpha_fit", real(shared_data, SWE))
    for ds in (protons, alphas):
        for name, array in ds.data_vars.items():
            if name != "quality":
                assert not (np.abs(array.values) > 9000).any(), name
    assert np.isfinite(alphas["density"]).sum() == 23
    assert np.isnan(alphas["temperature"]).all()


def test_a_spectrum_that_cannot_be_fitted_is_masked_and_no_other(protons):
    words, attrs = protons["quality"].values, protons["quality"].attrs
    assert masked_fraction(words, attrs["masking"]) == pytest.approx(40 / 579)
    assert np.isnan(protons["density"].values[words == 1]).all()
    assert np.isfinite(protons["density"].values[words != 1]).all()
    assert swe.FLAGS.names(2) == ("poor_peak",)


def test_fit_and_moments_see_the_same_solar_wind(shared_data, protons):
    moms = read(mission, "wind.swe.moms", real(shared_data, SWE))
    apart = (moms["velocity"] - protons["velocity"]).values[:, 0]
    assert abs(np.nanmedian(apart)) < 10
    assert np.nanmax(protons["velocity"].values[:, 0]) < -300


def test_a_place_without_energy_in_a_spectrum_is_not_measured(shared_data):
    ds = read(mission, "wind.3dp.plsp.archive_spectrum", real(shared_data, PLSP))
    empty = np.isnan(ds["energy"].values)
    assert (empty == (np.arange(15) == 14)).all()
    np.testing.assert_array_equal(np.isnan(ds["spectrum"].values), empty)


@pytest.mark.parametrize("kind", ["elsp", "ehsp", "sfsp", "sosp"])
def test_a_spectrum_of_number_flux_becomes_one_of_energy_flux(tmp_path, kind):
    energy = np.array([[1e5, 2e5, 4e5]] * 2, "f4")
    out = Writer().time("Epoch", times(2, "12s"))
    out.add("FLUX", np.array([[3, 2, -1e31]] * 2, "f4"), UNITS="#/(cm^2 s sr eV)", FILLVAL=FILL)
    out.add("ENERGY", energy, UNITS="eV")
    path = out.save(tmp_path / f"wi_{kind}_3dp_20201119_v01.cdf")
    ds = read(mission, f"wind.3dp.{kind}.archive_spectrum", path)
    np.testing.assert_allclose(ds["spectrum"][0], [3e5, 4e5, np.nan])
    assert ds.attrs["species"] == ("H+" if kind == "sosp" else "e-")


def test_a_number_flux_per_kev_is_not_taken_for_one_per_ev(tmp_path):
    out = Writer().time("Epoch", times(2, "12s"))
    out.add("FLUX", np.ones((2, 3), "f4"), UNITS="#/(cm^2 s sr keV)", FILLVAL=FILL)
    out.add("ENERGY", np.full((2, 3), 1e5, "f4"), UNITS="eV")
    path = out.save(tmp_path / "wi_sfsp_3dp_20201119_v01.cdf")
    with pytest.raises(SourceError, match="not per eV"):
        read(mission, "wind.3dp.sfsp.archive_spectrum", path)


@pytest.mark.parametrize(("who", "letter", "species"), [("protons", "P", "H+"), ("alphas", "A", "He++")])  # fmt: skip
def test_moments_of_three_seconds_are_read_in_gse(tmp_path, who, letter, species):
    out = Writer().time("Epoch", times(2, "3s"))
    out.add(f"{letter}_DENS", np.array([5, 6], "f4"))
    out.add(f"{letter}_VELS", np.array([[-400, 1, 2]] * 2, "f4"))
    out.add(f"{letter}_TEMP", np.array([12, 13], "f4"))
    ds = read(mission, f"wind.3dp.pm.{who}", out.save(tmp_path / "wi_pm_3dp_20201119_v05.cdf"))
    assert ds["velocity"].attrs["frame"] == "GSE"
    assert ds.attrs["species"] == species
    np.testing.assert_allclose(ds["temperature"], [12, 13])


def test_the_field_of_11_hz_is_read(tmp_path):
    out = Writer().time("Epoch", times(3, "92ms"))
    for frame in ("GSE", "GSM"):
        out.add(f"B{frame}", np.ones((3, 3), "f4"), UNITS="nT", DEPEND_0="Epoch", FILLVAL=FILL)
    path = out.save(tmp_path / "wi_h2_mfi_20201119_v05.cdf")
    assert read(mission, "wind.mfi.11hz.b_gsm", path)["vector"].shape == (3, 3)
