"""FPI with the magnetic field of FGM: two frames that are nearly one, products by name."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions.mms import fgm, fpi, mission
from sciqlop_pipe.datatypes import VDF, PitchAngle
from sciqlop_pipe.granule import duration
from sciqlop_pipe.recipes.field_aligned import field_aligned
from sciqlop_pipe.recipes.pitch import pitch_angle_distribution
from sciqlop_pipe.sources.cdf import open_cdf
from tests.missions.claims import dataset, read, real
from tests.sources import archive_cdfs

BURST = "mms/burst_20151016/"


def test_dbcs_and_dmpa_are_less_than_a_tenth_of_a_degree_apart(shared_data):
    path = "mms/burst_20161209_4sc/mms1_mec_brst_l2_epht89q_20161209090055_v2.2.0.cdf"
    with open_cdf(real(shared_data, path)) as cdf:
        one, other = (
            cdf.values(f"mms1_mec_quat_eci_to_{frame}").astype(float) for frame in ("dbcs", "dmpa")
        )
    # The angle of q1 q2*: its cosine is too near 1 to be trusted, its sine is not.
    v1, w1, v2, w2 = one[:, :3], one[:, 3:], other[:, :3], other[:, 3:]
    sine = np.linalg.norm(w2 * v1 - w1 * v2 - np.cross(v1, v2), axis=1)
    apart = np.degrees(2 * np.arcsin(sine))
    assert 0.03 < apart.min() < apart.max() < 0.1


def test_temperatures_along_the_field_are_those_of_the_fpi_team(shared_data):
    """932 records of burst data: tensor in DBCS, field in DMPA, T as FPI publishes it."""
    moments = read(
        mission,
        "mms1.fpi.dis.brst.moms",
        real(shared_data, BURST + "mms1_fpi_brst_l2_dis-moms_20151016130524_v3.3.0.cdf"),
    )
    b = read(
        mission,
        "mms1.fgm.brst.b_dmpa",
        real(shared_data, BURST + "mms1_fgm_brst_l2_20151016130524.cdf"),
    )
    how = dict(dataset(mission, "mms1.fpi.dis.brst.moms_field_aligned").params)
    ours = field_aligned(moments, b, **how)
    for name, worst in (("temperature_parallel", 0.012), ("temperature_perpendicular", 0.006)):
        ratio = (ours[name] / moments[name]).values
        assert ratio.size == 932
        assert np.abs(ratio - 1).max() < worst
        assert np.percentile(np.abs(ratio - 1), 98) < 2e-3


@pytest.mark.parametrize(
    ("sensor", "mode", "step"),
    [("dis", "brst", "150ms"), ("dis", "fast", "4500ms"), ("des", "brst", "30ms")],
)
def test_a_beam_along_the_field_has_pitch_angle_zero(tmp_path, sensor, mode, step):
    f = np.zeros((3, 32, 16, 32), np.float32)
    f[:, :, 15, 10:12] = 1e-25  # looks down, so flies up
    survey = fpi.FIELD[mode]
    field = archive_cdfs.fgm(
        tmp_path / "b.cdf", np.tile([0.0, 0.0, 5.0], (400, 1)), mode=survey,
        start=archive_cdfs.START - np.timedelta64(2, "s"),
    )  # fmt: skip
    with open_cdf(
        archive_cdfs.fpi_distribution(tmp_path / "f.cdf", f, sensor=sensor, mode=mode)
    ) as c:
        vdf = VDF.check(fpi.distribution("1", sensor, mode)(c))
    with open_cdf(field) as c:
        b = fgm.field("1", survey, "dmpa")(c)
    made = dataset(mission, f"mms1.fpi.{sensor}.{mode}.pitch_angles")
    assert dict(made.inputs) == {
        "vdf": f"mms1.fpi.{sensor}.{mode}.vdf",
        "b": f"mms1.fgm.{survey}.b_dmpa",
    }
    how = dict(made.params)
    assert duration(how["accumulation"]) == duration(step)
    pitch_angles = PitchAngle.check(pitch_angle_distribution(vdf, b, **how))
    seen = pitch_angles["f"].sum("energy_bin").mean("time").values
    assert np.argmax(seen) == 0
    assert seen[3:].max() == 0


@pytest.mark.parametrize(("sensor", "fastest"), [("dis", 2500.0), ("des", 40000.0)])
@pytest.mark.parametrize("mode", fpi.MODES)
def test_grids_of_velocity_reach_as_far_as_the_species_flies(sensor, mode, fastest):
    for name in ("reduced_1d", "reduced_2d"):
        params = dict(dataset(mission, f"mms3.fpi.{sensor}.{mode}.{name}").params)
        assert params["v_max"] == fastest


def test_ions_bring_state_and_boundaries_electrons_do_not():
    ion, electron = (
        {d.name.rpartition(".")[2] for d in mission.datasets if f"mms2.fpi.{s}.fast." in d.name}
        for s in ("dis", "des")
    )
    boundaries = {"plasma_state", "region_labels", "boundary_crossings"}
    assert boundaries <= ion
    assert not boundaries & electron
    assert {"moments", "moment_errors", "pitch_angles", "field_aligned"} < electron
