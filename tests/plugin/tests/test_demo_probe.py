"""The demo probe from its files to its events; every number is known beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from archive import (
    AMPLITUDE,
    BAD_SPIN,
    DENSITY,
    SUNNY_SPIN,
    TEMPERATURE,
    TURNS,
    VELOCITY,
    write_esa,
    write_fgm,
)
from sciqlop_demo_probe import fgm, mission

from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.catalog import load_catalog
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.granule import Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission
from sciqlop_pipe.report import Report
from sciqlop_pipe.sources.archive import list_archives
from sciqlop_pipe.store import Store

DAY = Interval.of("2030-01-01", "2030-01-02")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    write_esa(folder / "esa" / "2030")
    write_fgm(folder / "fgm" / "2030")
    return folder


@pytest.fixture(scope="module")
def store(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Everything of the mission, made."""
    with Store.open(tmp_path_factory.mktemp("store"), create=True, durable=False) as opened:
        report = process(opened, mission, archive)
        assert [str(f.error) for f in report.failures] == []
        yield opened


def process(store: Store, mission: Mission, archive: Path) -> Report:
    targets = [d.name for d in mission.datasets]
    with open_cluster(Profile(workers=0)) as client:
        listing = list_archives([archive])
        return run_campaign(store, Graph.of([mission]), targets, [DAY], listing, lambda: client)


def test_distributions_are_a_list_of_directions_at_the_centre_of_the_spin(store: Store) -> None:
    vdf = store.read("demo_probe.esa.vdf")
    assert vdf["f"].dims == ("time", "direction", "energy_bin")
    assert vdf["f"].shape == (60, 88, 32)
    assert vdf["time"].values[0] == np.datetime64("2030-01-01T00:00:01.500")
    assert float(vdf["solid_angle"].sum()) == pytest.approx(4 * np.pi, rel=1e-6)


def test_moments_are_those_of_the_plasma_that_was_put_in(store: Store) -> None:
    found = store.read("demo_probe.esa.moments").load().drop_isel(time=BAD_SPIN)
    np.testing.assert_allclose(found["density"], DENSITY, rtol=0.01)
    np.testing.assert_allclose(found["velocity"], VELOCITY[None].repeat(59, 0), atol=3.0)
    np.testing.assert_allclose(found["temperature"], TEMPERATURE, rtol=0.03)
    np.testing.assert_allclose(found["coverage"], 1.0, rtol=1e-5)


def test_flags_travel_and_an_incomplete_spin_is_not_used(store: Store) -> None:
    found = store.read("demo_probe.esa.moments").load()
    assert np.isnan(found["density"].values[BAD_SPIN])
    assert found["quality"].values[SUNNY_SPIN] == 2
    assert found["quality"].attrs["flag_meanings"] == "bad_spin sun"


def test_the_spectrum_peaks_where_the_plasma_does(store: Store) -> None:
    found = store.read("demo_probe.esa.energy_spectrum").load()
    peak = found["energy"].values[found["spectrum"].values[0].argmax()]
    assert 200 < peak < 600


def test_the_roughness_of_a_sine_is_its_amplitude_over_root_two(store: Store) -> None:
    found = store.read("demo_probe.fgm.roughness", "2030-01-01T00:05", "2030-01-01T00:15").load()
    np.testing.assert_allclose(found["value"], AMPLITUDE / np.sqrt(2), rtol=0.02)
    assert found["value"].attrs["units"] == "nT"


def test_every_turn_of_the_field_is_one_event_between_two_records(store: Store) -> None:
    events = load_catalog(store, "demo_probe.fgm.rotations").events
    for event, when in zip(events, TURNS, strict=True):
        assert event.start < instant(when) <= event.stop
        assert event.stop - event.start == 250_000_000
    senses = [dict(e.attributes)["sense"] for e in events]
    assert senses == ["down", "up", "down"]
    assert all(dict(e.attributes)["angle"] > 150 for e in events)


@pytest.mark.parametrize("granule", ["30min", "2h"])
def test_nothing_depends_on_how_time_is_cut(
    store: Store, archive: Path, tmp_path: Path, granule: str
) -> None:
    other = Mission("demo_probe", fgm.datasets(granule))
    with Store.open(tmp_path / "store", create=True, durable=False) as again:
        process(again, other, archive)
        for name in ("demo_probe.fgm.b", "demo_probe.fgm.roughness"):
            a, b = (s.read(name).load() for s in (store, again))
            assert a.identical(b)
        first, second = (load_catalog(s, "demo_probe.fgm.rotations").events for s in (store, again))
        assert first == second
