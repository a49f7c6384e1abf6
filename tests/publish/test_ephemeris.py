"""Numbers under the time axis, against what MMS itself says; a picture per orbit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sciqlop_missions.mms import mission
from sciqlop_pipe.constants import EARTH_RADIUS
from sciqlop_pipe.datatypes import Position, ScalarSeries
from sciqlop_pipe.granule import HOUR, SECOND, Interval, instant
from sciqlop_pipe.publish.batch import draw_all, orbits, sheets
from sciqlop_pipe.publish.ephemeris import scales
from sciqlop_pipe.publish.panels import Panel
from sciqlop_pipe.publish.picture import figure
from sciqlop_pipe.store import Store
from tests import builders
from tests.missions.claims import read, real
from tests.publish.served import put

MEC = "mms/burst_20161209_4sc/mms1_mec_brst_l2_epht89q_20161209090055_v2.2.0.cdf"
MU = 398600.4418
"""Of the Earth [km^3 s^-2]."""


def at(position: np.ndarray, time: np.ndarray, frame: str = "GSE") -> xr.Dataset:
    about = {"units": "km", "long_name": "position", "frame": frame}
    return xr.Dataset(
        {"position": (("time", "component"), position.astype(np.float64), about)},
        {"time": time, "component": ["x", "y", "z"]},
    )


def numbers(told: dict[str, tuple[str, ...]], word: str) -> np.ndarray:
    return np.array([float(t) for t in told[word]])


def test_numbers_are_those_that_mms_gives_itself(shared_data: Path) -> None:
    import pycdfpp

    path = real(shared_data, MEC)
    position = read(mission, "mms1.mec.brst.position_gse", path)
    file = pycdfpp.load(str(path))
    time = position["time"].values
    ticks = time[[0, 1000, 4000]] + np.timedelta64(7, "ms")
    told = {s.word: s.texts for s in scales(position, ticks)}
    where = [0, 1000, 4000]
    gse = file["mms1_mec_r_gse"].values[where] / EARTH_RADIUS
    for k, word in enumerate("XYZ"):
        np.testing.assert_allclose(numbers(told, f"{word} GSE"), gse[:, k], atol=0.051)
    np.testing.assert_allclose(
        numbers(told, "L (dipole)"), file["mms1_mec_l_dipole"].values[where], atol=0.1
    )
    hours = [int(t[:2]) + int(t[3:]) / 60 for t in told["MLT"]]
    np.testing.assert_allclose(hours, file["mms1_mec_mlt"].values[where], atol=0.02)


def test_gaps_and_what_is_beyond_are_blank() -> None:
    time = np.datetime64("2020-01-01", "ns") + np.arange(0, 60) * np.timedelta64(60, "s")
    keep = np.r_[0:20, 45:60]
    r = np.linspace([5e4, 0, 0], [6e4, 0, 0], 60)
    ticks = np.datetime64("2020-01-01", "ns") + np.array([-30, 10, 30, 50, 90]) * np.timedelta64(
        60, "s"
    )
    told = {s.word: s.texts for s in scales(at(r[keep], time[keep]), ticks)}
    assert [bool(t) for t in told["X GSE"]] == [False, True, False, True, False]
    assert [bool(t) for t in told["MLT"]] == [False, True, False, True, False]
    assert scales(at(r[:0], time[:0]), ticks) == ()
    single = {s.word: s.texts for s in scales(at(r[:1], time[:1]), time[:2])}
    assert [bool(t) for t in single["X GSE"]] == [True, False]


def test_far_from_the_earth_there_is_no_dipole_and_around_the_sun_are_astronomical_units() -> None:
    time = np.datetime64("2020-01-01", "ns") + np.arange(3) * np.timedelta64(3600, "s")
    far = scales(at(np.full((3, 3), 1e6), time), time)
    assert [s.word for s in far] == ["R [$R_E$]", "X GSE", "Y GSE", "Z GSE"]
    sun = scales(at(np.full((3, 3), 1e8), time, "HCI"), time)
    assert [s.word for s in sun] == ["R [AU]", "X HCI", "Y HCI", "Z HCI"]
    assert sun[0].texts[0] == "1.158"


def kepler(r: np.ndarray, v: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Return the orbit (time, 3) [km] of two bodies through a state, by Kepler's equation."""
    h = np.cross(r, v)
    e = np.cross(v, h) / MU - r / np.linalg.norm(r)
    ecc, a = np.linalg.norm(e), 1 / (2 / np.linalg.norm(r) - v @ v / MU)
    p, q = e / ecc, np.cross(h / np.linalg.norm(h), e / ecc)
    x, y = r @ p / a + ecc, r @ q / (a * np.sqrt(1 - ecc**2))
    first = np.arctan2(y, x)
    mean = first - ecc * np.sin(first) + np.sqrt(MU / a**3) * seconds
    anomaly = mean + ecc * np.sin(mean)
    for _ in range(60):
        anomaly -= (anomaly - ecc * np.sin(anomaly) - mean) / (1 - ecc * np.cos(anomaly))
    return (
        a * (np.cos(anomaly) - ecc)[:, None] * p
        + a * np.sqrt(1 - ecc**2) * np.sin(anomaly)[:, None] * q
    )  # fmt: skip


