"""MMS HPCA, partial moments, EDP and SCM: from files made in the layout of the archive."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions.mms import edp, mission
from sciqlop_pipe.recipes.moments import moments
from tests.missions.claims import read
from tests.sources.archive_cdfs import FILL, START, Writer, times

SWEEP = "625ms"
# Anodes look all around a plane: every polar angle of the velocity twice, half a turn apart.
POLAR = 11.25 + 22.5 * np.array([*range(8), *range(7, -1, -1)], np.float32)
SIDE = np.repeat([0.0, 180.0], 8)


def azimuths() -> np.ndarray:
    """Return the azimuths the anodes look at, (16 steps, 16 anodes, 63 energies) [deg]."""
    step = 11.25 * (np.arange(16) + 0.5)
    drift = 11.25 * (np.arange(63) / 63 - 0.5)
    return (step[:, None, None] + SIDE[:, None] + drift) % 360


def hpca_file(path, f, *, first_step=0, ion="hplus", spins=None, probe="1"):
    """Write an ion file: f (sweeps, 16 anodes, 63 energies) in s^3/cm^6, a record per sweep."""
    n = len(f)
    out = Writer()
    out.time("Epoch", times(n, SWEEP), DELTA_PLUS_VAR="Epoch_PLUS", DELTA_MINUS_VAR="Epoch_MINUS")
    out.add("Epoch_PLUS", np.float32(0.625), fixed=True, UNITS="s")
    out.add("Epoch_MINUS", np.float32(0), fixed=True, UNITS="s")
    step = (first_step + np.arange(n)) % 16
    out.add(f"mms{probe}_hpca_start_azimuth", step.astype(np.uint8), DEPEND_0="Epoch")
    starts = np.flatnonzero(step == 0)[:spins]
    out.time("Epoch_Angles", times(n, SWEEP)[starts])
    out.add(f"mms{probe}_hpca_azimuth_angles_per_ev_degrees",
            np.broadcast_to(azimuths(), (len(starts), 16, 16, 63)), DEPEND_0="Epoch_Angles")  # fmt: skip
    out.add(f"mms{probe}_hpca_centroid_elevation_angle", POLAR, fixed=True, UNITS="deg")
    out.add(
        f"mms{probe}_hpca_ion_energy",
        np.geomspace(1, 40000, 63).astype("f4"),
        fixed=True,
        UNITS="eV",
    )
    out.add(f"mms{probe}_hpca_{ion}_phase_space_density", f.astype("f4"), DEPEND_0="Epoch",
            UNITS="s^3/cm^6", FILLVAL=FILL)  # fmt: skip
    return out.save(path)


def beam(axis):
    """Return f of two half spins, of what flies along an axis."""
    phi, theta = np.deg2rad(azimuths() + 180), np.deg2rad(POLAR)[:, None]
    unit = {"x": np.sin(theta) * np.cos(phi), "y": np.sin(theta) * np.sin(phi),
            "z": np.cos(theta) + 0 * phi}  # fmt: skip
    f = np.where(unit[axis] > np.cos(np.deg2rad(25)), 1e-20, 0.0)
    f[..., :30] = f[..., 40:] = 0
    return np.concatenate([f, f])


NAME = "mms1_hpca_srvy_l2_ion_20201119220000_v3.1.0.cdf"


@pytest.mark.parametrize("ion", ["hplus", "heplusplus", "heplus", "oplus"])
def test_every_ion_says_its_mass_and_charge_and_energies_are_per_charge(tmp_path, ion):
    ds = read(mission, f"mms1.hpca.{ion}.srvy.vdf", hpca_file(tmp_path / NAME, beam("x"), ion=ion))
    known = {"hplus": (1.0, 1), "heplusplus": (3.973, 2), "heplus": (3.973, 1), "oplus": (15.87, 1)}
    assert ds.attrs["mass"] / 1.67262192595e-27 == pytest.approx(known[ion][0], rel=2e-3)
    assert ds.attrs["charge"] == known[ion][1]
    assert ds.attrs["energy_kind"] == "energy_per_charge"


@pytest.mark.parametrize(("axis", "component"), [("x", 0), ("y", 1), ("z", 2)])
def test_a_beam_along_an_axis_comes_out_along_it(tmp_path, axis, component):
    """Anodes look at the azimuths of the file; its polar angles are those of the velocity."""
    ds = read(mission, "mms1.hpca.hplus.srvy.vdf", hpca_file(tmp_path / NAME, beam(axis)))
    assert ds["f"].shape == (2, 16, 16, 63)
    assert ds["phi"].dims == ("time", "phi_bin", "theta_bin", "energy_bin")
    velocity = moments(ds)["velocity"].values
    assert (velocity[:, component] / np.linalg.norm(velocity, axis=1) > 0.97).all()


def test_the_anodes_of_half_a_spin_see_the_whole_sky(tmp_path):
    ds = read(mission, "mms1.hpca.hplus.srvy.vdf", hpca_file(tmp_path / NAME, beam("x")))
    assert 16 * float(ds["solid_angle"].sum()) == pytest.approx(4 * np.pi, rel=1e-6)


def test_half_spins_that_are_not_whole_or_have_no_azimuths_are_left_out(tmp_path):
    f = np.concatenate([beam("x"), beam("x")])
    cut = read(mission, "mms1.hpca.hplus.srvy.vdf", hpca_file(tmp_path / NAME, f, first_step=5))
    assert cut.sizes["time"] == 3
    assert cut["time"].values[0] == START + np.timedelta64(11 * 625 + 5000, "ms")
    known = read(mission, "mms1.hpca.hplus.srvy.vdf", hpca_file(tmp_path / NAME, f, spins=2))
    assert known.sizes["time"] == 2


def test_fill_in_a_sweep_is_unmeasured(tmp_path):
    f = beam("x")
    f[3] = FILL
    ds = read(mission, "mms1.hpca.hplus.srvy.vdf", hpca_file(tmp_path / NAME, f))
    assert np.isnan(ds["f"].values[0, 3]).all()
    assert np.isfinite(ds["f"].values[0, 4]).all()


def deltas(out, n, step, seconds):
    out.time("Epoch", times(n, step), DELTA_PLUS_VAR="plus", DELTA_MINUS_VAR="minus")
    out.add("plus", np.float32(seconds), fixed=True, UNITS="s")
    out.add("minus", np.float32(0), fixed=True, UNITS="s")
    return out


def test_moments_of_hpca_are_dated_at_the_centre_of_half_a_spin(tmp_path):
    out = deltas(Writer(), 2, "10s", 10)
    eye = np.broadcast_to(np.eye(3, dtype="f4") * 900, (2, 3, 3))
    for name, values, units in (
        ("number_density", np.ones(2), "cm^-3"), ("ion_bulk_velocity", np.ones((2, 3)), "km/s"),
        ("ion_bulk_velocity_GSM", np.ones((2, 3)), "km/s"), ("temperature_tensor", eye, "eV"),
        ("ion_pressure", eye, "nPa"), ("tparallel", np.ones(2), "eV"), ("tperp", np.ones(2), "eV"),
    ):  # fmt: skip
        out.add(f"mms1_hpca_oplus_{name}", values.astype("f4"), DEPEND_0="Epoch", UNITS=units)
    path = out.save(tmp_path / "mms1_hpca_brst_l2_moments_20201119233433_v4.0.0.cdf")
    ds = read(mission, "mms1.hpca.oplus.brst.moms", path)
    assert ds["time"].values[0] == START + np.timedelta64(5, "s")
    assert ds.attrs["species"] == "O+"
    np.testing.assert_allclose(ds["temperature"], 900)
    assert read(mission, "mms1.hpca.oplus.brst.v_gsm", path)["vector"].attrs["frame"] == "GSM"


@pytest.mark.parametrize("sensor", ["dis", "des"])
def test_partial_moments_keep_every_energy_and_the_index_of_the_team(tmp_path, sensor):
    out = deltas(Writer(), 2, "4500ms", 4.5)

    def add(name, values, units):
        out.add(f"mms2_{sensor}_{name}_fast", values, DEPEND_0="Epoch", UNITS=units)

    add("numberdensity_part", np.ones((2, 32), "f4"), "cm^-3")
    add("bulkv_part_dbcs", np.ones((2, 32, 3), "f4"), "km/s")
    add("temptensor_part_dbcs", np.ones((2, 32, 3, 3), "f4"), "eV")
    add("prestensor_part_dbcs", np.ones((2, 32, 3, 3), "f4"), "nPa")
    add("energy", np.geomspace(10, 30000, 32)[None].repeat(2, 0).astype("f4"), "eV")
    add("part_index", np.array([3, 4], np.uint8), "")
    add("errorflags", np.array([0, 1], np.uint32), "")
    path = out.save(tmp_path / f"mms2_fpi_fast_l2_{sensor}-partmoms_20201119220000_v3.4.0.cdf")
    ds = read(mission, f"mms2.fpi.{sensor}.fast.partmoms", path)
    assert ds["temperature_tensor"].shape == (2, 32, 3, 3)
    assert ds["first_energy"].values.tolist() == [3, 4]
    assert np.isnan(ds["density"].values[1]).all()


@pytest.mark.parametrize("mode", ["fast", "slow", "brst"])
def test_the_electric_field_is_masked_where_its_quality_is_bad_only(tmp_path, mode):
    out = Writer()
    epoch = f"mms3_edp_epoch_{mode}_l2"
    out.time(epoch, times(4, "31250us"))

    def add(name, values, units=""):
        out.add(f"mms3_edp_{name}_{mode}_l2", values, DEPEND_0=epoch, UNITS=units)

    for frame in ("gse", "dsl"):
        add(f"dce_{frame}", np.ones((4, 3), "f4"), "mV/m")
    add("dce_par_epar", np.array([[0.1, 7]] * 4, "f4"), "mV/m")
    add("bitmask", np.array([0, 64, 1, 32], np.uint16))
    add("quality", np.array([3, 2, 0, 1], np.uint8))
    add("scpot", np.array([5, 6, 7, 8], "f4"), "V")
    stamp = "20201119233433" if mode == "brst" else "20201119"
    e = read(mission, f"mms3.edp.{mode}.e_gse",
             path := out.save(tmp_path / f"mms3_edp_{mode}_l2_dce_{stamp}_v3.0.0.cdf"))  # fmt: skip
    assert np.isnan(e["vector"].values).all(axis=1).tolist() == [False, False, True, False]
    names = [edp.FLAGS.names(int(w)) for w in e["quality"].values]
    assert names == [("good",), ("aspoc", "caution"), ("signal_off", "bad"),
                     ("axial_shadow", "known_problems")]  # fmt: skip
    parallel = read(mission, f"mms3.edp.{mode}.e_parallel", path)["value"].values
    np.testing.assert_array_equal(parallel, [7, 7, np.nan, 7])
    pot = read(mission, f"mms3.edp.{mode}.sc_pot",
               out.save(tmp_path / f"mms3_edp_{mode}_l2_scpot_20201119233433_v2.4.0.cdf"))  # fmt: skip
    np.testing.assert_array_equal(pot["value"], [5, 6, 7, 8])


def test_what_any_of_several_words_per_record_says_is_said(tmp_path):
    out = Writer().time("mms1_edp_epoch_fast_l2", times(2, "31250us"))
    out.add("mms1_edp_bitmask_fast_l2", np.array([[1, 16], [0, 0]], np.uint16),
            DEPEND_0="mms1_edp_epoch_fast_l2", FILLVAL=np.uint16(65535))  # fmt: skip
    out.add(
        "mms1_edp_scpot_fast_l2", np.ones(2, "f4"), DEPEND_0="mms1_edp_epoch_fast_l2", UNITS="V"
    )
    ds = read(mission, "mms1.edp.fast.sc_pot",
              out.save(tmp_path / "mms1_edp_fast_l2_scpot_20201119_v2.4.0.cdf"))  # fmt: skip
    assert ds["quality"].values.tolist() == [17, 0]


@pytest.mark.parametrize(("kind", "mode", "stamp"), [("scsrvy", "srvy", "20201119"), ("scb", "brst", "20201119233433")])  # fmt: skip
def test_the_search_coil_is_read_in_gse(tmp_path, kind, mode, stamp):
    out = Writer().time("Epoch", times(3, "31250us"))
    out.add(
        f"mms4_scm_acb_gse_{kind}_{mode}_l2", np.ones((3, 3), "f4"), DEPEND_0="Epoch", UNITS="nT"
    )
    path = out.save(tmp_path / f"mms4_scm_{mode}_l2_{kind}_{stamp}_v2.2.0.cdf")
    assert read(mission, f"mms4.scm.{kind}.b_gse", path)["vector"].attrs["frame"] == "GSE"
