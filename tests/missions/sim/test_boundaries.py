"""Magnetopause, bow shock, and the crossings of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_missions.sim.boundaries import (
    KINDS,
    MAGNETOSHEATH,
    crossings,
    farris_russell_1994,
    locate,
    shue_1998,
)
from sciqlop_missions.sim.wind import World, solar_wind
from sciqlop_pipe.granule import HOUR, MINUTE, SECOND, Interval, instant

START = instant("2030-01-01")
PASS = Interval(START, START + 4 * HOUR)


def test_the_magnetopause_stands_where_shue_1998_puts_it():
    one, zero = np.array(1.0), np.array(0.0)
    r, r0, alpha = shue_1998(one, zero, np.array(2.0))
    assert r0 == pytest.approx(10.25, abs=0.01)  # Bz = 0, 2 nPa
    assert r == r0
    assert alpha == pytest.approx(0.590, abs=0.001)
    _, r0, alpha = shue_1998(one, zero, one)
    assert r0 == pytest.approx(11.39, abs=0.01)  # 1 nPa
    assert alpha == pytest.approx(0.58)
    terminator, r0, _ = shue_1998(zero, zero, one)
    assert terminator == pytest.approx(r0 * 2**0.58)


def test_southward_field_and_pressure_push_the_magnetopause_in():
    nose = [shue_1998(np.array(1.0), np.array(b), np.array(p))[1]
            for b, p in ((5.0, 2.0), (0.0, 2.0), (-10.0, 2.0), (-10.0, 8.0))]  # fmt: skip
    assert nose == sorted(nose, reverse=True)


def test_the_bow_shock_stands_where_farris_and_russell_1994_put_it():
    nose = farris_russell_1994(np.array(10.0), np.array([1.0001, 2.0, 8.0, 1e6]))
    assert nose[0] > 1_000  # it goes to infinity as the Mach number falls to 1
    assert nose[1] == pytest.approx(10 * (1 + 1.1 * 14 / 24))
    assert nose[2] == pytest.approx(12.92, abs=0.01)
    assert nose[3] == pytest.approx(12.75)


def test_normals_are_those_of_the_surfaces():
    world = World(motion=0.0)
    time = PASS.start + np.arange(0, 40 * HOUR, HOUR)
    where = locate(world, time, solar_wind(world, time))
    for normal in (where.shock_normal, where.magnetopause_normal):
        assert np.allclose((normal**2).sum(axis=1), 1)
        assert ((normal * where.radial).sum(axis=1) > 0.5).all()
    # Along the Shue surface r = (2 / (1 + cos))^alpha the position moves across its normal.
    alpha = where.flaring[0]
    angle = np.arccos(where.cosine[0]) + np.array([-1e-5, 1e-5])
    surface = (2 / (1 + np.cos(angle))) ** alpha
    aside = where.radial[0] * [0, 1, 1]
    aside /= np.linalg.norm(aside)
    points = surface[:, None] * (
        np.cos(angle)[:, None] * [1, 0, 0] + np.sin(angle)[:, None] * aside
    )
    assert (points[1] - points[0]) @ where.magnetopause_normal[0] == pytest.approx(0, abs=1e-9)


def test_a_few_hours_hold_several_crossings_of_both_boundaries():
    kinds = [c.kind for c in crossings(World(), PASS)]
    assert min(kinds.count(kind) for kind in KINDS) >= 4


def test_crossings_alternate_and_lie_on_their_boundary():
    world = World()
    found = crossings(world, PASS)
    assert [c.time for c in found] == sorted(c.time for c in found)
    for kind in KINDS:
        mine = [c for c in found if c.kind == kind]
        assert all(a.sense != b.sense for a, b in pairwise(mine))
        time = np.array([c.time for c in mine])
        where = locate(world, time, solar_wind(world, time))
        beyond = where.beyond_bow_shock if kind == "bow_shock" else where.beyond_magnetopause
        assert np.abs(beyond).max() < 1e-6
        later = locate(world, time + SECOND // 10, solar_wind(world, time + SECOND // 10))
        beyond = later.beyond_bow_shock if kind == "bow_shock" else later.beyond_magnetopause
        assert [b > 0 for b in beyond] == [c.sense == "out" for c in mine]


def test_the_region_changes_at_the_crossings_and_nowhere_else():
    world = World()
    time = np.arange(PASS.start, PASS.stop, 2 * SECOND)
    region = locate(world, time, solar_wind(world, time)).region
    changes = np.flatnonzero(np.diff(region))
    assert (np.abs(np.diff(region)) <= 1).all()
    found = np.array([c.time for c in crossings(world, PASS)])
    assert changes.size == found.size
    assert ((time[changes] <= found) & (found <= time[changes + 1])).all()


@settings(max_examples=6)
@given(st.integers(1, 4 * 3600 * 10**9 - 1))
def test_crossings_of_two_pieces_are_those_of_the_whole(cut):
    world, middle = World(), PASS.start + cut
    pieces = crossings(world, Interval(PASS.start, middle))
    pieces += crossings(world, Interval(middle, PASS.stop))
    assert pieces == crossings(world, PASS)


def test_still_boundaries_leave_the_spacecraft_alone():
    quiet = Interval(PASS.start + 90 * MINUTE, PASS.start + 110 * MINUTE)
    time = np.arange(quiet.start, quiet.stop, MINUTE)
    still = World(motion=0.0)
    assert crossings(still, quiet) == ()
    assert (locate(still, time, solar_wind(still, time)).region == MAGNETOSHEATH).all()
    assert len(crossings(still, PASS)) < len(crossings(World(), PASS)) / 2