@pytest.fixture
def orbiting(shared_data: Path, tmp_path: Path) -> tuple[Path, float]:
    """A store of three days on the orbit that MMS1 was on, and its period [s]."""
    import pycdfpp

    file = pycdfpp.load(str(real(shared_data, MEC)))
    r, v = (file[f"mms1_mec_{q}_eci"].values[0].astype(np.float64) for q in "rv")
    begin = instant("2016-12-08")
    seconds = np.arange(0, 3 * 86400, 60.0)
    mec = "2016-12-09T09:00:55"
    since = (begin - instant(mec)) / SECOND
    path = kepler(r, v, seconds + since)
    now = np.abs(seconds + since).argmin()
    assert np.linalg.norm(path[now] - r) < 100  # it goes through where MMS was
    time = (begin + (seconds * SECOND).astype(np.int64)).astype("M8[ns]")
    with Store.open(tmp_path / "store", create=True, durable=False) as store:
        for k in range(72):
            k0 = k * 60
            part = slice(k0, k0 + 60)
            shift = (begin - instant("2020-11-19T23:00")) // HOUR + k
            ds = Position.check(at(path[part], time[part], "ECI"))
            put(store, "mms1.mec.position", Position, ds, shift)
            value = np.log10(np.linalg.norm(path[part], axis=1))
            put(
                store,
                "mms1.x.value",
                ScalarSeries,
                builders.scalar_series(time[part]).assign(
                    value=("time", value, {"units": "nT", "long_name": "x"})
                ),
                shift,
            )
    a = 1 / (2 / np.linalg.norm(r) - v @ v / MU)
    return tmp_path / "store", float(2 * np.pi * np.sqrt(a**3 / MU))


@pytest.mark.system
def test_a_picture_per_orbit_of_mms_from_perigee_to_perigee(
    orbiting: tuple[Path, float], tmp_path: Path
) -> None:
    root, period = orbiting
    days = Interval.of("2016-12-08", "2016-12-11")
    with Store.open(root, read_only=True) as store:
        found = orbits(store, "mms1.mec.position", days)
        whole = found[1:-1]
        assert len(found) == 4 and len(whole) == 2
        for _, span in whole:
            assert abs((span.stop - span.start) / SECOND - period) < 90
        wanted = sheets(store, ["mms1.x.value"], days, "orbit", "mms1.mec.position")
        assert all(s.position == "mms1.mec.position" for s in wanted)
        drawn = list(draw_all(store, wanted, tmp_path / "ql"))
        assert [d.state for d in drawn] == ["new"] * 4, [d.error for d in drawn]
        again = list(draw_all(store, wanted, tmp_path / "ql"))
        assert [d.state for d in again] == ["same"] * 4
        span = whole[0][1]
        ds = store.read("mms1.x.value", span.start, span.stop).load()
        where = store.read("mms1.mec.position", span.start, span.stop).load()
    fig = figure([Panel("mms1.x.value", "ScalarSeries", ds)], span, "MMS1", position=where)
    words = [t.get_text() for t in fig.axes[-1].texts]
    assert {"R [$R_E$]", "X GSE", "L (dipole)", "MLT"} <= set(words)
    bare = figure([Panel("mms1.x.value", "ScalarSeries", ds)], span, "MMS1")
    assert fig.get_figheight() > bare.get_figheight()
