"""Solar Orbiter SWA-PAS: distributions made in the archive's layout, and the check of its signs."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions.solar_orbiter import mission, pas
from sciqlop_missions.solar_orbiter.pas_signs import signs_confirmed
from sciqlop_pipe.datatypes import VDF
from sciqlop_pipe.errors import DataTypeError
from sciqlop_pipe.granule import Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.recipes.moments import moments
from tests.missions.claims import read
from tests.sources.archive_cdfs import FILL, Writer, times

AZIMUTH = -21.0 + 6.0 * np.arange(11)
ELEVATION = -20.0 + 5.0 * np.arange(9)
ENERGY = np.geomspace(20000, 200, 96)
NAME = "solo_L2_swa-pas-vdf_20201119_V02.cdf"
MOMENTS = "solo_L2_swa-pas-grnd-mom_20201119_V02.cdf"


def vdf_file(path, f, *, windows=None, info=None):
    """Write f (n, 11 azimuths, 9 elevations, 96 energies) in s^3/m^6, energies descending."""
    n = len(f)
    out = Writer().time("Epoch", times(n, "4s"))
    out.add("vdf", np.asarray(f, "f4"), DEPEND_0="Epoch", UNITS="s^3/m^6", FILLVAL=FILL,
            DEPEND_1="Azimuth", DEPEND_2="Elevation", DEPEND_3="Energy")  # fmt: skip
    out.add("Azimuth", AZIMUTH.astype("f4"), fixed=True, UNITS="deg")
    out.add("Elevation", ELEVATION.astype("f4"), fixed=True, UNITS="deg")
    out.add("Elevation_correction", np.where(np.arange(96) % 2, 0.5, -0.5).astype("f4"), fixed=True)
    ratio = np.sqrt(ENERGY[0] / ENERGY[1])
    for name, values in (("Energy", ENERGY), ("delta_p_Energy", ENERGY * (ratio - 1)),
                         ("delta_m_Energy", ENERGY * (1 - 1 / ratio))):  # fmt: skip
        out.add(name, values.astype("f4"), fixed=True, UNITS="eV")
    whole = {"start_CEM": 0, "nb_CEM": 11, "start_elevation": 0, "nb_elevation": 9,
             "start_energy": 0, "nb_energy": 96}  # fmt: skip
    for name, value in whole.items():
        given = (windows or {}).get(name, np.full(n, value))
        out.add(name, np.asarray(given, np.int16), DEPEND_0="Epoch")
    out.add("Info", np.ones(n, np.uint8) if info is None else info, DEPEND_0="Epoch")
    return out.save(path)


def moments_file(path, v_srf, *, validity=None):
    n = len(v_srf)
    out = Writer().time("Epoch", times(n, "4s"))
    for name, values in (("V_SRF", v_srf), ("V_RTN", v_srf * [-1, -1, 1]), ("N", np.full(n, 5)),
                         ("T", np.full(n, 12))):  # fmt: skip
        out.add(name, np.asarray(values, "f4"), DEPEND_0="Epoch", FILLVAL=FILL)
    joule = 5 * 12 * 1.602176634e-19
    for frame in ("SRF", "RTN"):
        six = np.tile([joule, joule, joule, 0, 0, 0], (n, 1))
        out.add(f"P_{frame}", six.astype("f4"), DEPEND_0="Epoch", UNITS="J/cm^3", FILLVAL=FILL)
    out.add("Info", np.ones(n, np.uint8), DEPEND_0="Epoch")
    if validity is not None:
        out.add("validity", validity, DEPEND_0="Epoch")
    return out.save(path)


def wind(n=4, *, azimuth=12.0, elevation=9.0):
    """Return f of a wind that is seen at an azimuth and an elevation of the instrument."""
    away = np.hypot(AZIMUTH[:, None] - azimuth, ELEVATION - elevation)
    f = np.exp(-((away / 5) ** 2))[..., None] * np.exp(-(np.log(ENERGY / 1000) ** 2) / 0.02)
    return np.broadcast_to(1e-10 * f, (n, 11, 9, 96))


def flow(azimuth=12.0, elevation=9.0, n=4):
    """Return the velocity in SRF (n, 3) that the guide gives for an azimuth and an elevation."""
    az, el = np.deg2rad([azimuth, elevation])
    unit = [-np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), -np.sin(el)]
    return np.broadcast_to(438.0 * np.array(unit), (n, 3))


@pytest.mark.parametrize(
    ("azimuth", "elevation", "component", "sign"),
    [(0, 0, 0, -1), (36, 0, 1, 1), (-20, 0, 1, -1), (0, 18, 2, -1), (0, -18, 2, 1)],
)
def test_a_beam_flies_where_the_guide_says(tmp_path, azimuth, elevation, component, sign):
    """PAS sees what flies from the Sun, along -x of SRF; x of RTN is -x of SRF."""
    path = vdf_file(tmp_path / NAME, wind(azimuth=azimuth, elevation=elevation))
    ds = read(mission, "solar_orbiter.swa.pas.vdf_unchecked", path)
    velocity = moments(ds)["velocity"].values[0]
    unit = velocity / np.linalg.norm(velocity)
    assert unit[0] < -0.75
    assert sign * unit[component] > 0.25
    expected = flow(azimuth, elevation)[0]
    assert np.degrees(np.arccos(unit @ expected / np.linalg.norm(expected))) < 2.5


def test_elevations_are_corrected_energy_by_energy(tmp_path):
    ds = read(mission, "solar_orbiter.swa.pas.vdf_unchecked", vdf_file(tmp_path / NAME, wind()))
    assert ds["theta"].dims == ("theta_bin", "energy_bin")
    np.testing.assert_allclose(ds["theta"][:, 0], 90 + ELEVATION - 0.5)
    np.testing.assert_allclose(ds["theta"][:, 1], 90 + ELEVATION + 0.5)
    assert ds["solid_angle"].dims == ("theta_bin",)


def test_what_lies_outside_of_the_window_of_a_record_is_unmeasured(tmp_path):
    windows = {"start_energy": [10, 0, 0, 0], "nb_energy": [50, 96, 96, 96],
               "start_elevation": [0, 3, 0, 0], "nb_elevation": [9, 4, 9, 9],
               "start_CEM": [0, 0, 2, 0], "nb_CEM": [11, 11, 3, 11]}  # fmt: skip
    path = vdf_file(tmp_path / NAME, np.zeros((4, 11, 9, 96)), windows=windows)
    f = read(mission, "solar_orbiter.swa.pas.vdf_unchecked", path)["f"].values
    measured = np.isfinite(f)
    assert measured.sum(axis=(1, 2, 3)).tolist() == [11 * 9 * 50, 11 * 4 * 96, 3 * 9 * 96, 9504]
    assert measured[0, :, :, 10:60].all()
    assert measured[1, :, 3:7].all()
    assert measured[2, 2:5].all()


def test_only_the_samplings_that_the_guide_allows_are_used(tmp_path):
    path = vdf_file(tmp_path / NAME, wind(6), info=np.arange(6, dtype=np.uint8))
    ds = read(mission, "solar_orbiter.swa.pas.vdf_unchecked", path)
    masked = np.isnan(ds["f"].values).all(axis=(1, 2, 3)).tolist()
    assert masked == [True, False, False, False, True, True]


def test_ground_moments_that_are_too_low_are_masked_and_noisy_ones_are_not(tmp_path):
    path = moments_file(tmp_path / MOMENTS, flow(), validity=np.array([3, 2, 1, 3], np.uint8))
    for name in ("moms", "moms_srf"):
        ds = read(mission, f"solar_orbiter.swa.pas.{name}", path)
        assert np.isnan(ds["density"].values).tolist() == [False, False, True, False]
    assert pas.FLAGS.names(int(ds["quality"][1])) == ("normal", "noisy")
    # n T in eV cm^-3 is the pressure in nPa.
    np.testing.assert_allclose(ds["pressure"][0], np.eye(3) * 60 * 1.602176634e-4, rtol=1e-5)


@pytest.fixture
def unchecked(tmp_path):
    return read(mission, "solar_orbiter.swa.pas.vdf_unchecked", vdf_file(tmp_path / NAME, wind()))


def ground(tmp_path, v):
    return read(mission, "solar_orbiter.swa.pas.moms_srf", moments_file(tmp_path / MOMENTS, v))


def test_distributions_whose_flow_is_that_of_the_ground_moments_pass_unchanged(tmp_path, unchecked):
    ds = VDF.check(signs_confirmed(unchecked, ground(tmp_path, flow())))
    assert ds.identical(unchecked)


@pytest.mark.parametrize(
    ("mirror", "said"),
    [([1, -1, 1], "mirrored in y"), ([1, 1, -1], "mirrored in z"), ([1, -1, -1], "y and z")],
)
def test_a_mirrored_flow_is_refused_and_the_mirror_named(tmp_path, unchecked, mirror, said):
    with pytest.raises(DataTypeError, match=said) as refused:
        signs_confirmed(unchecked, ground(tmp_path, flow() * mirror))
    assert "pas.py" in refused.value.todo


def test_a_small_wrong_elevation_is_refused_too(tmp_path):
    """A wrong sign of 1.6 deg is 3.2 deg off, within the bins; only the mirror image tells."""
    path = vdf_file(tmp_path / NAME, wind(azimuth=0.0, elevation=1.6))
    ds = read(mission, "solar_orbiter.swa.pas.vdf_unchecked", path)
    with pytest.raises(DataTypeError, match="mirrored in z"):
        signs_confirmed(ds, ground(tmp_path, flow(0.0, -1.6)))


def test_a_flow_elsewhere_is_refused(tmp_path, unchecked):
    with pytest.raises(DataTypeError, match="from that of the ground moments"):
        signs_confirmed(unchecked, ground(tmp_path, flow(36.0, -18.0)))


def test_distributions_without_ground_moments_at_their_time_say_so(tmp_path, unchecked):
    late = ground(tmp_path, flow(n=2))
    words = signs_confirmed(unchecked, late)["quality"].values
    assert (words >> 8 & 1).tolist() == [0, 0, 1, 1]
    alone = signs_confirmed(unchecked, None)
    assert (alone["quality"].values >> 8 & 1).all()
    assert "signs_unconfirmed" in pas.FLAGS.names(int(alone["quality"][0]))


def test_what_the_check_says_does_not_depend_on_the_granule(tmp_path, unchecked):
    moms = ground(tmp_path, flow())
    whole = signs_confirmed(unchecked, moms)
    half = signs_confirmed(unchecked.isel(time=slice(2, 4)), moms)
    assert half.identical(whole.isel(time=slice(2, 4)))


@pytest.mark.parametrize(("mirror", "failed"), [([1, 1, 1], 0), ([1, 1, -1], 1)])
def test_a_run_makes_nothing_of_distributions_whose_signs_are_refuted(bench, mirror, failed):
    bench.raw.mkdir()
    vdf_file(bench.raw / NAME, wind())
    moments_file(bench.raw / MOMENTS, flow() * mirror)
    evening = Interval(instant("2020-11-19T18:00"), instant("2020-11-20"))
    target = "solar_orbiter.swa.pas.moments"
    report = bench.run(target, graph=Graph.of([mission]), intervals=(evening,))
    states = {f.granule.dataset: f.state for f in report.failures}
    if failed:
        assert states == {"solar_orbiter.swa.pas.vdf": "failed", target: "blocked"}
        assert any("mirrored in z" in f.error for f in report.failures)
    else:
        assert states == {}
    assert report.rows[target].get("records", 0) == (0 if failed else 4)
