"""ELFIN: electrons by pitch angle, on the real file."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions.elfin import mission
from sciqlop_pipe.recipes.pitch_flux import omnidirectional_spectrum
from tests.missions.claims import check_contents, read, real

FILE = "elfin/elb_l2_epdef_20210914_v01.cdf"


def test_the_table_of_contents_holds():
    check_contents(mission)


@pytest.mark.parametrize(
    ("resolution", "shape"), [("half_spin", (44, 10)), ("full_spin", (21, 18))]
)
def test_pitch_angles_are_those_of_each_record(shared_data, resolution, shape):
    ds = read(mission, f"elfinb.epd.{resolution}.pad_flux", real(shared_data, FILE))
    assert ds["pitch_angle"].shape == shape
    assert ds["time"].values[0].astype("M8[s]") == np.datetime64("2021-09-14T16:22:59")
    assert 50 < ds["pitch_angle"].values[0, 0] < 54
    np.testing.assert_allclose(ds["energy"].values[[0, -1]], [63245.54, 6.5e6], rtol=1e-6)
    # Per keV: a thousandth of the file's number per MeV.
    assert 0 < float(np.nanmax(ds["flux"])) < 1e5


def test_what_is_not_seen_is_told(shared_data):
    flux = read(mission, "elfinb.epd.half_spin.pad_flux", real(shared_data, FILE))
    coverage = omnidirectional_spectrum.fn(flux)["coverage"].values
    assert 0.3 < np.nanmedian(coverage) < 0.7


def test_the_loss_cone_is_an_angle(shared_data):
    ds = read(mission, "elfinb.epd.half_spin.loss_cone", real(shared_data, FILE))
    assert ((ds["value"] > 30) & (ds["value"] < 150)).all()
