"""Instruments that are written when asked for: what products make of them is the truth behind."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import sciqlop_missions.sim as sim
from sciqlop_missions.sim.extras import (
    OFFSETS,
    RESISTIVITY,
    WAVE,
    electric_field,
    true_current,
)
from sciqlop_missions.sim.instrument import Spectrometer, clock, despun_axes
from sciqlop_missions.sim.physics import plasma
from sciqlop_missions.sim.simulate import simulate
from sciqlop_missions.sim.wind import World, solar_wind
from sciqlop_pipe.datatypes import CurrentDensity
from sciqlop_pipe.granule import MINUTE, SECOND, Interval, instant
from sciqlop_pipe.recipes.curlometer import curlometer
from sciqlop_pipe.recipes.drifts import (
    electric_field_in_plasma,
    energy_conversion,
    particle_current,
)
from sciqlop_pipe.recipes.merged_field import merged_field
from sciqlop_pipe.recipes.polarization import wave_polarization
from sciqlop_pipe.recipes.rotations import rotate_vector
from sciqlop_pipe.recipes.upstream import upstream_conditions
from sciqlop_pipe.sources.cdf import open_cdf
from sciqlop_pipe.sources.files import merge_by_time, trim

# The magnetopause passes at 00:08:53.7.
WHEN = Interval(instant("2030-01-01T00:08"), instant("2030-01-01T00:11"))
WORLD = World(seed=1)


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Read a raw dataset by name from an archive with all instruments."""
    out = tmp_path_factory.mktemp("sim")
    report = simulate(out, WHEN, extras=True)
    assert simulate(out, WHEN, extras=True).reused

    def go(name: str) -> xr.Dataset:
        dataset = next(d for d in sim.mission.datasets if d.name == name)
        pieces = []
        for path in report.files:
            if _fits(dataset.source, path):
                with open_cdf(path) as cdf:
                    pieces.append(dataset.source.adapter(cdf))
        return trim(merge_by_time(pieces), WHEN)

    return go


def _fits(source, path) -> bool:
    stem = str(source.pattern).partition("{")[0]
    return path.name.startswith(stem)


def test_the_ordinary_adapters_read_every_instrument(read):
    raw = [d for d in sim.mission.datasets if d.is_raw]
    assert len(raw) == 17
    for dataset in raw:
        assert dataset.gives.check(read(dataset.name), dataset.name).sizes["time"] > 2, dataset.name


@pytest.fixture(scope="module")
def current(read):
    names = ["sim", "sim2", "sim3", "sim4"]
    fields = [read(f"{n}.fgm.b") for n in names]
    places = [read(f"{n}.mec.position") for n in names]
    return CurrentDensity.check(curlometer(*fields, *places, reach="200ms"))


def test_four_spacecraft_find_the_current_of_the_magnetopause(current):
    truth = true_current(WORLD, current["time"].values.astype(np.int64))
    assert np.linalg.norm(truth, axis=1).max() > 20
    # Two hundredths of a nT over 50 km.
    assert np.sqrt(((current["current"].values - truth) ** 2).mean()) < 0.8


