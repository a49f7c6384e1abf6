"""The generic adapter of sky maps, on files whose layout the tests choose."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import VDF
from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.cdf import open_cdf
from sciqlop_pipe.sources.conventions import Quality, begin, end
from sciqlop_pipe.sources.skymap import Angle, SkymapAdapter
from sciqlop_pipe.sources.species import PROTON
from tests.sources.archive_cdfs import FILL, START, Writer, times

N, PHI, THETA, ENERGY = 3, 8, 4, 5
SIZES = {"phi": PHI, "theta": THETA, "energy": ENERGY}
FLAGS = Flags("flags", (Flag(0, "bad", "bad"), Flag(3, "odd", "odd")), masking=1)


def numbered() -> np.ndarray:
    """Return f(time, phi, theta, energy), every bin with a number of its own."""
    f = np.arange(N * PHI * THETA * ENERGY, dtype=np.float32).reshape(N, PHI, THETA, ENERGY)
    return f * np.float32(1e-25)


def write(path, f, order=("phi", "theta", "energy"), *, units="s^3/cm^6", theta=None, energy=None,
          energy_units="eV", flags=None, time=None):  # fmt: skip
    out = Writer().time("Epoch", times(N, "4s") if time is None else time)
    out.add("phi", np.arange(PHI, dtype=np.float32) * 45 + 22.5, fixed=True, UNITS="deg")
    colatitude = np.arange(THETA, dtype=np.float32) * 45 + 22.5
    out.add("theta", colatitude if theta is None else theta, fixed=True, UNITS="deg")
    out.add("half_theta", np.full(THETA, 22.5, np.float32), fixed=True, UNITS="deg")
    table = np.geomspace(10, 1000, ENERGY, dtype=np.float32)
    out.add("energy", table if energy is None else energy, fixed=energy is None, UNITS=energy_units)
    depend = {f"DEPEND_{i}": name for i, name in enumerate(("Epoch", *order))}
    turned = f.transpose(0, *(1 + ("phi", "theta", "energy").index(name) for name in order))
    out.add("f", np.ascontiguousarray(turned), UNITS=units, FILLVAL=FILL, **depend)
    if flags is not None:
        out.add("flags", flags, DEPEND_0="Epoch", FILLVAL=np.uint32(4294967295))
    return out.save(path)


def adapter(**changes):
    known = {
        "f": "f",
        "phi": Angle("phi", 22.5, ("phi_bin",)),
        "theta": Angle("theta", "half_theta", ("theta_bin",)),
        "energy": "energy",
        "species": PROTON,
        "frame": "DBCS",
        "directions": "flow",
    }
    return SkymapAdapter(**(known | changes))


def read(path, **changes):
    with open_cdf(path) as cdf:
        return VDF.check(adapter(**changes)(cdf), str(path))


@pytest.mark.parametrize("order", list(itertools.permutations(("phi", "theta", "energy"))))
def test_any_order_of_axes_gives_the_same_distribution(tmp_path, order):
    ds = read(write(tmp_path / "a.cdf", numbered(), order))
    assert ds["f"].dims == ("time", "phi_bin", "theta_bin", "energy_bin")
    np.testing.assert_allclose(ds["f"].values, numbered() * np.float32(1e12), rtol=1e-6)


def test_axes_that_no_depend_names_are_asked_for_and_can_be_declared(tmp_path):
    path = write(tmp_path / "a.cdf", numbered(), ("theta", "phi", "energy"))
    out = Writer().time("Epoch", times(N, "4s"))
    out.add("phi", np.arange(PHI) * 45.0, fixed=True, UNITS="deg")
    out.add("theta", np.arange(THETA) * 45.0 + 22.5, fixed=True, UNITS="deg")
    out.add("half_theta", np.full(THETA, 22.5), fixed=True, UNITS="deg")
    out.add("energy", np.geomspace(10, 1000, ENERGY), fixed=True, UNITS="eV")
    out.add("f", numbered(), UNITS="s^3/cm^6", DEPEND_0="Epoch")
    path = out.save(tmp_path / "b.cdf")
    with pytest.raises(SourceError, match="declare `axes`"):
        read(path)
    ds = read(path, axes=("phi_bin", "theta_bin", "energy_bin"))
    assert ds["f"].shape == numbered().shape


@pytest.mark.parametrize(
    ("units", "factor"),
    [("s^3/cm^6", 1e12), ("s3 cm-6", 1e12), ("s^3/km^6", 1e-18), ("s^3 m^-6", 1.0)],
)
def test_f_comes_in_si_whatever_unit_the_archive_uses(tmp_path, units, factor):
    f = np.full((N, PHI, THETA, ENERGY), 2.0 / factor * 1e-12, np.float32)
    ds = read(write(tmp_path / "a.cdf", f, units=units))
    np.testing.assert_allclose(ds["f"].values, 2e-12, rtol=1e-6)
    assert ds["f"].dtype == np.float32


def test_an_unknown_unit_is_refused_rather_than_guessed(tmp_path):
    path = write(tmp_path / "a.cdf", numbered(), units="counts")
    with pytest.raises(SourceError, match="unit 'counts' cannot be read as s\\^3 m\\^-6"):
        read(path)
    assert read(path, declared="s^3/cm^6")["f"].attrs["units"] == "s^3 m^-6"


def test_energies_in_kev_become_ev(tmp_path):
    ds = read(write(tmp_path / "a.cdf", numbered(), energy_units="keV"))
    np.testing.assert_allclose(ds["energy"].values, np.geomspace(10, 1000, 5) * 1e3, rtol=1e-6)


def test_look_directions_are_turned_into_velocities(tmp_path):
    path = write(tmp_path / "a.cdf", numbered())
    flow, look = read(path), read(path, directions="look")
    np.testing.assert_allclose(look["theta"], 180 - flow["theta"])
    np.testing.assert_allclose(look["phi"], (flow["phi"] + 180) % 360)

    def unit(ds):
        phi, theta = np.deg2rad(ds["phi"]), np.deg2rad(ds["theta"])
        return np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta) + 0 * phi

    for a, b in zip(unit(flow), unit(look), strict=True):
        np.testing.assert_allclose(a, -b, atol=1e-6)
    np.testing.assert_array_equal(flow["f"], look["f"])


def test_latitudes_are_turned_into_colatitudes_and_not_taken_for_them(tmp_path):
    latitude = np.array([67.5, 22.5, -22.5, -67.5], np.float32)
    path = write(tmp_path / "a.cdf", numbered(), theta=latitude)
    np.testing.assert_allclose(read(path, polar="latitude")["theta"], [22.5, 67.5, 112.5, 157.5])
    with pytest.raises(SourceError, match="colatitude"):
        read(path)


def test_the_solid_angles_of_a_whole_sky_are_exactly_four_pi(tmp_path):
    ds = read(write(tmp_path / "a.cdf", numbered()))
    whole = ds["solid_angle"].broadcast_like(ds["f"].isel(time=0, energy_bin=0)).sum()
    np.testing.assert_allclose(whole, 4 * np.pi, rtol=1e-6)


def test_solid_angles_of_wide_bins_are_those_of_the_band(tmp_path):
    ds = read(write(tmp_path / "a.cdf", numbered()))
    polar_cap = (1 - np.cos(np.pi / 4)) * np.pi / 4
    np.testing.assert_allclose(ds["solid_angle"].isel(theta_bin=0), polar_cap, rtol=1e-6)


def test_energies_that_alternate_stay_per_record(tmp_path):
    one, other = np.geomspace(10, 1000, ENERGY), np.geomspace(12, 1200, ENERGY)
    tables = np.stack([one, other, one]).astype(np.float32)
    ds = read(write(tmp_path / "a.cdf", numbered(), energy=tables))
    assert ds["energy"].dims == ("time", "energy_bin")
    np.testing.assert_array_equal(ds["energy"], tables)


def test_bin_edges_come_only_where_they_are_declared(tmp_path):
    path = write(tmp_path / "a.cdf", numbered())
    assert "energy_lower" not in read(path)
    ds = read(path, energy_half_widths=("energy", "energy"))
    np.testing.assert_allclose(ds["energy_upper"], 2 * ds["energy"])
    assert (ds["energy_lower"] == 0).all()


def test_a_fill_value_is_no_measurement_and_zero_is_no_count(tmp_path):
    f = numbered()
    f[1, 2, 3, 4] = FILL
    f[1, 2, 3, 3] = 0
    ds = read(write(tmp_path / "a.cdf", f))
    assert np.isnan(ds["f"].values).sum() == 1
    assert np.isnan(ds["f"].values[1, 2, 3, 4])
    assert ds["f"].values[1, 2, 3, 3] == 0


def test_only_the_masking_bit_takes_data_away_and_every_bit_travels(tmp_path):
    path = write(tmp_path / "a.cdf", numbered(), flags=np.array([0, 8, 9], np.uint32))
    ds = read(path, quality=Quality("flags", FLAGS))
    assert list(ds["quality"].values) == [0, 8, 9]
    assert list(np.isnan(ds["f"]).all(("phi_bin", "theta_bin", "energy_bin"))) == [0, 0, 1]
    assert not np.isnan(ds["energy"]).any()
    assert ds["quality"].attrs["flag_meanings"] == "bad odd"


def test_flags_that_the_archive_does_not_know_mask_nothing(tmp_path):
    path = write(tmp_path / "a.cdf", numbered(), flags=np.array([0, 4294967295, 0], np.uint32))
    ds = read(path, quality=Quality("flags", FLAGS))
    assert FLAGS.names(int(ds["quality"][1])) == ("flags_missing",)
    assert not np.isnan(ds["f"]).any()


@pytest.mark.parametrize(("tag", "seconds"), [(begin("4s"), 2), (end("4s"), -2)])
def test_times_are_moved_to_the_centre_of_the_accumulation(tmp_path, tag, seconds):
    path = write(tmp_path / "a.cdf", numbered())
    ds = read(path, time_tag=tag)
    assert ds["time"].values[0] == START + np.timedelta64(seconds, "s")
    with open_cdf(path) as cdf:
        extent = adapter(time_tag=tag).extent(cdf)
    assert extent == tuple(ds["time"].values[[0, -1]].astype("datetime64[ns]").astype(int))


def test_a_file_of_another_kind_is_refused_with_what_it_lacks(tmp_path):
    path = Writer().time("Epoch", times(N, "4s")).add("b", np.zeros(N)).save(tmp_path / "a.cdf")
    with pytest.raises(SourceError, match=r"no variable f, phi, theta"), open_cdf(path) as cdf:
        adapter()(cdf)


def test_tables_of_another_size_than_f_are_refused(tmp_path):
    path = write(tmp_path / "a.cdf", numbered(), theta=np.array([30.0, 90.0, 150.0], np.float32))
    with pytest.raises(SourceError, match=r"theta has shape \(3,\), expected \(theta_bin 4\)"):
        read(path)


def test_a_list_of_directions_is_a_layout_of_its_own(tmp_path):
    out = Writer().time("Epoch", times(N, "3s"))
    out.add("phi", np.arange(6) * 60.0, fixed=True, UNITS="deg")
    out.add("theta", np.array([45.0, 45, 90, 90, 135, 135]), fixed=True, UNITS="deg")
    out.add("energy", np.geomspace(10, 1000, ENERGY)[::-1], fixed=True, UNITS="eV")
    f = np.arange(N * ENERGY * 6, dtype=np.float32).reshape(N, ENERGY, 6) * np.float32(1e-25)
    out.add("f", f, UNITS="s^3/cm^6", DEPEND_0="Epoch", DEPEND_1="energy", DEPEND_2="phi")
    path = out.save(tmp_path / "a.cdf")
    ds = read(
        path,
        phi=Angle("phi", 30.0, ("direction",)),
        theta=Angle("theta", 22.5, ("direction",)),
    )
    assert ds["f"].dims == ("time", "direction", "energy_bin")
    np.testing.assert_allclose(ds["f"], f.transpose(0, 2, 1) * 1e12, rtol=1e-6)
    assert ds["solid_angle"].dims == ("direction",)


def test_a_polar_angle_that_changes_with_energy_keeps_its_dimensions(tmp_path):
    theta = np.linspace(80, 100, THETA * ENERGY, dtype=np.float32).reshape(ENERGY, THETA)
    path = write(tmp_path / "a.cdf", numbered())
    out = Writer().time("Epoch", times(N, "4s"))
    out.add("phi", np.arange(PHI) * 45.0, fixed=True, UNITS="deg")
    out.add("theta", theta, fixed=True, UNITS="deg")
    out.add("energy", np.geomspace(10, 1000, ENERGY), fixed=True, UNITS="eV")
    out.add("f", numbered(), UNITS="s^3/cm^6", DEPEND_0="Epoch", DEPEND_1="phi",
            DEPEND_2="theta", DEPEND_3="energy")  # fmt: skip
    path = out.save(tmp_path / "b.cdf")
    ds = read(path, theta=Angle("theta", 5.0, ("energy_bin", "theta_bin")))
    assert ds["theta"].dims == ("theta_bin", "energy_bin")
    np.testing.assert_allclose(ds["theta"], theta.T)
    assert ds["solid_angle"].dims == ("theta_bin",)


def test_the_first_valid_energy_is_passed_on(tmp_path):
    path = write(tmp_path / "a.cdf", numbered(), flags=np.array([0, 2, 4], np.uint32))
    assert list(read(path, first_energy="flags")["first_energy"]) == [0, 2, 4]


def test_records_without_a_time_are_dropped(tmp_path):
    time = times(N, "4s")
    time[1] = np.datetime64("NaT", "ns")
    out = write(tmp_path / "a.cdf", numbered(), time=time)
    ds = read(out)
    assert ds.sizes["time"] == N - 1
    np.testing.assert_allclose(ds["f"].values, numbered()[[0, 2]] * np.float32(1e12), rtol=1e-6)


def test_an_adapter_travels_to_another_process_as_it_is():
    assert pickle.loads(pickle.dumps(adapter())) == adapter()


def test_the_arrays_of_the_file_are_left_as_they_are(tmp_path):
    path = write(tmp_path / "a.cdf", numbered(), flags=np.ones(N, np.uint32))
    with open_cdf(path) as cdf:
        before = cdf.values("f").copy()
        adapter(quality=Quality("flags", FLAGS))(cdf)
        np.testing.assert_array_equal(cdf.values("f"), before)


@settings(max_examples=40, deadline=None)
@given(
    edges=st.lists(st.floats(1, 179), min_size=1, max_size=8, unique=True),
    phi_bins=st.integers(1, 40),
)
def test_bands_that_tile_the_sphere_add_up_to_it(edges, phi_bins):
    import xarray as xr

    from sciqlop_pipe.sources.skymap import solid_angles

    borders = np.array([0.0, *sorted(edges), 180.0])
    theta = xr.DataArray((borders[1:] + borders[:-1]) / 2, dims="theta_bin")
    half = xr.DataArray(np.diff(borders) / 2, dims="theta_bin")
    half_phi = xr.DataArray(np.full(phi_bins, 180.0 / phi_bins), dims="phi_bin")
    np.testing.assert_allclose(solid_angles(theta, half, half_phi).sum(), 4 * np.pi, rtol=1e-9)
