"""Catalogs of detectors by rule, from real files, by the command that a user types."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sciqlop_pipe.cli import main
from sciqlop_pipe.granule import SECOND, instant
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.events import current_events
from sciqlop_pipe.store.records import Event
from tests.missions.claims import real
from tests.sources.archive_cdfs import FILL, Writer

Run = Callable[..., tuple[dict, list[Event]]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a dataset of events in a store of its own; return its row of the report, its events."""

    def ran(name: str, start: str, stop: str, *archives: Path, beside: tuple[str, ...] = ()):
        places = [w for a in archives for w in ("--archive", str(a))]
        words = ["run", name, *beside, "--start", start, "--stop", stop, *places,
                 "--store", str(tmp_path / "store"), "--workers", "0", "--json", "--no-sync"]  # fmt: skip
        monkeypatch.setattr(sys, "argv", ["sciqlop-pipe", *words])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        assert not end.value.code, said.err
        return json.loads(said.out)["rows"][name], catalog(tmp_path, name)

    return ran


def catalog(folder: Path, name: str) -> list[Event]:
    with Store.open(folder / "store", read_only=True) as store:
        return current_events(store.registry.db, name)


def omni_file(path: Path, day: str, density: float, speed: float) -> Path:
    """Write a day of constant solar wind in the layout of OMNI."""
    n = 1440
    time = np.datetime64(day, "ns") + np.arange(n) * np.timedelta64(60, "s")
    out = Writer().time("Epoch", time)
    for name, value, units in (
        ("BX_GSE", 3.0, "nT"), ("BY_GSE", -3.0, "nT"), ("BZ_GSE", 1.0, "nT"), ("BY_GSM", -3.0, "nT"),
        ("BZ_GSM", 1.0, "nT"), ("Vx", -speed, "km/s"), ("Vy", 0.0, "km/s"), ("Vz", 0.0, "km/s"),
        ("proton_density", density, "n/cc"), ("T", 1e5, "K"), ("Pressure", 2.0, "nPa"),
    ):  # fmt: skip
        out.add(name, np.full(n, value, "f4"), UNITS=units, DEPEND_0="Epoch", FILLVAL=FILL)
    return out.save(path / f"omni_hro_1min_{day.replace('-', '')}_v01.cdf")


def test_wind_of_2022_01_01_has_no_interplanetary_shock(run: Run, shared_data: Path) -> None:
    real(shared_data, "wind/wi_h1_swe_20220101_v01.cdf")
    row, events = run("wind.k0.interplanetary_shocks", "2022-01-01", "2022-01-02",
                      shared_data / "wind")  # fmt: skip
    assert row["done"] == 1
    assert events == []


def test_jets_of_mms_against_the_wind_and_against_the_sheath(
    run: Run, shared_data: Path, tmp_path: Path
) -> None:
    """The wind is made (no OMNI of the day is at hand): its pressure is that of a quiet day."""
    real(shared_data, "mms/fast_20151017/mms1_fpi_fast_l2_dis-moms_20151017040000_v3.4.0.cdf")
    (tmp_path / "omni").mkdir()
    omni_file(tmp_path / "omni", "2015-10-17", 4.0, 380.0)
    places = (shared_data / "mms" / "fast_20151017", tmp_path / "omni")
    span = ("2015-10-17T04:00", "2015-10-17T06:00")
    local = "mms1.magnetosheath_jets_local"
    row, events = run("mms1.magnetosheath_jets", *span, *places, beside=(local,))
    assert row["done"] == 1
    assert events
    for event in events:
        a = dict(event.attributes)
        assert a["pressure_ratio"] > 0.5
        assert a["velocity_x"] < 0
        assert a["absent"] == "position, b"
    strongest = max(catalog(tmp_path, local), key=lambda e: dict(e.attributes)["pressure_ratio"])
    a = dict(strongest.attributes)
    assert a["time"].startswith("2015-10-17T05:03:3"), "as seen in the moments"
    assert a["pressure_ratio"] > 4
    assert a["density"] > 10


def test_jets_of_themis_from_the_tables_of_its_events(run: Run, shared_data: Path) -> None:
    real(shared_data, "themis/tha_20070608_0630_0830_GSM_v4.dat")
    row, events = run("themisa.events.magnetosheath_jets_local", "2007-06-08", "2007-06-09",
                      shared_data / "themis")  # fmt: skip
    assert row["done"] == 1
    assert all(dict(e.attributes)["magnetic_field"] is not None for e in events)


def test_the_magnetopause_of_2015_10_16_is_found_in_a_burst(run: Run, shared_data: Path) -> None:
    """By the field and the moments themselves: n 0.4 to 10.7, B_z +36 to 0 nT at 13:05:43."""
    real(shared_data, "mms/burst_20151016/mms1_fgm_brst_l2_20151016130524.cdf")
    _, events = run("mms1.brst.boundary_crossings", "2015-10-16T13:00", "2015-10-16T13:10",
                    shared_data / "mms" / "burst_20151016")  # fmt: skip
    (event,) = events
    a = dict(event.attributes)
    assert (event.kind, a["sense"]) == ("magnetopause", "out")
    assert abs(instant(a["time"]) - instant("2015-10-16T13:05:43")) <= 3 * SECOND
    assert a["uncertainty"] < 3
    assert a["density_before"] == pytest.approx(0.4, abs=0.1)
    assert a["density_after"] == pytest.approx(10.7, abs=0.7)
    assert a["field_before"][2] == pytest.approx(36, abs=2)
    assert abs(a["field_after"][2]) < 12
    assert a["magnetic_field_jump"] < -5
    assert a["normal_frame"] == "GSE"
    assert "weak_normal" in a["flags"], "the ratio of variances is 2.4"
    assert a["absent"] == ""