def test_the_work_of_the_current_is_the_resistivity_times_its_square(read, current):
    start = clock(WHEN.start, WHEN.stop, 4500 * SECOND // 1000)
    at = start + 2250 * SECOND // 1000
    axes = despun_axes(Spectrometer())
    here = plasma(WORLD, at)
    # Moments without noise: their errors are tested elsewhere.
    ions = xr.Dataset(
        {"velocity": (("time", "component"), here.velocity @ axes.T,
                      {"units": "km s^-1", "frame": "DBCS"})},
        {"time": at.astype("datetime64[ns]"), "component": ["x", "y", "z"]},
    )  # fmt: skip
    how = {"accumulation": "500ms", "reach": "1s"}
    prime = electric_field_in_plasma(read("sim.edp.e_dbcs"), ions, read("sim.fgm.b_dbcs"), **how)
    gse = rotate_vector(prime, read("sim.mec.dbcs_to_gse"), reach="2min")
    found = energy_conversion(current, gse, **how)["value"]
    j = true_current(WORLD, at)
    want = 1e-9 * RESISTIVITY * (j**2).sum(axis=1)
    use = np.isfinite(found.values)
    assert use.sum() > 20 and want[use].max() > 0.01
    np.testing.assert_allclose(found.values[use], want[use], atol=0.15 * want.max())


def test_ions_and_electrons_carry_the_current_of_the_magnetopause(read):
    """J = e n (V_i - V_e), without the noise of the ion instrument, against curl B."""
    electrons = read("sim.electron.moments")
    at = electrons["time"].values.astype(np.int64)[8:-8:16]
    axes, here = despun_axes(Spectrometer()), plasma(WORLD, at)
    ions = xr.Dataset(
        {"velocity": (("time", "component"), here.velocity @ axes.T,
                      {"units": "km s^-1", "frame": "DBCS"})},
        {"time": at.astype("datetime64[ns]"), "component": ["x", "y", "z"]},
    )  # fmt: skip
    found = particle_current(ions, electrons, accumulation="10ms", reach="100ms")["vector"].values
    want = true_current(WORLD, at) @ axes.T
    assert np.linalg.norm(want, axis=1).max() > 20
    # Velocities are in single precision: 3e-5 km/s of 400, times e n.
    np.testing.assert_allclose(found, want, atol=1e-3)


def test_the_field_is_that_of_moving_plasma_and_a_current():
    at = np.array([instant("2030-01-01T00:08:53.7")])
    here = plasma(WORLD, at)
    rest = electric_field(WORLD, at) + 1e-3 * np.cross(here.velocity, here.magnetic_field)
    np.testing.assert_allclose(rest, 1e-6 * RESISTIVITY * true_current(WORLD, at), rtol=1e-9)


def test_the_coil_sees_the_wave_and_the_merged_field_both(read):
    coil, slow = read("sim.scm.b"), read("sim.fgm.b")
    wave = wave_polarization(coil, slow, samples=256, step="10s").isel(time=5)
    k = int(np.argmin(np.abs(wave["frequency"].values - WAVE[0])))
    assert float(wave["ellipticity"][k]) > 0.99
    along = np.sign(float(slow["vector"][:, 0].mean()))
    assert float(wave["handedness"][k]) == along
    merged = merged_field(slow, coil, window="2s", reach="200ms")["vector"]
    middle = merged.isel(time=slice(4000, 8000)).values
    at = merged["time"].values[4000:8000].astype(np.int64)
    rest = middle - plasma(WORLD, at).magnetic_field
    assert np.sqrt((rest[:, 0] ** 2).mean()) < 0.1
    assert np.sqrt((rest[:, 1] ** 2).mean()) == pytest.approx(WAVE[1] / np.sqrt(2), rel=0.1)


def test_the_wind_at_the_nose_is_that_of_the_simulation(read):
    found = upstream_conditions(
        read("sim.mec.position"), read("sim.wind.b"), read("sim.wind.plasma")
    )
    truth = solar_wind(WORLD, found["time"].values.astype(np.int64))
    np.testing.assert_allclose(found["density"], truth.density, rtol=1e-5)
    assert float(np.abs(found["magnetopause_offset"]).max()) < 4000


def test_companions_fly_beside_the_spacecraft_and_files_do_not_depend_on_the_cut(tmp_path):
    time = WHEN.start // MINUTE * MINUTE + np.arange(3) * MINUTE
    there = plasma(WORLD, time, OFFSETS[2]).position
    assert there.shape == (3, 3)
    whole, half = tmp_path / "whole", tmp_path / "half"
    simulate(whole, Interval(WHEN.start, WHEN.start + MINUTE), extras=True)
    simulate(half, Interval(WHEN.start + MINUTE // 2, WHEN.start + MINUTE), extras=True)
    for kind in ("edp", "ele", "fgm3", "scm"):
        long, short = (next((d / kind).glob("*.cdf")) for d in (whole, half))
        name = {"edp": "sim_edp_e_gse", "ele": "sim_ele_v_dbcs", "fgm3": "sim_fgm3_b_gse",
                "scm": "sim_scm_b_gse"}[kind]  # fmt: skip
        with open_cdf(long) as a, open_cdf(short) as b:
            x, y = a.values(name), b.values(name)
        np.testing.assert_array_equal(x[-len(y) :], y)


def test_without_being_asked_nothing_more_is_written(tmp_path):
    report = simulate(tmp_path, Interval(WHEN.start, WHEN.start + MINUTE))
    assert {p.parent.name for p in report.files} == {"dis", "fgm", "mec"}
