"""Frames that follow from time: against the files of two teams, and against what they are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.datatypes import Position, VectorSeries
from sciqlop_pipe.errors import DataTypeError, UsageError
from sciqlop_pipe.granule import DAY, instant
from sciqlop_pipe.recipes.axes import AU, FRAMES, axes, earth_position, rotation, solar_pole
from sciqlop_pipe.recipes.coordinates import in_frame, position_in_frame
from sciqlop_pipe.recipes.geomagnetic import FORECASTS, MODELS, dipole_axis
from sciqlop_pipe.sources.cdf import open_cdf

AXES = ["x", "y", "z"]
SOLSTICE = instant("2020-06-20T21:44")


def series(values, start="2020-06-20T12:00", step="7s", frame="GSE") -> xr.Dataset:
    values = np.atleast_2d(np.asarray(values, float))
    time = np.datetime64(start, "ns") + np.arange(len(values)) * np.timedelta64(int(step[:-1]), "s")
    attrs = {"units": "nT", "long_name": f"magnetic field ({frame})", "frame": frame}
    return xr.Dataset({"vector": (("time", "component"), values, attrs)},
                      {"time": time, "component": AXES})  # fmt: skip


def place(values, frame="GSE", start="2020-06-20T12:00") -> xr.Dataset:
    ds = series(values, start, "60s", frame)
    return xr.Dataset({"position": ds["vector"].assign_attrs(units="km", long_name="r")})


def degrees(a, b):
    return np.degrees(
        np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (np.asarray(a) * b).sum(axis=-1))
    )


def mms(shared_data, name):
    path = shared_data / "mms" / name
    if not path.exists():
        pytest.skip(f"{path} is absent")
    return path


@pytest.fixture(scope="module")
def ephemeris(shared_data):
    """Time, vectors and quaternions of MEC on every fiftieth record."""
    name = "burst_20161209_4sc/mms1_mec_brst_l2_epht89q_20161209090055_v2.2.0.cdf"
    frames = ("eci", "gse", "gsm", "sm", "geo")
    with open_cdf(mms(shared_data, name)) as cdf:
        found = {n: cdf.values(f"mms1_mec_{n}")[::50]
                 for n in (f"{k}_{f}" for k in "rv" for f in frames)}  # fmt: skip
        turns = {f: cdf.values(f"mms1_mec_quat_eci_to_{f}")[::50] for f in frames[1:]}
        return cdf.times("Epoch")[::50].astype(np.int64), found, turns


def matrices(q):
    x, y, z, w = q.T
    rows = [[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]]  # fmt: skip
    return np.array(rows).transpose(2, 0, 1)


@pytest.mark.parametrize(
    ("frame", "within"), [("gse", 2e-5), ("geo", 2e-5), ("gsm", 0.0065), ("sm", 0.0095)]
)
def test_quaternions_of_mec_are_met_to_a_hundredth_of_a_degree(ephemeris, frame, within):
    time, _, turns = ephemeris
    ours = axes(frame, time, FORECASTS)
    for mine, theirs in zip(ours, matrices(turns[frame]), strict=True):
        cosine = (np.trace(mine @ theirs.T) - 1) / 2
        sine = np.linalg.norm(mine @ theirs.T - theirs @ mine.T) / np.sqrt(8)
        assert np.degrees(np.arctan2(sine, cosine)) < within


def test_the_definitive_dipole_of_2016_lies_a_thirtieth_of_a_degree_from_its_forecast(ephemeris):
    time, _, turns = ephemeris
    theirs = matrices(turns["sm"])[:, 2]
    assert degrees(axes("SM", time, "IGRF-14")[:, 2], theirs).max() < 0.035


@pytest.mark.parametrize("start", ["eci", "gse", "gsm", "sm", "geo"])
@pytest.mark.parametrize("frame", ["gse", "gsm", "sm", "geo"])
def test_positions_and_velocities_of_mec_are_met_from_each_of_its_frames(ephemeris, start, frame):
    time, found, _ = ephemeris
    ds = place(found[f"r_{start}"], start.upper())
    ds["velocity"] = ds["position"].copy(data=found[f"v_{start}"])
    ds = ds.assign_coords(time=time.astype("datetime64[ns]"))
    ours = position_in_frame(ds, frame=frame.upper(), geomagnetic_model=FORECASTS)
    for name, letter in (("position", "r"), ("velocity", "v")):
        assert degrees(ours[name].values, found[f"{letter}_{frame}"]).max() < 0.01, name
    np.testing.assert_allclose(
        np.linalg.norm(ours["position"], axis=1),
        np.linalg.norm(found[f"r_{frame}"], axis=1),
        rtol=1e-9,
    )


FGM = [
    "burst_20151016/mms1_fgm_brst_l2_20151016130524.cdf",
    *(f"burst_20161209_4sc/mms{p}_fgm_brst_l2_20161209090054_v5.87.0.cdf" for p in "1234"),
]


@pytest.mark.parametrize("name", FGM, ids=lambda n: n[6:14] + n[-36:-32])
def test_gsm_of_the_magnetometer_is_met_from_its_gse(shared_data, name):
    """Every record of the field, and the positions that come with it."""
    from sciqlop_missions.mms import fgm, tetrahedron

    probe = name.partition("/mms")[2][0]
    with open_cdf(mms(shared_data, name)) as cdf:
        gse, gsm = (fgm.field(probe, "brst", f)(cdf) for f in ("gse", "gsm"))
        place = tetrahedron.position(probe, "brst")(cdf)
        theirs = cdf.values(f"mms{probe}_fgm_r_gsm_brst_l2")[:, :3]
    found = in_frame(gse, frame="GSM", geomagnetic_model=FORECASTS)
    assert np.nanmax(degrees(found["vector"].values, gsm["vector"].values)) < 0.005
    there = position_in_frame(place, frame="GSM", geomagnetic_model=FORECASTS)
    assert degrees(there["position"].values, theirs).max() < 0.005


def test_at_the_solstice_the_earths_axis_leans_to_the_sun_in_gse():
    pole = rotation("GEO", "GSE", np.array([SOLSTICE]))[0] @ [0, 0, 1]
    assert np.degrees(np.arctan2(pole[0], pole[2])) == pytest.approx(23.437, abs=0.005)
    assert abs(pole[1]) < 1e-4


@pytest.mark.parametrize("frame", FRAMES)
def test_the_axes_of_every_frame_are_right_handed_and_orthogonal(frame):
    found = axes(frame, SOLSTICE + np.arange(5) * 97 * DAY)
    np.testing.assert_allclose(
        found @ found.transpose(0, 2, 1), np.tile(np.eye(3), (5, 1, 1)), atol=2e-7
    )
    np.testing.assert_allclose(np.linalg.det(found), 1, atol=1e-6)


def test_the_frames_are_what_they_say():
    t = SOLSTICE + np.arange(4) * 91 * DAY
    to_earth = earth_position(t)
    sun, distance = (
        -to_earth / np.linalg.norm(to_earth, axis=1)[:, None],
        np.linalg.norm(to_earth, axis=1),
    )
    assert ((distance > 0.982 * AU) & (distance < 1.018 * AU)).all()
    for frame in ("GSE", "GSM"):
        assert degrees(axes(frame, t)[:, 0], sun).max() < 1e-5
    assert degrees(axes("HEE", t)[:, 0], -sun).max() < 1e-5
    assert degrees(axes("HEEQ", t)[:, 2], solar_pole()).max() < 1e-5
    # The Sun never leaves the plane of x and z of SM, the Earth that of HEEQ.
    assert np.abs((axes("SM", t)[:, 1] * sun).sum(1)).max() < 1e-6
    assert np.abs((axes("HEEQ", t)[:, 1] * sun).sum(1)).max() < 1e-6
    assert degrees(axes("SM", t)[:, 2], axes("MAG", t)[:, 2]).max() < 1e-5


@pytest.mark.parametrize(
    ("year", "latitude", "longitude"), [(1900, 78.68, -68.79), (2020, 80.65, -72.68)]
)
def test_the_geomagnetic_pole_is_where_its_table_puts_it(year, latitude, longitude):
    x, y, z = dipole_axis(np.array([instant(f"{year}-01-01")]))[0]
    # The table of the IAGA gives geodetic latitudes (WGS84).
    geodetic = np.degrees(np.arctan(z / np.hypot(x, y) / (1 - 0.00669438)))
    assert geodetic == pytest.approx(latitude, abs=0.01)
    assert np.degrees(np.arctan2(y, x)) == pytest.approx(longitude, abs=0.01)
    assert set(MODELS) == {"IGRF-14", FORECASTS}


def test_a_forecast_holds_until_the_next_one_corrects_it():
    def apart(when: str) -> float:
        at = np.array([instant(when)])
        return float(degrees(dipole_axis(at, FORECASTS), dipole_axis(at))[0])

    assert apart("2014-06-01") == 0 == apart("2027-01-01")
    # What it missed grows to a twelfth of a degree in five years.
    assert 0.07 < apart("2019-12-31") < 0.09
    assert apart("2020-01-01") < 0.003
    assert 0.04 < apart("2024-12-31") < 0.06


@given(st.sampled_from(sorted(FRAMES)), st.sampled_from(sorted(FRAMES)), st.integers(0, 9000))
@settings(max_examples=30)
def test_there_and_back_is_where_one_was(one, other, day):
    start = str(np.datetime64("2000-01-01") + np.timedelta64(day, "D"))
    ds = series(np.random.default_rng(day).normal(size=(20, 3)), start, "60s", one)
    found = in_frame(in_frame(ds, frame=other), frame=one)
    # A chord is shorter than its arc, where a frame turns with the Earth: twice 1e-5.
    np.testing.assert_allclose(found["vector"], ds["vector"], atol=2e-4)


def test_a_turned_vector_says_where_it_is_and_keeps_its_quality():
    ds = series(np.eye(3))
    ds["quality"] = ("time", np.arange(3, dtype=np.uint32), {"units": "1", "long_name": "q"})
    found = VectorSeries.check(in_frame(ds, frame="sm"))
    assert found["vector"].attrs["frame"] == "SM"
    assert found["vector"].attrs["long_name"] == "magnetic field (SM)"
    assert found.attrs["geomagnetic_model"] == "IGRF-14"
    xr.testing.assert_identical(found["quality"], ds["quality"])


def test_nan_stays_nan_and_touches_nothing_else():
    values = np.ones((4, 3))
    values[1, 2] = np.nan
    found = in_frame(series(values), frame="GEO")["vector"].values
    assert np.isnan(found).all(axis=1).tolist() == [False, True, False, False]


def test_an_empty_series_stays_empty():
    assert in_frame(series(np.ones((2, 3))).isel(time=slice(0, 0)))["vector"].shape == (0, 3)


def test_frames_of_a_spacecraft_and_unknown_ones_are_refused_with_the_known():
    with pytest.raises(UsageError, match="attitude"):
        in_frame(series(np.eye(3), frame="DMPA"))
    with pytest.raises(UsageError, match="Known: J2000"):
        in_frame(series(np.eye(3)), frame="XYZ")
    with pytest.raises(UsageError, match="IGRF-11"):
        in_frame(series(np.eye(3)), geomagnetic_model="IGRF-11")


def test_rtn_at_the_earth_is_gse_seen_from_the_sun():
    r = place(np.tile([1.5e6, 0, 0], (9, 1)))
    found = in_frame(series([[0, 0, 1.0], [-1, 0, 0], [0, -1, 0]], step="60s"), r, frame="RTN")
    n, radial, t = found["vector"].values
    np.testing.assert_allclose(radial, [1, 0, 0], atol=1e-6)
    # The Sun's equator is inclined by 7.25 deg to the ecliptic.
    assert degrees(n, [0, 0, 1]) < 7.3 and degrees(t, [0, 1, 0]) < 7.3
    back = in_frame(found, r, frame="GSE")
    np.testing.assert_allclose(back["vector"].values[0], [0, 0, 1], atol=1e-5)


def test_rtn_needs_a_position_that_is_near():
    ds = series(np.eye(3))
    with pytest.raises(DataTypeError, match="position"):
        in_frame(ds, frame="RTN")
    late = place(np.ones((4, 3)), start="2020-06-20T18:00")
    assert np.isnan(in_frame(ds, late, frame="RTN")["vector"]).all()


def test_positions_change_their_centre_and_lose_their_velocity():
    ds = place([[1.5e6, 0, 0]])
    ds["velocity"] = ds["position"].assign_attrs(units="km s^-1")
    found = Position.check(position_in_frame(ds, frame="HEEQ"))
    distance = float(np.linalg.norm(found["position"]))
    assert distance == pytest.approx(1.0163 * AU - 1.5e6, rel=1e-4)
    assert "velocity" not in found
    back = position_in_frame(found, frame="GSE")
    np.testing.assert_allclose(back["position"], ds["position"], atol=1)


@settings(max_examples=10)
@given(st.lists(st.integers(1, 99), max_size=3, unique=True), st.sampled_from(["GSM", "GEO"]))
def test_cutting_time_into_granules_changes_nothing(cuts, frame):
    ds = series(np.random.default_rng(3).normal(size=(100, 3)), step="63s")
    edges = [0, *sorted(cuts), 100]
    pieces = [in_frame(ds.isel(time=slice(i, j)), frame=frame) for i, j in pairwise(edges)]
    xr.testing.assert_identical(xr.concat(pieces, "time"), in_frame(ds, frame=frame))


# Raise the version of the recipe whenever these numbers move, and only then.
GOLDEN = {1: [0.2323366, -0.0005708233, 0.9726353]}
GOLDEN_POSITION = {1: [0.1964059, 0.1365555, 0.9709672]}


def test_numbers_move_only_with_the_version():
    ds = series([[0.6, 0.0, 0.8]])
    found = in_frame(ds, frame="GEO")["vector"].values[0]
    assert found == pytest.approx(GOLDEN[in_frame.version], abs=1e-6)
    r = position_in_frame(place([[0.6, 0.0, 0.8]]), frame="SM")["position"].values[0]
    assert r == pytest.approx(GOLDEN_POSITION[position_in_frame.version], abs=1e-6)
