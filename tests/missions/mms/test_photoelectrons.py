"""Photo-electrons of DES and penetrating radiation in DIS, on files made in the archive's layout."""

from __future__ import annotations

import json
import pickle
import sys

import numpy as np
import pycdfpp
import pytest
import xarray as xr

from sciqlop_missions.mms import fpi, mission
from sciqlop_missions.mms.photoelectron_model import (
    ModelAdapter,
    PhaseAdapter,
    Photoelectrons,
)
from sciqlop_missions.mms.photoelectrons import without_photoelectrons
from sciqlop_pipe.cli import main
from sciqlop_pipe.constants import ELEMENTARY_CHARGE, PROTON_MASS
from sciqlop_pipe.datatypes import VDF, ScalarSeries
from sciqlop_pipe.errors import DataTypeError, SourceError
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.sources.archive import list_archives
from sciqlop_pipe.sources.cdf import open_cdf
from sciqlop_pipe.sources.files import LocalFile
from tests.sources.archive_cdfs import FILL, START, Writer, fpi_distribution, times

N = 4
SKY = (32, 16, 32)
STAMP = "20201119233433_v3.4.0"
MODEL = "mms_fpi_brst_l2_des-bgdist_v1.1.0_p3-5.cdf"
FACTOR = 0.3
COUNTS = np.array([15, 16, 5759, 65535], np.uint16)
PARITY = np.array([0, 1, 0, 1], np.uint8)
UNIT = 1e-30  # s^3 cm^-6
DATASETS = {d.name: d for d in mission.datasets}


def des_moments(folder, *, model=MODEL, factor="0.3000000", stamp=STAMP, start=START):
    """Write of a des-moms file what tells about photo-electrons."""
    out = Writer()
    out.time("Epoch", times(N, "30ms", start), DELTA_PLUS_VAR="Epoch_plus_var",
             DELTA_MINUS_VAR="Epoch_minus_var")  # fmt: skip
    out.add("Epoch_plus_var", np.float32(0.03), fixed=True, UNITS="s")
    out.add("Epoch_minus_var", np.float32(0), fixed=True, UNITS="s")
    out.add("mms1_des_startdelphi_count_brst", COUNTS, DEPEND_0="Epoch", FILLVAL=np.uint16(65535))
    out.add("mms1_des_steptable_parity_brst", PARITY, DEPEND_0="Epoch", FILLVAL=np.uint8(255))
    for name, word in (("filenames", model), ("scaling_factor", factor)):
        out.cdf.add_attribute(f"Photoelectron_model_{name}", [word])
    return out.save(folder / f"mms1_fpi_brst_l2_des-moms_{stamp}.cdf")


def dis_moments(folder, flux):
    """Write of a dis-moms file what tells about penetrating radiation."""
    out = Writer()
    out.time("Epoch", times(len(flux), "150ms"), DELTA_PLUS_VAR="Epoch_plus_var",
             DELTA_MINUS_VAR="Epoch_minus_var")  # fmt: skip
    out.add("Epoch_plus_var", np.float32(0.15), fixed=True, UNITS="s")
    out.add("Epoch_minus_var", np.float32(0), fixed=True, UNITS="s")
    out.add("mms1_dis_errorflags_brst", np.zeros(len(flux), np.uint32), DEPEND_0="Epoch",
            FILLVAL=np.uint32(4294967295))  # fmt: skip
    for name, units, per in (("spectr", "keV/(cm^2 s sr keV)", 1), ("numberdensity", "cm^-3", 1e-5),
                             ("pres", "nPa", 1e-6)):  # fmt: skip
        out.add(f"mms1_dis_{name}_bg_brst", np.float32(per) * np.asarray(flux, np.float32),
                DEPEND_0="Epoch", UNITS=units, FILLVAL=FILL)  # fmt: skip
    return out.save(folder / f"mms1_fpi_brst_l2_dis-moms_{STAMP}.cdf")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return backgrounds(tmp_path_factory.mktemp("archive"))


