from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from sciqlop_pipe.dash.looking import (
    angles_of,
    contours,
    cuts_of,
    moments_table,
    one_count,
    planes_of,
)
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.interactive import Session
from tests.analytic import BiMaxwellian, field, fpi_look, vdf

B = (3.0, -8.0, 15.0)
BULK = (-250.0, 80.0, 40.0)
SHEATH = BiMaxwellian(5, BULK, 400, 600, B)


@pytest.fixture(scope="module")
def held():
    ds = vdf([SHEATH] * 4, np.geomspace(20.0, 20000.0, 24), fpi_look(24, 12), nodes=1)
    have = {"a.vdf": ds, "a.b": field(ds, B)}
    return SimpleNamespace(read=lambda name, start=None, stop=None: have[name], vdf=ds)


def peak(plane, reach: float) -> tuple[float, float]:
    """Velocities (v1, v2) of the brightest cell of an image whose rows are v2."""
    row, column = np.unravel_index(np.nanargmax(plane), plane.shape)
    step = 2 * reach / plane.shape[0]
    return (column + 0.5) * step - reach, (row + 0.5) * step - reach


def test_the_peak_of_a_plane_is_at_the_bulk_velocity_with_its_axes_the_right_way_round(held):
    look = Session(held, "a.vdf").look(
        "2020-11-19T23:34:33", v_max=1000, bins=50, axes="instrument"
    )
    for plane, (i, j) in zip(planes_of(look), ((0, 1), (0, 2), (1, 2)), strict=True):
        v1, v2 = peak(plane.image, plane.reach)
        assert v1 == pytest.approx(BULK[i], abs=90) and v2 == pytest.approx(BULK[j], abs=90)


def test_in_the_bulk_frame_the_peak_is_at_the_origin(held):
    look = Session(held, "a.vdf", "a.b").look("2020-11-19T23:34:33", v_max=1000, bins=50, bulk=True)
    plane = planes_of(look)[0]
    assert plane.name == "perp1_perp2"
    assert np.hypot(*peak(plane.image, plane.reach)) < 120


def test_cuts_lie_along_all_three_axes(held):
    look = Session(held, "a.vdf").look("2020-11-19T23:34:33", v_max=1000, bins=50)
    cuts = {name: (v, f) for name, v, f in cuts_of(look)}
    assert list(cuts) == ["x", "y", "z"]
    v, f = cuts["x"]
    assert v[np.nanargmax(f)] == pytest.approx(BULK[0], abs=90)


def test_axes_that_need_what_is_not_there_are_refused_by_a_sentence(held):
    with pytest.raises(UsageError, match="attitude"):
        Session(held, "a.vdf").look("2020-11-19T23:34:33", axes="turned")
    with pytest.raises(UsageError, match="magnetic field"):
        Session(held, "a.vdf").look("2020-11-19T23:34:33", axes="field")
    with pytest.raises(UsageError, match="no axes"):
        Session(held, "a.vdf").look("2020-11-19T23:34:33", axes="sideways")


def test_contours_lie_where_f_has_their_value():
    v = (np.arange(80) + 0.5) * 25 - 1000
    f = np.exp(-(v[None] ** 2 + v[:, None] ** 2) / 2e5)
    lines = contours(f, 1000.0, 1e-4, 1.0)
    assert len(lines) >= 5
    for x, y in lines:
        level = np.exp(-(x**2 + y**2) / 2e5)
        assert np.ptp(np.log10(level)) < 0.05
    assert contours(np.zeros((4, 4)), 1.0, 1.0, 1.0) == ()


def test_one_count_is_what_one_count_gives_and_falls_with_the_number_averaged(held):
    ds = held.vdf
    level = 1e-15 * np.linspace(1, 3, ds.sizes["energy_bin"])
    counts = np.random.default_rng(1).poisson(2.0, ds["f"].shape)
    counted = ds.assign(f=ds["f"].copy(data=counts * level),
                        f_error=ds["f"].copy(data=np.sqrt(counts) * level))  # fmt: skip
    speed, found = one_count(counted.isel(time=[0]))
    assert (np.diff(speed) > 0).all()
    assert found == pytest.approx(level, rel=1e-5)
    assert one_count(counted)[1] == pytest.approx(level / 4, rel=1e-5)
    assert one_count(ds.drop_vars("f_error", errors="ignore"))[0].size == 0


def test_pitch_angles_are_an_image_even_in_log_energy(held):
    look = Session(held, "a.vdf", "a.b").look("2020-11-19T23:34:33", v_max=1000, bins=20)
    made = angles_of(look)
    f = look.pitch_angles["f"].values[0]
    pitch, energy = np.unravel_index(np.nanargmax(f), f.shape)
    row, column = np.unravel_index(np.nanargmax(made.image), made.image.shape)
    at = made.bottom + (row + 0.5) * (made.top - made.bottom) / made.image.shape[0]
    table = np.atleast_2d(look.pitch_angles["energy"].values)[0]
    assert column == pitch
    assert 10**at == pytest.approx(table[energy], rel=0.2)
    assert angles_of(Session(held, "a.vdf").look("2020-11-19T23:34:33", bins=20)) is None
    assert dict(moments_table(look))["distributions"] == "1"
