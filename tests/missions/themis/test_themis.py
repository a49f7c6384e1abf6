"""THEMIS: distributions as direction lists, moments, field, position; tables of events."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions.themis import esd, mission
from sciqlop_pipe.errors import SourceError, TruncatedFile
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.sources.text import open_table
from sciqlop_pipe.sources.view import density_per_energy_flux
from tests.missions.claims import check_contents, dataset, read, real
from tests.missions.themis.files import SPIN, START, esd_file, l2_file, sky

EVENTS = {
    "tha_20070608_0630_0830_GSM_v4": 2394,
    "thb_20071114_1500_1900_GSM_v4_onboard": 5758,
    "thb_20080405_0300_1200_GSM_v4_onboard": 10772,
    "thb_20080413_0130_1030_GSM_v4_onboard": 10772,
    "thb_20090406_0500_1300_GSM_v4_onboard": 9700,
    "thc_20080413_0130_1100_GSM_v4_onboard": 11305,
    "thc_20080415_0600_1000_GSM_v4_onboard": 4785,
    "thc_20080419_0130_0600_GSM_v4_onboard": 5383,
}


def test_the_table_of_contents_is_whole():
    check_contents(mission)


def beam(bins: int, axis: str) -> np.ndarray:
    """Return which directions of a list look along an axis, as energy flux (2, 32, bins)."""
    theta, phi = np.deg2rad(sky(bins)[:2])
    unit = {"x": np.cos(theta) * np.cos(phi), "y": np.cos(theta) * np.sin(phi), "z": np.sin(theta)}
    flux = np.zeros((2, 32, bins), np.float32)
    flux[:, 12:18, unit[axis] > np.cos(np.deg2rad(25))] = 1e6
    return flux


@pytest.mark.parametrize("bins", [88, 176])
@pytest.mark.parametrize(("axis", "component"), [("x", 0), ("y", 1), ("z", 2)])
def test_a_beam_along_an_axis_comes_out_along_it(tmp_path, bins, axis, component):
    """ESA gives flow directions: nothing is turned over."""
    name = "tha_l2_esa_peif_20201119_v01.cdf"
    ds = read(mission, "themisa.esa.peif.vdf", esd_file(tmp_path / name, beam(bins, axis)))
    assert ds["f"].dims == ("time", "direction", "energy_bin")
    assert ds.sizes["direction"] == bins
    velocity = moments(ds)["velocity"].values[0]
    assert velocity[component] / np.linalg.norm(velocity) > 0.97


def test_azimuths_turn_by_the_offset_of_their_record(tmp_path):
    path = tmp_path / "tha_l2_esa_peif_20201119_v01.cdf"
    ds = read(
        mission, "themisa.esa.peif.vdf",
        esd_file(path, beam(88, "x"), phi_offset=np.array([0, 90], np.float32)),
    )  # fmt: skip
    along_x, along_y = moments(ds)["velocity"].values
    assert along_x[0] / np.linalg.norm(along_x) > 0.97
    assert along_y[1] / np.linalg.norm(along_y) > 0.97
    assert ds["phi"].dims == ("time", "direction")
    assert ds["theta"].dims == ("direction",)


def test_f_follows_from_the_energy_flux_with_the_mass_of_the_species(tmp_path):
    path = tmp_path / "tha_l2_esa_peif_20201119_v01.cdf"
    ds = read(mission, "themisa.esa.peif.vdf", esd_file(path, beam(88, "x")))
    energy = ds["energy"].values.astype(float)
    speed = np.sqrt(2 * energy * 1.602176634e-19 / 1.67262192595e-27)
    # J_E = E v^2 f / m, whatever unit of energy it counts: 1e6 cm^-2 is 1e10 m^-2.
    f = 1e10 * 1.67262192595e-27 / (energy * 1.602176634e-19 * speed**2)
    at = np.flatnonzero(np.nan_to_num(ds["f"].values[0]).any(axis=1))[0]
    np.testing.assert_allclose(ds["f"].values[0, at, 12:18], f[12:18], rtol=1e-5)
    assert np.isnan(density_per_energy_flux(np.array([0.0]), esd.PROTON)).all()


def test_a_mode_of_fewer_angles_and_energies_leaves_the_rest_unmeasured(tmp_path):
    path = tmp_path / "tha_l2_esa_peir_20201119_v01.cdf"
    flux = np.full((2, 32, 88), 1e5, np.float32)
    ds = read(mission, "themisa.esa.peir.vdf", esd_file(path, flux, modes=((24, 6), (32, 88))))
    assert np.isfinite(ds["f"].values[0]).sum() == 6 * 23  # the first energy is the retrace
    assert np.isfinite(ds["f"].values[1]).sum() == 88 * 31
    assert ds["solid_angle"].dims == ("time", "direction")
    assert (ds["solid_angle"].values[0, 6:] == 0).all()
    np.testing.assert_allclose(ds["solid_angle"].sum("direction"), 4 * np.pi, rtol=1e-3)
    assert ds["energy"].dims == ("time", "energy_bin")
    assert np.isnan(ds["energy"].values[0, 24:]).all()
    n = moments(ds)["density"].values
    assert np.isfinite(n).all()
    assert (n > 0).all()


def test_an_invalid_distribution_is_masked_and_the_other_flags_travel(tmp_path):
    path = tmp_path / "the_l2_esa_peef_20201119_v01.cdf"
    flux = np.full((2, 32, 88), 1e5, np.float32)
    ds = read(mission, "themise.esa.peef.vdf",
              esd_file(path, flux, valid=np.array([0, 1], np.uint8), flags=np.array([0, 18], "i2")))  # fmt: skip
    assert np.isnan(ds["f"].values[0]).all()
    assert np.isfinite(ds["f"].values[1]).any()
    names = [esd.ESA_FLAGS.names(int(w)) for w in ds["quality"].values]
    assert names == [("invalid",), ("counter_overflow", "earth_shadow")]
    assert ds.attrs["species"] == "e-"


def test_a_distribution_is_dated_between_its_beginning_and_its_end(tmp_path):
    path = tmp_path / "tha_l2_esa_peif_20201119_v01.cdf"
    ds = read(mission, "themisa.esa.peif.vdf", esd_file(path, beam(88, "x")))
    assert abs(ds["time"].values[0] - (START + SPIN // 2)) <= np.timedelta64(1, "us")


def test_angles_of_another_shape_than_the_flux_are_refused(tmp_path):
    path = tmp_path / "tha_l2_esa_peif_20201119_v01.cdf"
    with pytest.raises(SourceError, match="its angles"):
        read(mission, "themisa.esa.peif.vdf",
             esd_file(path, np.ones((2, 32, 88), "f4"), angles=176))  # fmt: skip


@pytest.mark.parametrize("probe", ["a", "e"])
@pytest.mark.parametrize("kind", ["esa.peif", "esa.peeb", "mom.peim", "mom.peem", "gmom.ptiff"])
def test_moments_of_the_team_come_with_their_tensor_in_dsl(tmp_path, probe, kind):
    file, product = kind.split(".")
    path = l2_file(tmp_path / f"th{probe}_l2_{file}_20201119_v01.cdf", probe, product)
    ds = read(mission, f"themis{probe}.{kind}.moms", path)
    np.testing.assert_allclose(ds["density"], [5, 6])
    np.testing.assert_allclose(ds["pressure"][0], np.array([[1, 4, 5], [4, 2, 6], [5, 6, 3]]) * 1.602176634e-1, rtol=1e-6)  # fmt: skip
    np.testing.assert_allclose(ds["temperature_perpendicular"], 150)
    np.testing.assert_allclose(ds["temperature_parallel"], 300)
    np.testing.assert_allclose(ds["temperature"], 200)
    assert ds["velocity"].attrs["frame"] == "DSL"
    assert abs(ds["time"].values[0] - START) <= np.timedelta64(1, "us")
    gse = read(mission, f"themis{probe}.{kind}.moms_gse", path)
    assert gse["velocity"].attrs["frame"] == "GSE"
    assert "pressure" not in gse


def test_spectra_fields_potential_and_positions_are_read(tmp_path):
    esa = l2_file(tmp_path / "thd_l2_esa_20201119_v01.cdf", "d", "peif")
    assert read(mission, "themisd.esa.peif.archive_spectrum", esa)["spectrum"].shape == (2, 32)
    mom = l2_file(tmp_path / "thd_l2_mom_20201119_v01.cdf", "d", "peim")
    np.testing.assert_allclose(read(mission, "themisd.mom.sc_pot", mom)["value"], [8, 9])
    fgm = l2_file(tmp_path / "thd_l2_fgm_20201119_v01.cdf", "d", "")
    for mode in ("fgs", "fgl", "fgh"):
        b = read(mission, f"themisd.fgm.{mode}.b_dsl", fgm)
        assert b["vector"].attrs["frame"] == "DSL"
        assert np.isnan(b["vector"].values[1]).all()
    state = l2_file(tmp_path / "thd_l1_state_20201119_v02.cdf", "d", "")
    r = read(mission, "themisd.state.position_gse", state)
    np.testing.assert_allclose(r["position"][0], [60000, 0, 1000])


@pytest.mark.parametrize(("name", "rows"), EVENTS.items())
@pytest.mark.parametrize("quantity", ["b_gsm", "moms"])
def test_a_table_of_an_event_is_read_with_all_its_rows(shared_data, name, rows, quantity):
    path = real(shared_data, f"themis/{name}.dat")
    ds = read(mission, f"themis{name[2]}.events.{quantity}", path)
    assert ds.sizes["time"] == rows


def test_both_ways_of_telling_time_begin_where_the_name_says(shared_data):
    for stem in ("tha_20070608_0630_0830_GSM_v4", "thb_20071114_1500_1900_GSM_v4_onboard"):
        ds = read(mission, f"themis{stem[2]}.events.b_gsm", real(shared_data, f"themis/{stem}.dat"))
        start = f"{stem[4:8]}-{stem[8:10]}-{stem[10:12]}T{stem[13:15]}:{stem[15:17]}"
        assert ds["time"].values[0] == np.datetime64(start)


def test_the_numbers_of_the_tables_are_nt_and_ev_whatever_their_header_says(shared_data):
    path = real(shared_data, "themis/tha_20070608_0630_0830_GSM_v4.dat")
    b = read(mission, "themisa.events.b_gsm", path)["vector"].values
    moms = read(mission, "themisa.events.moms", path)
    columns = np.loadtxt(path, skiprows=1, usecols=range(1, 11))
    np.testing.assert_allclose(np.linalg.norm(b, axis=1), columns[:, 3], atol=2e-3)
    # As kelvin, ions of the magnetosheath would have 0.02 eV.
    assert 50 < np.median(moms["temperature"]) < 5000


def test_a_table_cut_within_a_row_is_refused_or_salvaged_to_its_last_whole_row(
    shared_data, tmp_path
):
    source = dataset(mission, "themisa.events.b_gsm").source
    whole = real(shared_data, "themis/tha_20070608_0630_0830_GSM_v4.dat").read_bytes()
    cut = tmp_path / "tha_20070608_0630_0830_GSM_v4.dat"
    cut.write_bytes(whole[:100_000])
    with pytest.raises(TruncatedFile, match="ends within a row"):
        source.open(cut)
    kept = open_table(cut, source.table, salvage=True)
    assert kept.times("time").size == whole[:100_000].count(b"\n") - 1
    cut.write_bytes(whole[:100_000] + b"\n")
    with pytest.raises(SourceError, match="expected 11"):
        source.open(cut)
