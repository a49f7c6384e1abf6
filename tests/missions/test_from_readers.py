"""Instruments of which no file was at hand: files made with the names that public readers use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sciqlop_missions import cluster, mms, solar_orbiter
from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.recipes.pitch_flux import omnidirectional_spectrum
from tests.missions.claims import read
from tests.sources.archive_cdfs import FILL, Writer, times

N = 20
STAFF = "C2_CP_STA_PSD"
PEACE = "C3_CP_PEA_PITCH_SPIN_DPFlux"
CSA = "__20201119_233430_20201119_233530_V01.cdf"
DAY = "20201119"


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).gamma(2, 5, shape).astype("f4")


# --- Solar Orbiter RPW ---------------------------------------------------------------------------


@pytest.mark.parametrize("receiver", ["tnr", "hfr"])
@pytest.mark.parametrize("lone", [False, True])
def test_radio_flux_comes_out_with_its_frequencies(tmp_path: Path, receiver: str, lone: bool):
    flux, hz = 1e-18 * random(N, 7), np.geomspace(4e3, 1e6, 7)
    flux[3, 2] = FILL
    out = Writer().time("Epoch", times(N, "10s"))
    out.add("PSD_FLUX", flux[..., None] if lone else flux, DEPEND_0="Epoch", UNITS="W/m^2/Hz",
            FILLVAL=FILL)  # fmt: skip
    out.add("FREQUENCY", hz / 1e3, fixed=True, UNITS="kHz")
    path = out.save(tmp_path / f"solo_L3_rpw-{receiver}-surv-flux_{DAY}_V01.cdf")
    ds = read(solar_orbiter.mission, f"solar_orbiter.rpw.{receiver}.flux", path)
    np.testing.assert_allclose(ds["frequency"], hz)
    assert np.isnan(ds["flux"].values[3, 2])
    assert np.nansum(ds["flux"]) == pytest.approx(flux[flux > 0].sum(), rel=1e-5)


def test_solar_flux_units_are_refused_not_guessed(tmp_path: Path):
    out = Writer().time("Epoch", times(N, "10s"))
    out.add("PSD_FLUX", random(N, 7), DEPEND_0="Epoch", UNITS="sfu")
    out.add("FREQUENCY", np.geomspace(4e3, 1e6, 7), fixed=True, UNITS="Hz")
    path = out.save(tmp_path / f"solo_L3_rpw-tnr-surv-flux_{DAY}_V01.cdf")
    with pytest.raises(SourceError, match="sfu"):
        read(solar_orbiter.mission, "solar_orbiter.rpw.tnr.flux", path)


# --- Cluster STAFF and PEACE ---------------------------------------------------------------------


def staff_file(folder: Path, b: np.ndarray, e: np.ndarray, unit: str = "nT^2/Hz") -> Path:
    out = Writer().time(f"Time__{STAFF}", times(N, "4s"))
    attrs = {"DEPEND_0": f"Time__{STAFF}", "FILLVAL": FILL}
    out.add(f"BB_xxyyzz_sr2__{STAFF}", b, UNITS=unit, **attrs)
    out.add(f"EE_xxyy_sr2__{STAFF}", e, UNITS="(mV/m)^2/Hz", **attrs)
    out.add(f"Frequency__{STAFF}", np.geomspace(8, 4000, 27), fixed=True, UNITS="Hz")
    return out.save(folder / f"{STAFF}{CSA}")


@pytest.mark.parametrize("components_first", [True, False])
def test_power_of_each_component_and_their_sum(tmp_path: Path, components_first: bool):
    b, e = random(N, 27, 3), random(N, 27, 2)
    b[5, 6, 1] = FILL
    turned = (x.transpose(0, 2, 1) if components_first else x for x in (b, e))
    path = staff_file(tmp_path, *(np.ascontiguousarray(x) for x in turned))
    ds = read(cluster.mission, "cluster2.staff.b_spectrum", path)
    assert list(ds["component"].values) == ["x", "y", "z"]
    assert np.isnan(ds["total"].values[5, 6])
    assert ds["coverage"].values[5, 6] == 0
    seen = np.isfinite(ds["total"].values)
    assert seen.sum() == seen.size - 1
    np.testing.assert_allclose(ds["total"].values[seen], b.sum(axis=2)[seen], rtol=1e-5)
    ds = read(cluster.mission, "cluster2.staff.e_spectrum", path)
    np.testing.assert_allclose(ds["power"], e)
    assert ds["power"].attrs["units"] == "(mV m^-1)^2 Hz^-1"


def test_a_spectrum_of_another_shape_or_unit_is_refused(tmp_path: Path):
    path = staff_file(tmp_path, random(N, 27, 4), random(N, 27, 2))
    with pytest.raises(SourceError, match="3 components"):
        read(cluster.mission, "cluster2.staff.b_spectrum", path)
    path = staff_file(tmp_path, random(N, 27, 3), random(N, 27, 2), unit="dB")
    with pytest.raises(SourceError, match="dB"):
        read(cluster.mission, "cluster2.staff.b_spectrum", path)


def peace_file(folder: Path, flux: np.ndarray, energy: np.ndarray) -> Path:
    tags = f"time_tags__{PEACE}"
    out = Writer().time(tags, times(N, "4s"))
    out.add(f"Data__{PEACE}", flux, DEPEND_0=tags, UNITS="1/cm^2-s-sr-keV", FILLVAL=FILL)
    out.add(f"Sweep_PitchAngle__{PEACE}", 7.5 + 15 * np.arange(12), fixed=True, UNITS="Degrees")
    out.add(f"Sweep_Energy__{PEACE}", np.tile(energy, (N, 1)), DEPEND_0=tags, UNITS="eV")
    for side, seconds in (("Lower", 1.0), ("Upper", 3.0)):
        out.add(f"time_tags_Delta{side}__{PEACE}", np.full(N, seconds, "f4"), DEPEND_0=tags,
                UNITS="s")  # fmt: skip
    return out.save(folder / f"{PEACE}{CSA}")


def test_electrons_by_pitch_angle(tmp_path: Path):
    flux, energy = random(N, 12, 44), np.geomspace(26000, 5, 44)
    flux[2, 3, 4], flux[2, 3, 5] = FILL, -1
    ds = read(cluster.mission, "cluster3.peace.pad_flux", peace_file(tmp_path, flux, energy))
    assert (ds["time"].values - times(N, "4s") == np.timedelta64(1, "s")).all()
    assert ds["flux"].shape == (N, 12, 44)
    assert np.isnan(ds["flux"].values[2, 3, 4:6]).all()
    assert int(np.isnan(ds["flux"]).sum()) == 2
    assert ds["energy"].dims == ("time", "energy_bin")


@pytest.mark.parametrize("units", ["1/cm^3", "cm^-3"])
def test_moments_of_electrons_are_centred_and_in_gse(tmp_path: Path, units: str):
    product, n, v = "C3_CP_PEA_MOMENTS", random(N), random(N, 3)
    n[4] = FILL
    tags = f"time_tags__{product}"
    out = Writer().time(tags, times(N, "4s"))
    out.add(f"Data_Density__{product}", n, DEPEND_0=tags, UNITS=units, FILLVAL=FILL)
    out.add(f"Data_Velocity_GSE__{product}", v, DEPEND_0=tags, UNITS="km/s", FILLVAL=FILL)
    for side, seconds in (("Lower", 1.0), ("Upper", 3.0)):
        out.add(f"time_tags_Delta{side}__{product}", np.full(N, seconds, "f4"), DEPEND_0=tags,
                UNITS="s")  # fmt: skip
    ds = read(cluster.mission, "cluster3.peace.moms", out.save(tmp_path / f"{product}{CSA}"))
    assert (ds["time"].values - times(N, "4s") == np.timedelta64(1, "s")).all()
    assert ds["velocity"].attrs["frame"] == "GSE" and ds.attrs["species"] == "e-"
    assert np.flatnonzero(np.isnan(ds["density"])).tolist() == [4]
    np.testing.assert_allclose(ds["velocity"], v, rtol=1e-6)


def test_the_waveform_of_the_search_coil_is_in_gse(tmp_path: Path):
    product, b = "C2_CP_STA_CWF_GSE", random(N, 3)
    b[5, 1] = FILL
    out = Writer().time(f"Time__{product}", times(N, "40ms"))
    out.add(f"B_vec_xyz_Instrument__{product}", b, DEPEND_0=f"Time__{product}", UNITS="nT",
            FILLVAL=FILL)  # fmt: skip
    ds = read(cluster.mission, "cluster2.staff.cwf.b_gse", out.save(tmp_path / f"{product}{CSA}"))
    assert ds["vector"].attrs["frame"] == "GSE" and ds["vector"].attrs["units"] == "nT"
    assert np.argwhere(np.isnan(ds["vector"].values)).tolist() == [[5, 1]]


# --- MMS EIS -------------------------------------------------------------------------------------


def eis_file(folder: Path, flux: np.ndarray, angles: np.ndarray, *, versions: tuple = ("P4",),
             stretch: float = 1.0) -> Path:  # fmt: skip
    base, out = "mms1_epd_eis_srvy_l2_extof", Writer().time("Epoch", times(len(flux), "2s"))
    for t in range(6):
        for version in versions:
            out.add(f"{base}_proton_{version}_flux_t{t}", flux[:, t], DEPEND_0="Epoch",
                    UNITS="1/(cm^2-s-sr-keV)", FILLVAL=FILL)  # fmt: skip
        out.add(f"{base}_pitch_angle_t{t}", angles[:, t], DEPEND_0="Epoch", UNITS="degrees")
        energy = np.geomspace(55, 900, flux.shape[2]) * (stretch if t == 5 else 1)
        out.add(f"{base}_proton_t{t}_energy", energy, fixed=True, UNITS="keV")
    return out.save(folder / f"mms1_epd-eis_srvy_l2_extof_{DAY}_v5.0.1.cdf")


ANGLES = np.tile(15.0 + 30.0 * np.arange(6), (N, 1))


def test_each_telescope_is_a_pitch_angle(tmp_path: Path):
    flux = random(N, 6, 9)
    flux[0, 5, 0] = FILL
    ds = read(mms.mission, "mms1.eis.extof.srvy.pad_flux", eis_file(tmp_path, flux, ANGLES))
    assert ds["pitch_angle"].dims == ("time", "pitch_angle_bin")
    np.testing.assert_allclose(ds["energy"].values[[0, -1]], [55e3, 900e3])
    assert np.isnan(ds["flux"].values[0, 5, 0])
    np.testing.assert_array_equal(ds["flux"].values[1:], flux[1:])
    # Even in pitch angle and all of the sphere: the mean of a constant is the constant.
    even = omnidirectional_spectrum.fn(ds.assign(flux=ds["flux"] * 0 + 2))
    np.testing.assert_allclose(even["spectrum"].values[1], 2e-3 * ds["energy"].values, rtol=1e-5)


@pytest.mark.parametrize(
    ("facts", "says"),
    [({"versions": ("P3", "P4")}, "2 variables"), ({"stretch": 1.2}, "differ in their energies")],
)
def test_what_is_not_as_the_readers_say_is_refused(tmp_path: Path, facts: dict, says: str):
    path = eis_file(tmp_path, random(N, 6, 9), ANGLES, **facts)
    with pytest.raises(SourceError, match=says):
        read(mms.mission, "mms1.eis.extof.srvy.pad_flux", path)
