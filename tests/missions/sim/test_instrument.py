"""The simulated spectrometer, held against plain sums in velocity space."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sciqlop_missions.sim.instrument import (
    Spectrometer,
    clock,
    despun_axes,
    energy_tables,
    expected,
    look_angles,
    magnetometer,
    observe,
)
from sciqlop_missions.sim.physics import plasma
from sciqlop_missions.sim.vectors import rotate
from sciqlop_missions.sim.wind import World
from sciqlop_pipe.constants import ELEMENTARY_CHARGE, PROTON_MASS
from sciqlop_pipe.granule import HOUR, MINUTE, SECOND, instant

START = instant("2030-01-01")
ION = Spectrometer()


def moments(instrument, start, f):
    """n [cm^-3], V [km/s] in the despun frame and T [eV] of f [s^3 cm^-6], by midpoint sums."""
    phi, theta = look_angles(instrument, start)
    energy = energy_tables(instrument)[start // instrument.accumulation % 2]
    v = np.sqrt(2 * ELEMENTARY_CHARGE * energy / PROTON_MASS) * 1e2  # cm/s
    ratio = (energy[:, 1] / energy[:, 0])[:, None]
    shell = v**3 * (ratio**0.75 - ratio**-0.75) / 3
    edges = np.deg2rad(np.linspace(0, 180, instrument.polars + 1))
    solid = -np.diff(np.cos(edges)) * 2 * np.pi / instrument.azimuths
    phi, theta = np.deg2rad(phi), np.deg2rad(theta)
    seen = np.stack(
        np.broadcast_arrays(
            np.sin(theta) * np.cos(phi)[..., None],
            np.sin(theta) * np.sin(phi)[..., None],
            np.cos(theta)[None, None, :],
        ),
        axis=-1,
    )
    ions = f * shell[:, None, None, :] * solid[None, None, :, None]
    n = ions.sum(axis=(1, 2, 3))
    velocity = np.einsum("tije,tijc,te->tc", ions, -seen, v) / n[:, None]
    heat = np.einsum("tije,te->t", ions, v**2) / n - (velocity**2).sum(axis=1)
    return n, velocity * 1e-5, heat * 1e-4 * PROTON_MASS / 3 / ELEMENTARY_CHARGE


def some(region, world, count=6):
    """Starts of a few accumulations in one region, and the truth at their centres."""
    start = clock(START, START + 4 * HOUR, ION.accumulation)
    truth = plasma(world, start + ION.accumulation // 2)
    at = np.flatnonzero(truth.region == region)
    start = start[at[:: max(at.size // count, 1)]]
    return start, plasma(world, start + ION.accumulation // 2)


@pytest.mark.parametrize(("region", "hotter"), [(0, 0.4), (1, 0.05), (2, 0.02)])
def test_sums_over_the_noiseless_distribution_give_back_the_plasma(region, hotter):
    start, truth = some(region, World())
    n, velocity, temperature = moments(ION, start, expected(ION, start, truth))
    assert n == pytest.approx(truth.density, rel=0.01)
    wanted = rotate(despun_axes(ION), truth.velocity)
    assert np.abs(velocity - wanted).max() < 0.03 * np.abs(wanted).max() + 1
    # Values of f that are averages over bins make plain sums hotter by the variance inside a bin,
    # twice: recipes take that back. Point values do not.
    true = (truth.parallel + 2 * truth.perpendicular) / 3
    assert (temperature > 0.99 * true).all()
    assert (temperature < (1 + hotter) * true).all()


@pytest.mark.parametrize("region", [0, 1, 2])
def test_point_values_give_back_the_temperature_too(region):
    points = replace(ION, fineness=1)
    start, truth = some(region, World())
    n, _, temperature = moments(points, start, expected(points, start, truth))
    assert n == pytest.approx(truth.density, rel=0.02)
    heat = (truth.parallel + 2 * truth.perpendicular) / 3
    # What is left is that a midpoint sum takes v^2 at the centre of a bin of log v.
    assert temperature == pytest.approx(heat, rel=0.03)


def test_two_points_per_axis_average_over_a_bin_like_six():
    start, truth = some(0, World())
    two, six = (expected(replace(ION, fineness=k), start, truth) for k in (2, 6))
    core = six > 0.05 * six.max()
    assert np.abs(two[core] / six[core] - 1).max() < 0.03


def test_ions_are_seen_where_they_come_from():
    start, truth = some(0, World(), count=2)
    f = expected(ION, start, truth)
    _, i, j, _ = np.unravel_index(int(f.argmax()), f.shape)
    record = int(f.argmax()) // f[0].size
    phi, theta = look_angles(ION, start)
    # The solar wind flies along -x: a detector that looks at the Sun sees it.
    assert min(phi[record, i], 360 - phi[record, i]) < 15
    assert theta[j] == pytest.approx(90, abs=15)


def test_two_energy_tables_alternate_half_a_step_apart():
    even, odd = energy_tables(ION)
    assert even[0] == pytest.approx(10)
    assert odd[-1] == pytest.approx(30_000)
    assert even[1:] / odd[:-1] == pytest.approx((odd / even)[1:])
    start = clock(START, START + MINUTE, ION.accumulation)
    maps = observe(ION, 1, start, plasma(World(), start))
    assert (np.diff(maps.parity.astype(int)) != 0).all()
    assert np.array_equal(maps.energy[maps.parity == 1][0], odd.astype(np.float32))


def test_the_azimuths_turn_and_stay_within_a_circle():
    start = clock(START, START + 10 * MINUTE, ION.accumulation)
    phi, theta = look_angles(ION, start)
    assert phi.min() >= 0
    assert phi.max() < 360
    assert np.unique(phi[:, 0].round(2)).size > start.size // 2
    assert np.diff(phi, axis=1) == pytest.approx(11.25)
    assert theta == pytest.approx(5.625 + 11.25 * np.arange(16))


def test_the_despun_frame_is_right_handed_and_near_gse():
    axes = despun_axes(ION)
    assert np.allclose(axes @ axes.T, np.eye(3))
    assert np.linalg.det(axes) == pytest.approx(1)
    assert np.rad2deg(np.arccos(axes[2, 2])) == pytest.approx(ION.axis_tilt)
    assert axes[0, 0] > 0.99


def test_counting_is_unbiased_and_its_errors_tell_the_counts():
    start, truth = some(1, World())
    maps = observe(ION, 1, start, truth)
    mean = expected(ION, start, truth)
    assert maps.f.sum(axis=(1, 2, 3)) == pytest.approx(mean.sum(axis=(1, 2, 3)), rel=0.02)
    seen = maps.error > 0
    assert np.array_equal(seen, maps.f > 0)
    counts = (maps.f[seen].astype(float) / maps.error[seen]) ** 2
    assert counts == pytest.approx(np.round(counts), rel=1e-5)
    assert maps.most_counts.max() == pytest.approx(counts.max(), rel=1e-5)
    # chi^2 per bin of the well filled ones
    one_count = ION.one_count / (ION.accumulation * 1e-9) / maps.energy[:, None, None, :] ** 2
    full = mean / one_count > 20
    chi2 = (maps.f - mean)[full] ** 2 / (mean * one_count)[full]
    assert chi2.mean() == pytest.approx(1, abs=6 * np.sqrt(2 / chi2.size))


def test_a_record_has_the_same_noise_whatever_is_made_with_it():
    world, start = World(), clock(START, START + 2 * MINUTE, ION.accumulation)
    whole = observe(ION, 3, start, plasma(world, start))
    part = observe(ION, 3, start[7:9], plasma(world, start[7:9]))
    other = observe(ION, 4, start[7:9], plasma(world, start[7:9]))
    for name in ("f", "error", "phi", "energy"):
        assert getattr(part, name).tobytes() == getattr(whole, name)[7:9].tobytes()
    assert not np.array_equal(other.f, part.f)


def test_shorter_accumulations_count_fewer_ions():
    short = replace(ION, accumulation=150_000_000)
    start, truth = some(1, World(), count=2)
    many, few = (
        np.nansum((maps.f.astype(float) / np.where(maps.error > 0, maps.error, np.nan)) ** 2)
        for maps in (observe(i, 1, start, truth) for i in (ION, short))
    )
    assert many / few == pytest.approx(30, rel=0.05)


def test_ticks_belong_to_exactly_one_of_two_adjoining_intervals():
    step, middle = ION.accumulation, START + 17 * SECOND
    whole = clock(START, START + MINUTE, step)
    pieces = [clock(START, middle, step), clock(middle, START + MINUTE, step)]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert (np.diff(whole) == step).all()
    assert (whole >= START).all()
    assert (whole < START + MINUTE).all()
    assert clock(int(whole[3]), int(whole[3]) + 1, step).tolist() == [whole[3]]


def test_the_magnetometer_adds_its_noise_only():
    time = clock(START, START + MINUTE, SECOND // 16)
    field = np.tile([3.0, -4.0, 12.0], (time.size, 1))
    noise = magnetometer(1, time, field) - field
    assert noise.std() == pytest.approx(0.02, rel=0.1)
    assert np.array_equal(magnetometer(1, time[5:9], field[5:9]) - field[5:9], noise[5:9])
