"""MMS FGM and MEC: fields and positions, from real files and made ones."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions.mms import fgm, mec
from sciqlop_pipe.datatypes import Position, VectorSeries
from sciqlop_pipe.sources.cdf import open_cdf
from tests.sources import archive_cdfs


def read_field(path, probe="1", mode="brst", frame="gse"):
    with open_cdf(path) as cdf:
        return VectorSeries.check(fgm.field(probe, mode, frame)(cdf), str(path))


def real(shared_data, folder, name):
    path = shared_data / "mms" / folder / name
    if not path.exists():
        pytest.skip(f"{path} is absent")
    return path


@pytest.mark.parametrize(
    ("folder", "name", "records"),
    [
        ("burst_20151016", "mms1_fgm_brst_l2_20151016130524.cdf", 17792),
        ("burst_20161209_4sc", "mms1_fgm_brst_l2_20161209090054_v5.87.0.cdf", 16640),
    ],
)
def test_the_field_is_three_components_without_its_magnitude(shared_data, folder, name, records):
    path = real(shared_data, folder, name)
    fields = {frame: read_field(path, frame=frame) for frame in fgm.FRAMES}
    with open_cdf(path) as cdf:
        four = cdf.values("mms1_fgm_b_gse_brst_l2")
        tags = cdf.times("Epoch")
    for frame, ds in fields.items():
        assert ds["vector"].shape == (records, 3)
        assert ds["vector"].attrs["frame"] == frame.upper()
        strength = np.linalg.norm(ds["vector"].values, axis=1)
        np.testing.assert_allclose(strength, four[:, 3], rtol=1e-4)
    # The tag is the centre already (delta plus = delta minus).
    np.testing.assert_array_equal(fields["gse"]["time"].values, tags)


def test_any_flag_of_the_magnetometer_blanks_its_record(tmp_path):
    b = np.tile([1.0, 2.0, 2.0], (4, 1))
    flags = np.array([0, 4, 128, 0], np.uint32)
    ds = read_field(archive_cdfs.fgm(tmp_path / "a.cdf", b, flags=flags), mode="srvy")
    assert list(np.isnan(ds["vector"]).any("component").values) == [False, True, True, False]
    assert fgm.FLAGS.names(int(ds["quality"][2])) == ("range_change",)


def test_survey_is_read_like_burst(tmp_path):
    b = np.random.default_rng(1).normal(0, 5, (8, 3)).astype(np.float32)
    path = archive_cdfs.fgm(tmp_path / "a.cdf", b, probe="4", mode="srvy")
    ds = read_field(path, "4", "srvy", "dmpa")
    np.testing.assert_array_equal(ds["vector"], b)
    assert ds["time"].values[0] == archive_cdfs.START


@pytest.fixture(scope="module")
def ephemeris(shared_data):
    name = "mms1_mec_brst_l2_epht89q_20161209090055_v2.2.0.cdf"
    with open_cdf(real(shared_data, "burst_20161209_4sc", name)) as cdf:
        return Position.check(mec.position("1", "gse")(cdf))


def test_positions_of_mec_are_those_of_the_magnetometers_file_turned_a_little(
    shared_data, ephemeris
):
    name = "mms1_fgm_brst_l2_20161209090054_v5.87.0.cdf"
    with open_cdf(real(shared_data, "burst_20161209_4sc", name)) as cdf:
        at, four = cdf.times("Epoch_state"), cdf.values("mms1_fgm_r_gse_brst_l2")
    time = ephemeris["time"].values
    inside = (at >= time[0]) & (at <= time[-1])
    assert inside.sum() >= 4
    near = ephemeris["position"].interp(time=at[inside]).values
    theirs = four[inside, :3]
    np.testing.assert_allclose(np.linalg.norm(near, axis=1), four[inside, 3], atol=0.02)
    # The two teams' GSE differ by 0.007 deg about z, 9 km here: more than the separations.
    turned = np.linalg.norm(near - theirs, axis=1)
    assert (turned > 8).all()
    assert (turned < 11).all()


def test_the_velocity_of_mec_is_inertial_on_the_axes_of_gse(ephemeris):
    seconds = (ephemeris["time"].values - ephemeris["time"].values[0]) / np.timedelta64(1, "s")
    r = ephemeris["position"].values
    apparent = (r[-1] - r[0]) / seconds[-1]
    year = 2 * np.pi / (365.25 * 86400)
    inertial = apparent + np.cross([0, 0, year], r.mean(0))
    np.testing.assert_allclose(ephemeris["velocity"].values.mean(0), inertial, atol=1e-3)
    assert np.abs(ephemeris["velocity"].values.mean(0) - apparent).max() > 0.01