def backgrounds(folder):
    """Distributions, moments and a model whose f is 1000 * table + degree + 1, in 1e-30 s^3 cm^-6."""
    f = np.full((N, *SKY), 1000 * UNIT, np.float32)
    fpi_distribution(folder / f"mms1_fpi_brst_l2_des-dist_{STAMP}.cdf", f, sensor="des")
    fpi_distribution(folder / f"mms1_fpi_brst_l2_dis-dist_{STAMP}.cdf", f * 1e6)
    des_moments(folder)
    dis_moments(folder, [5000, FILL, 7000, 0])
    cdf = pycdfpp.CDF()
    degree = np.arange(1, 361, dtype=np.float32)[:, None, None, None]
    for table in (0, 1):
        values = np.broadcast_to((degree + 1000 * table) * np.float32(UNIT), (360, *SKY))
        cdf.add_variable(f"mms_des_bgdist_p{table}_brst", values=np.ascontiguousarray(values))
    assert pycdfpp.save(cdf, str(folder / MODEL))
    return folder


def read(folder, name="mms1.fpi.des.brst.photoelectrons"):
    source = DATASETS[name].source
    files = source.candidates(list_archives([folder]))
    local = [LocalFile(f, folder / f.name, f.name + str(folder)) for f in files]
    return source.read(local, Interval.of("2020-11-19T23:30", "2020-11-19T23:40"), salvage=False)


@pytest.fixture(scope="module")
def model(archive):
    return read(archive).ds


@pytest.fixture(scope="module")
def electrons(archive):
    with open_cdf(archive / f"mms1_fpi_brst_l2_des-dist_{STAMP}.cdf") as cdf:
        return VDF.check(fpi.distribution("1", "des", "brst")(cdf), "dist")


def test_each_record_knows_its_degree_of_spin_phase_and_its_energy_table(model):
    Photoelectrons.check(model, "photoelectrons")
    assert model["phase_index"].values.tolist() == [0, 1, 359, -1]
    assert model["table_index"].values.tolist() == [0, 1, 0, 1]
    np.testing.assert_allclose(model["factor"], FACTOR, rtol=1e-6)
    assert model.attrs["model"] == MODEL
    assert model["f"].values[1, 9, 3, 2, 1] == pytest.approx(1010 * UNIT * 1e12)


def test_the_time_of_the_model_is_that_of_the_distribution(model, electrons):
    np.testing.assert_array_equal(model["time"], electrons["time"])


def test_the_model_times_the_factor_is_subtracted_and_negative_differences_stay(model, electrons):
    found = VDF.check(without_photoelectrons(electrons, model), "corrected")
    left = found["f"].values / (UNIT * 1e12)
    for record, gone in enumerate((1, 1002, 360)):
        np.testing.assert_allclose(left[record], 1000 - FACTOR * gone, rtol=1e-5)
    assert np.isnan(left[3]).all()  # its phase is a fill value
    much = without_photoelectrons(electrons, model, factor=10.0)["f"].values[1]
    np.testing.assert_allclose(much / (UNIT * 1e12), 1000 - 3006, rtol=1e-5)
    assert "negative" in found.attrs["background"]


def test_a_record_whose_time_is_not_in_the_moments_is_not_measured(model, electrons):
    found = without_photoelectrons(electrons, model.isel(time=[0, 2]))
    missing = np.isnan(found["f"].values).all((1, 2, 3))
    assert missing.tolist() == [False, True, False, True]
    nothing = without_photoelectrons(electrons, model.isel(time=slice(0)))
    assert np.isnan(nothing["f"]).all()


def test_granules_do_not_matter_to_the_correction(model, electrons):
    whole = without_photoelectrons(electrons, model)["f"].values
    halves = [without_photoelectrons(electrons.isel(time=s), model.isel(time=s))["f"].values
              for s in (slice(0, 1), slice(1, None))]  # fmt: skip
    np.testing.assert_array_equal(whole, np.concatenate(halves))


