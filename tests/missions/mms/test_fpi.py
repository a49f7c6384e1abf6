"""MMS FPI: what the adapters make of distributions and moments, real ones and made ones."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions.mms import fpi
from sciqlop_pipe.datatypes import VDF, EnergySpectrum, Moments
from sciqlop_pipe.errors import TruncatedFile
from sciqlop_pipe.quality import masked_fraction
from sciqlop_pipe.sources.cdf import open_cdf
from tests.sources.archive_cdfs import FILL, FPI_TABLES, START, fpi_distribution

SKY = (32, 16, 32)

# Sums of every variable over the file named in the test below that uses them.
GOLDEN_DISTRIBUTION = {
    "f": 0.00092176232,
    "f_error": 0.000834065254,
    "energy": 61329800.1,
    "phi": 4607042,
    "theta": 1440,
    "phi_width": 360,
    "theta_width": 180,
    "solid_angle": 12.5663705,
    "quality": 1516,
}
GOLDEN_MOMENTS = {
    "density": 8581.93319,
    "velocity": -102829.6,
    "temperature_tensor": 1862157.86,
    "temperature_parallel": 648859.571,
    "temperature_perpendicular": 690651.326,
    "pressure": 1451.40577,
    "heat_flux": 24.9792895,
    "temperature": 676720.739,
    "quality": 60132,
}


def read_distribution(path, probe="1", sensor="dis", mode="brst"):
    with open_cdf(path) as cdf:
        return VDF.check(fpi.distribution(probe, sensor, mode)(cdf), str(path))


def read_moments(path, *, salvage=False):
    probe, _, mode, _, kind = path.name.split("_")[:5]
    with open_cdf(path, salvage=salvage) as cdf:
        return Moments.check(fpi.moments(probe[3:], kind[:3], mode)(cdf), str(path))


def bulk(ds):
    """Return n [cm^-3] and V [km/s] by the plainest sum there is, as an independent check."""
    mass, charge = ds.attrs["mass"], 1.602176634e-19
    energy = ds["energy"].values[0].astype(float)
    inner = np.sqrt(energy[1:] * energy[:-1])
    edges = np.concatenate([[energy[0] ** 2 / inner[0]], inner, [energy[-1] ** 2 / inner[-1]]])
    shell = np.diff(np.sqrt(2 * edges * charge / mass) ** 3) / 3
    speed = np.sqrt(2 * energy * charge / mass)
    phi, theta = np.deg2rad(ds["phi"].values), np.deg2rad(ds["theta"].values)
    f = ds["f"].values * ds["solid_angle"].values[None, ..., None] * shell
    n = f.sum((1, 2, 3))
    flux = (f * speed).sum(3)
    sin = np.sin(theta)
    v = np.stack([
        (flux * np.cos(phi)[..., None] * sin).sum((1, 2)),
        (flux * np.sin(phi)[..., None] * sin).sum((1, 2)),
        (flux * np.cos(theta)).sum((1, 2)),
    ])  # fmt: skip
    return n * 1e-6, (v / n * 1e-3).T


@pytest.fixture(scope="module")
def burst(shared_data):
    name = "mms1_fpi_brst_l2_dis-dist_20201119233433_v3.3.0.cdf"
    path = shared_data / "mms" / "burst_20201119" / name
    if not path.exists():
        pytest.skip(f"{path} is absent")
    return read_distribution(path)


def test_the_real_burst_has_its_shape_and_its_times_at_the_centre(burst):
    assert burst["f"].shape == (800, *SKY)
    assert burst["f"].dtype == np.float32
    # Epoch is 23:34:33.100478, the start of 150 ms.
    assert burst["time"].values[0] == np.datetime64("2020-11-19T23:34:33.175478")
    assert burst["phi"].dims == ("time", "phi_bin")
    assert burst["theta"].dims == ("theta_bin",)
    assert burst["energy"].dims == ("time", "energy_bin")


def test_the_real_burst_sees_the_whole_sky(burst):
    assert float(burst["solid_angle"].sum()) == pytest.approx(4 * np.pi, rel=1e-6)
    assert not np.isnan(burst["f"]).any()


def test_the_real_burst_has_one_energy_table_while_its_parity_alternates(burst):
    assert len(np.unique(burst["energy"], axis=0)) == 1
    np.testing.assert_allclose(burst["energy"].values[0, [0, -1]], [2.16, 17800], rtol=1e-6)


def test_the_solar_wind_of_the_real_burst_blows_away_from_the_sun(burst):
    n, v = bulk(burst.isel(time=slice(0, 600, 10)))
    assert n.mean() == pytest.approx(10.3, abs=0.3)
    np.testing.assert_allclose(v.mean(0), [-326, 30, -20], atol=5)


def test_the_saturation_flag_of_the_real_burst_travels_and_masks_nothing(burst):
    flags = burst["quality"]
    assert int(((flags.values & 2) != 0).sum()) == 758
    assert masked_fraction(flags.values, flags.attrs["masking"]) == 0
    assert fpi.DISTRIBUTION_FLAGS.names(2) == ("saturated",)


def test_an_error_is_zero_where_f_is_and_f_itself_for_one_count(burst):
    few = burst.isel(time=slice(0, 20))
    f, error = few["f"].values, few["f_error"].values
    np.testing.assert_array_equal(f == 0, error == 0)
    counts = (f[f > 0] / error[f > 0]) ** 2
    assert counts.min() == pytest.approx(1, abs=1e-3)


def drifting(n, axis):
    """Return f (n, 32, 16, 32) in s^3/cm^6 that is seen when looking along +x, +y or +z."""
    f = np.zeros((n, *SKY), np.float32)
    theta = 5.625 + 11.25 * np.arange(16)
    for i in range(n):
        phi = (7.625 - 0.54 * i + 11.25 * np.arange(32)) % 360
        if axis == "x":
            k = int(np.argmin(np.minimum(phi, 360 - phi)))
            f[i, k, 7:9, 10:20] = 1e-20
        else:
            f[i, :, int(np.argmin(theta)), 10:20] = 1e-20
    return f


@pytest.mark.parametrize(("axis", "component"), [("x", 0), ("z", 2)])
def test_what_is_seen_looking_along_an_axis_flies_against_it(tmp_path, axis, component):
    ds = read_distribution(fpi_distribution(tmp_path / "a.cdf", drifting(3, axis)))
    _, v = bulk(ds)
    assert (v[:, component] < -0.9 * np.linalg.norm(v, axis=1)).all()


def test_azimuths_turn_in_burst_and_stand_in_fast(tmp_path):
    f = drifting(3, "z")
    brst = read_distribution(fpi_distribution(tmp_path / "b.cdf", f))
    fast = read_distribution(fpi_distribution(tmp_path / "f.cdf", f, mode="fast"), mode="fast")
    assert brst["phi"].dims == ("time", "phi_bin")
    assert fast["phi"].dims == ("phi_bin",)
    assert fast["time"].values[0] - START == np.timedelta64(2250, "ms")


def test_electron_burst_is_read_like_ion_burst(tmp_path):
    path = fpi_distribution(tmp_path / "e.cdf", drifting(4, "z"), probe="3", sensor="des")
    ds = read_distribution(path, "3", "des")
    assert ds.attrs["species"] == "e-"
    assert ds.attrs["charge"] == -1
    assert ds["time"].values[0] - START == np.timedelta64(15, "ms")


def test_alternating_energy_tables_stay_with_their_records(tmp_path):
    path = fpi_distribution(tmp_path / "a.cdf", drifting(4, "z"), tables=FPI_TABLES)
    energy = read_distribution(path)["energy"].values
    np.testing.assert_array_equal(energy, np.stack([*FPI_TABLES, *FPI_TABLES]))


def test_f_is_in_si_and_fill_is_no_measurement(tmp_path):
    f = drifting(2, "z")
    f[1, 0, 0, 0] = FILL
    ds = read_distribution(fpi_distribution(tmp_path / "a.cdf", f))
    assert np.isnan(ds["f"].values).sum() == 1
    assert float(ds["f"].max()) == pytest.approx(1e-8, rel=1e-6)


def test_only_records_flagged_by_hand_are_masked(tmp_path):
    flags = np.array([0, 1, 2, 4, 3], np.uint32)
    path = fpi_distribution(tmp_path / "a.cdf", drifting(5, "z"), flags=flags)
    ds = read_distribution(path)
    away = np.isnan(ds["f"].values).all(axis=(1, 2, 3))
    assert list(away) == [False, True, False, False, True]
    assert masked_fraction(ds["quality"].values, ds["quality"].attrs["masking"]) == 0.4


def test_a_file_without_records_is_an_empty_distribution(tmp_path):
    ds = read_distribution(fpi_distribution(tmp_path / "a.cdf", np.empty((0, *SKY), np.float32)))
    assert ds["f"].shape == (0, *SKY)


def real(shared_data, folder, name):
    path = shared_data / "mms" / folder / name
    if not path.exists():
        pytest.skip(f"{path} is absent")
    return path


@pytest.mark.parametrize(
    ("folder", "name", "records", "half"),
    [
        ("burst_20151016", "mms1_fpi_brst_l2_dis-moms_20151016130524_v3.3.0.cdf", 932, 75),
        ("fast_20151017", "mms1_fpi_fast_l2_dis-moms_20151017060000_v3.4.0.cdf", 1600, 2250),
        ("fast_20151201", "mms1_fpi_fast_l2_des-moms_20151201000000_v3.3.0.cdf", 1600, 2250),
        ("burst_20170726", "mms2_fpi_brst_l2_des-moms_20170726073113_v3.3.0.cdf", 2000, 15),
    ],
)
def test_the_archives_moments_are_read(shared_data, folder, name, records, half):
    path = real(shared_data, folder, name)
    ds = read_moments(path)
    assert ds.sizes["time"] == records
    with open_cdf(path) as cdf:
        shift = ds["time"].values - cdf.times("Epoch")
    assert (shift == np.timedelta64(half, "ms")).all()
    some = ds.where(ds["density"] > 0, drop=True)
    pressure = np.trace(some["pressure"].values, axis1=1, axis2=2) / 3
    kelvin_free = some["density"] * some["temperature"] * 1.602176634e-4
    np.testing.assert_allclose(pressure, kelvin_free, rtol=1e-4)
    trace = (some["temperature_parallel"] + 2 * some["temperature_perpendicular"]) / 3
    np.testing.assert_allclose(some["temperature"], trace, rtol=1e-2)
    assert "lost" not in ds.attrs


def test_a_truncated_file_of_moments_is_refused_unless_salvaged(shared_data):
    name = "mms1_fpi_fast_l2_dis-moms_20151201020000_v3.3.0.cdf"
    path = real(shared_data, "fast_20151201", name)
    with pytest.raises(TruncatedFile):
        read_moments(path)
    ds = read_moments(path, salvage=True)
    assert ds.attrs["lost"] == "mms1_dis_temppara_fast, mms1_dis_tempperp_fast"
    assert np.isfinite(ds["temperature"]).all()
    assert np.isnan(ds["temperature_parallel"]).all()
    assert ds.sizes["time"] == 1600


def test_a_truncated_file_still_tells_which_times_it_holds(shared_data):
    name = "mms1_fpi_fast_l2_dis-moms_20151201020000_v3.3.0.cdf"
    with open_cdf(real(shared_data, "fast_20151201", name), salvage=True) as cdf:
        first, last = fpi.moments("1", "dis", "fast").extent(cdf)
    assert str(np.datetime64(first, "ns")).startswith("2015-12-01T02:00:0")
    assert str(np.datetime64(last, "ns")).startswith("2015-12-01T03:59:")


def test_penetrating_radiation_flags_a_whole_file_and_masks_none_of_it(shared_data):
    name = "mms1_fpi_fast_l2_dis-moms_20151201220000_v3.3.0.cdf"
    ds = read_moments(real(shared_data, "fast_20151201", name))
    assert {fpi.MOMENTS_FLAGS.names(int(w)) for w in ds["quality"]} == {("penetrating_radiation",)}
    assert np.isfinite(ds["density"]).all()


def test_two_energy_tables_alternate_in_the_spectra_of_2015(shared_data):
    name = "mms1_fpi_brst_l2_dis-moms_20151016130524_v3.3.0.cdf"
    path = real(shared_data, "burst_20151016", name)
    with open_cdf(path) as cdf:
        ds = EnergySpectrum.check(fpi.spectrum("1", "dis", "brst")(cdf))
    tables = np.unique(ds["energy"].values[:, 0])
    np.testing.assert_allclose(tables, [10.64, 12.06], rtol=1e-6)
    assert ds["spectrum"].attrs["units"] == "eV cm^-2 s^-1 sr^-1 eV^-1"


def test_every_bit_that_the_files_document_is_known(shared_data):
    pattern = "mms/*/*_fpi_*_l2_d?s-*.cdf"
    paths = sorted(shared_data.glob(pattern))
    if not paths:
        pytest.skip(f"no {pattern} in {shared_data}")
    for path in paths:
        probe, _, mode, _, kind = path.name.split("_")[:5]
        flags = fpi.MOMENTS_FLAGS if kind.endswith("moms") else fpi.DISTRIBUTION_FLAGS
        with open_cdf(path, salvage=True) as cdf:
            name = f"{probe}_{kind[:3]}_errorflags_{mode}"
            notes = str(cdf.attrs(name)["VAR_NOTES"])
            words = cdf.raw(name)
        documented = {int(part.split()[0]) for part in notes.split("Bit-")[1:]}
        assert documented, path.name
        known = {f.bit for f in flags.flags}
        assert documented <= known, path.name
        assert not int(np.bitwise_or.reduce(words)) & ~sum(1 << b for b in known), path.name


def test_the_numbers_of_version_1_of_the_distribution_adapter(burst):
    """When this fails, raise `version` of the source in fpi.py with the numbers here."""
    sums = {name: float(burst[name].astype(float).sum()) for name in burst.data_vars}
    expected = GOLDEN_DISTRIBUTION
    assert set(sums) == set(expected)
    for name, value in expected.items():
        assert sums[name] == pytest.approx(value, rel=1e-6), name


def test_the_numbers_of_version_1_of_the_moments_adapter(shared_data):
    """When this fails, raise `version` of the source in fpi.py with the numbers here."""
    name = "mms1_fpi_brst_l2_dis-moms_20151016130524_v3.3.0.cdf"
    ds = read_moments(real(shared_data, "burst_20151016", name))
    sums = {name: float(ds[name].astype(float).sum()) for name in ds.data_vars}
    expected = GOLDEN_MOMENTS
    assert set(sums) == set(expected)
    for name, value in expected.items():
        assert sums[name] == pytest.approx(value, rel=1e-5), name