def test_the_isotropic_part_is_the_mean_over_the_sphere(model, electrons):
    north = model.copy(deep=False)
    f = np.zeros((1, 1, *SKY), np.float32)
    f[..., 8:, :] = 1.0
    one = {"units": "s^3 m^-6", "long_name": "f"}
    north = north.drop_vars("f").assign(f=(model["f"].dims, f, one), phase_index=("time", [0] * N),
                                        table_index=("time", [0] * N))  # fmt: skip
    found = without_photoelectrons(electrons, north, factor=0.0, secondary=2.0)
    gone = electrons["f"].values - found["f"].values
    np.testing.assert_allclose(gone, 2 * 0.5, rtol=1e-5)


def test_a_model_on_other_directions_is_refused(model, electrons):
    with pytest.raises(DataTypeError, match="the model has"):
        without_photoelectrons(electrons.isel(theta_bin=slice(8)), model)


def beside_model(archive, folder, *names):
    """Return a new folder in which the model has these names."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(archive / MODEL)
    return folder


def test_another_version_stands_in_for_a_model_that_is_gone(archive, tmp_path):
    folder = beside_model(archive, tmp_path / "newer", MODEL, MODEL.replace("1.1", "1.0"))
    des_moments(folder, model=MODEL.replace("1.1.0", "0.9.0"))
    assert read(folder).ds.attrs["model"] == MODEL


def test_the_model_of_another_energy_table_does_not_stand_in(archive, tmp_path):
    folder = beside_model(archive, tmp_path / "other", MODEL)
    des_moments(folder, model=MODEL.replace("p3-5", "p0-2"))
    with pytest.raises(SourceError, match="p0-2.cdf is in no archive"):
        read(folder)


def test_a_model_may_change_within_a_granule(archive, tmp_path):
    other = MODEL.replace("p3-5", "p6-8")
    folder = beside_model(archive, tmp_path / "both", MODEL, other)
    des_moments(folder)
    later = START + np.timedelta64(2, "m")
    des_moments(folder, model=other, factor="0.5", stamp="20201119233633_v3.4.0", start=later)
    ds = Photoelectrons.check(read(folder).ds, "both")
    assert ds.attrs["model"] == f"{MODEL}, {other}"
    assert ds["table_index"].values.tolist() == [0, 1, 0, 1, 2, 3, 2, 3]
    assert ds.sizes["table"] == 4
    np.testing.assert_allclose(ds["factor"].values[[0, 7]], [0.3, 0.5])


def test_moments_without_a_model_are_refused(tmp_path):
    for about in ({"model": ""}, {"factor": "none"}):
        with open_cdf(des_moments(tmp_path, **about)) as cdf, pytest.raises(SourceError):
            PhaseAdapter("1", "brst")(cdf)


def test_a_model_file_is_planned_only_beside_moments(archive, tmp_path):
    source = DATASETS["mms1.fpi.des.brst.photoelectrons"].source
    (tmp_path / MODEL).symlink_to(archive / MODEL)
    assert source.candidates(list_archives([tmp_path])) == ()
    one, two = source.candidates(list_archives([archive]))
    assert source.extent(one) == source.extent(two)
    assert pickle.loads(pickle.dumps(source)) == source


def test_a_model_of_another_shape_is_refused(tmp_path):
    cdf = pycdfpp.CDF()
    cdf.add_variable("mms_des_bgdist_fast", values=np.ones((2, *SKY), np.float32))
    assert pycdfpp.save(cdf, str(tmp_path / "fast.cdf"))
    with (
        open_cdf(tmp_path / "fast.cdf") as opened,
        pytest.raises(SourceError, match="expected \\(360, 32, 16, 32\\)"),
    ):
        ModelAdapter("fast")(opened)


@pytest.mark.parametrize(
    ("path", "model", "factor"),
    [
        ("fast_20151201/mms1_fpi_fast_l2_des-moms_20151201080000_v3.3.0.cdf",
         "mms_fpi_fast_l2_des-bgdist_v1.1.0_p0-2.cdf", 0.55),
        ("burst_20170726/mms2_fpi_brst_l2_des-moms_20170726073113_v3.3.0.cdf",
         "mms_fpi_brst_l2_des-bgdist_v1.1.0_p3-5.cdf", 0.3),
    ],
)  # fmt: skip
def test_real_moments_name_their_model_and_turn_with_the_spin(shared_data, path, model, factor):
    path = shared_data / "mms" / path
    if not path.exists():
        pytest.skip(f"{path} is absent")
    probe, _, mode = path.name.split("_")[:3]
    with open_cdf(path, salvage=True) as cdf:
        ds = PhaseAdapter(probe[3:], mode)(cdf)
        angle = cdf.values(f"{probe}_des_startdelphi_angle_{mode}")
    assert ds.attrs["model"] == model
    np.testing.assert_allclose(ds["factor"], factor)
    np.testing.assert_array_equal(ds["phase_index"], np.floor(angle))
    assert set(np.unique(ds["table_index"])) == ({0} if mode == "fast" else {0, 1})


def test_the_flux_of_penetrating_radiation_is_read_in_house_units(archive):
    ds = read(archive, "mms1.fpi.dis.brst.background_flux").ds
    ScalarSeries.check(ds, "flux")
    np.testing.assert_array_equal(ds["value"], [5000, np.nan, 7000, 0])
    assert ds["value"].attrs["units"] == "eV cm^-2 s^-1 sr^-1 eV^-1"
    pressure = read(archive, "mms1.fpi.dis.brst.background_pressure").ds["value"]
    assert float(pressure[0]) == pytest.approx(0.005)


def test_the_density_of_the_flux_is_the_teams_background_density(shared_data):
    """A flux that is the same at all energies has n = 4 pi J sqrt(m/2) integral of E^-3/2 dE."""
    folder = shared_data / "mms" / "burst_20151016"
    name = "mms1_fpi_brst_l2_dis-moms_20151016130524_v3.3.0.cdf"
    if not (folder / name).exists():
        pytest.skip(f"{name} is absent")
    found = {}
    for kind in ("flux", "density"):
        with open_cdf(folder / name) as cdf:
            found[kind] = DATASETS[f"mms1.fpi.dis.brst.background_{kind}"].source.adapter(cdf)
            energy = cdf.values("mms1_dis_energy_brst").astype(float) * ELEMENTARY_CHARGE
    half = np.sqrt(energy[:, 1] / energy[:, 0])
    integral = 2 * ((energy[:, 0] / half) ** -0.5 - (energy[:, -1] * half) ** -0.5)
    flux = found["flux"]["value"].values.astype(float) * 1e4
    density = 4 * np.pi * flux * np.sqrt(PROTON_MASS / 2) * integral * 1e-6
    # 0.987: the team's edges of energies are not known exactly.
    ratio = float(np.nanmedian(density / found["density"]["value"].values))
    assert ratio == pytest.approx(1.0, abs=0.03)


def test_corrected_moments_run_by_name(archive, tmp_path, monkeypatch, capsys):
    des, dis = "mms1.fpi.des.brst.moments_corrected", "mms1.fpi.dis.brst.moments_without_radiation"
    plain = "mms1.fpi.des.brst.moments"
    words = ["run", des, dis, plain, "--start", "2020-11-19T23:30", "--stop", "2020-11-19T23:40",
             "--archive", str(archive), "--workers", "0", "--no-sync", "--store", str(tmp_path),
             "--json"]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["sciqlop-pipe", *words])
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr()
    assert not end.value.code, said.out + said.err
    json.loads(said.out)

    def density(dataset):
        opened = xr.open_dataset(tmp_path, engine="sciqlop", dataset=dataset)
        return opened["density"].load().values

    share = density(des)[:3] / density(plain)[:3]
    np.testing.assert_allclose(share, 1 - FACTOR * np.array([1, 1002, 360]) / 1000, rtol=1e-4)
    assert density(dis).size == N
