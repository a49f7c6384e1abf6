"""The archive on disk: layout, determinism, and the truth beside it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pycdfpp
import pytest
import xarray as xr

import sciqlop_missions.sim as sim
from sciqlop_missions.sim import simulate as simulation
from sciqlop_missions.sim.__main__ import main
from sciqlop_missions.sim.boundaries import Crossing, crossings
from sciqlop_missions.sim.simulate import simulate, stretches
from sciqlop_missions.sim.truth import compare, load_crossings, load_truth, score_crossings
from sciqlop_missions.sim.wind import World
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import MINUTE, SECOND, Interval, instant
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.sources.cdf import open_cdf
from sciqlop_pipe.sources.files import merge_by_time, trim

# Two ion files meet in these minutes, and the bow shock passes twice.
WHEN = Interval(instant("2030-01-01T02:50:32"), instant("2030-01-01T02:53:42"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    out = tmp_path_factory.mktemp("sim")
    return out, simulate(out, WHEN)


def files(out, instrument):
    return sorted((out / instrument).glob("*.cdf"))


def read(out, name, interval):
    """The dataset of a declaration, as the engine reads it."""
    source = next(d for d in sim.mission.datasets if d.name == name).source
    pieces = []
    for path in files(out, {"ion": "dis"}.get(name.split(".")[1], name.split(".")[1])):
        with open_cdf(path) as cdf:
            pieces.append(source.adapter(cdf))
    return trim(merge_by_time(pieces), interval)


def test_the_report_counts_what_was_written(archive):
    out, report = archive
    assert report.distributions == 42
    assert report.f_size == 42 * 32 * 16 * 32 * 4
    assert [p for p in report.files if "dis" in p.parts] == files(out, "dis")
    assert report.size == sum(p.stat().st_size for p in report.files)
    assert not report.reused
    assert "42 distributions" in str(report)


def test_files_are_laid_out_like_an_instruments(archive):
    out, _ = archive
    cdf = pycdfpp.load(files(out, "dis")[0])
    n = len(cdf["Epoch"])
    assert cdf["Epoch"].type == pycdfpp.DataType.CDF_TIME_TT2000
    shapes = {name: tuple(cdf[name].shape) for name in cdf}
    assert shapes["sim_dis_dist"] == shapes["sim_dis_disterr"] == (n, 32, 16, 32)
    assert shapes["sim_dis_phi"] == shapes["sim_dis_energy"] == (n, 32)
    assert shapes["sim_dis_theta"] == (1, 16)
    assert cdf["sim_dis_theta"].is_nrv
    dist = cdf["sim_dis_dist"]
    assert dist.type == pycdfpp.DataType.CDF_REAL4
    attrs = {name: attribute.value for name, attribute in dist.attributes.items()}
    assert [attrs[f"DEPEND_{i}"] for i in range(4)] == [
        "Epoch", "sim_dis_phi", "sim_dis_theta", "sim_dis_energy",
    ]  # fmt: skip
    assert attrs["UNITS"] == "s^3/cm^6"
    assert attrs["VAR_TYPE"] == "data"
    assert np.float32(attrs["FILLVAL"][0]) == np.float32(-1e31)
    assert cdf["sim_dis_errorflags"].values.dtype == np.uint32


def test_every_variable_has_its_istp_attributes_and_what_it_points_at(archive):
    out, _ = archive
    for path in (files(out, i)[0] for i in ("dis", "fgm", "mec")):
        cdf = pycdfpp.load(path)
        for name, variable in cdf.items():
            attrs = {key: attribute.value for key, attribute in variable.attributes.items()}
            assert {"VAR_TYPE", "FIELDNAM"} <= set(attrs), name
            if attrs["VAR_TYPE"] != "metadata":
                assert {"FILLVAL", "UNITS", "CATDESC", "VALIDMIN", "VALIDMAX"} <= set(attrs), name
            pointers = ("DEPEND_", "LABL_PTR_", "DELTA_")
            assert {v for k, v in attrs.items() if k.startswith(pointers)} <= set(cdf), name


def test_the_time_tag_of_a_distribution_is_the_begin_of_its_accumulation(archive):
    out, _ = archive
    cdf = pycdfpp.load(files(out, "dis")[0])
    begin = pycdfpp.to_datetime64(cdf["Epoch"])
    truth = load_truth(out)["time"].values[: begin.size]
    assert (truth - begin == np.timedelta64(2_250, "ms")).all()
    assert cdf["Epoch_plus_var"].values[0] == 4.5


def test_the_same_seed_gives_the_same_bytes(archive, tmp_path):
    out, report = archive
    simulate(tmp_path, WHEN)
    for path in report.files:
        assert (tmp_path / path.relative_to(out)).read_bytes() == path.read_bytes(), path.name
    for path in sorted((out / "truth").iterdir()):
        assert (tmp_path / "truth" / path.name).read_bytes() == path.read_bytes(), path.name


def test_another_seed_gives_another_mission(archive, tmp_path):
    out, _ = archive
    piece = Interval(WHEN.start, WHEN.start + 20 * SECOND)
    simulate(tmp_path, piece, seed=2)
    ours, theirs = load_truth(out), load_truth(tmp_path)
    assert not np.isclose(ours["density"][0], theirs["density"][0], rtol=1e-3)


@pytest.mark.parametrize("name", ["sim.ion.vdf", "sim.fgm.b", "sim.fgm.b_dbcs", "sim.mec.position"])
def test_a_piece_simulated_alone_holds_what_the_whole_holds(archive, tmp_path, name):
    out, _ = archive
    piece = Interval(WHEN.start + 71 * SECOND, WHEN.start + 133 * SECOND)
    simulate(tmp_path, piece)
    part = read(tmp_path, name, piece)
    whole = read(out, name, WHEN).sel(time=part["time"])
    assert part.sizes["time"] > 0
    xr.testing.assert_identical(part, whole)


def test_files_overlap_and_end_off_the_grid(archive):
    out, _ = archive
    first, second = (pycdfpp.to_datetime64(pycdfpp.load(p)["Epoch"]) for p in files(out, "dis"))
    assert np.intersect1d(first, second).size == simulation._OVERLAP_RECORDS
    assert second[0] < first[-1] < second[-1]
    assert int(second[0].astype(np.int64)) % (30 * MINUTE) > MINUTE


def test_stretches_cover_an_interval():
    interval = Interval(1_234, 98_765)
    pieces = list(stretches(interval, 10_000, 300))
    assert pieces[0].start == interval.start
    assert pieces[-1].stop == interval.stop
    for a, b in pairwise(pieces):
        assert a.stop - b.start == min(300, interval.stop - b.start)


def test_the_ordinary_adapters_read_the_declared_datasets(archive):
    out, _ = archive
    ordinary = ("sim.ion.vdf", "sim.fgm.b", "sim.fgm.b_dbcs", "sim.mec.position")
    for dataset in sim.mission.datasets:
        if dataset.name in ordinary:
            ds = read(out, dataset.name, WHEN)
            dataset.gives.check(ds, dataset.name)
            step = ds["time"].values[1] - ds["time"].values[0]
            assert abs(ds["time"].values[0] - WHEN.slice64[0]) <= step


def test_moments_of_the_files_are_the_truth(archive):
    out, _ = archive
    found = moments(read(out, "sim.ion.vdf", WHEN))
    rows = {e.region: e for e in compare(found, load_truth(out))}
    assert rows["all"].records == 42 - int(read(out, "sim.ion.vdf", WHEN).sizes["time"] < 42)
    for row in rows.values():
        assert row.density < 0.02
        assert row.velocity < 5
        assert row.temperature < 0.02


def test_the_field_of_both_frames_has_the_same_length_and_few_gaps(archive):
    out, _ = archive
    gse, dbcs = (read(out, f"sim.fgm.{name}", WHEN)["vector"].values for name in ("b", "b_dbcs"))
    assert len(gse) == 16 * 190
    assert np.isnan(gse).any(axis=1).sum() <= 1
    assert np.linalg.norm(gse, axis=1) == pytest.approx(np.linalg.norm(dbcs, axis=1), nan_ok=True)
    assert np.nanmax(np.abs(gse - dbcs)) > 0.1


def test_a_sample_of_the_field_is_missing_now_and_then(tmp_path):
    interval = Interval(WHEN.start, WHEN.start + 11 * MINUTE)
    simulate(tmp_path, interval, cadence="1min")
    field = read(tmp_path, "sim.fgm.b", interval)["vector"].values
    missing = np.isnan(field)
    assert 1 <= missing.all(axis=1).sum() == missing.any(axis=1).sum() <= 2


def test_a_second_call_writes_nothing(archive):
    out, report = archive
    before = {p: p.stat().st_mtime_ns for p in report.files}
    again = simulate(out, WHEN)
    assert again.reused
    assert again.files == report.files
    assert again.distributions == report.distributions
    assert {p: p.stat().st_mtime_ns for p in again.files} == before


def test_a_lost_file_is_made_again(tmp_path):
    piece = Interval(WHEN.start, WHEN.start + 15 * SECOND)
    report = simulate(tmp_path, piece)
    content = report.files[0].read_bytes()
    report.files[0].unlink()
    assert not simulate(tmp_path, piece).reused
    assert report.files[0].read_bytes() == content


def test_intervals_of_one_simulation_share_a_folder(tmp_path):
    middle = WHEN.start + 20 * SECOND
    simulate(tmp_path, Interval(WHEN.start, middle))
    simulate(tmp_path, Interval(middle, middle + 20 * SECOND))
    time = load_truth(tmp_path)["time"].values
    assert (np.diff(time) == np.timedelta64(4_500, "ms")).all()
    assert simulate(tmp_path, Interval(WHEN.start, middle)).reused


def test_a_folder_with_another_simulation_is_refused(archive):
    out, _ = archive
    with pytest.raises(UsageError, match=r"another simulation .*world"):
        simulate(out, WHEN, seed=2)


def test_unknown_compression_and_cadence_are_refused(tmp_path):
    with pytest.raises(UsageError, match="not a compression"):
        simulate(tmp_path, WHEN, compression="zip")
    with pytest.raises(UsageError, match="no distribution is made in 1h"):
        simulate(tmp_path, WHEN, cadence="1h")
    assert list(tmp_path.iterdir()) == []


def test_compressed_files_hold_the_same_numbers(archive, tmp_path):
    out, _ = archive
    piece = Interval(WHEN.start, WHEN.start + 30 * SECOND)
    report = simulate(tmp_path, piece, compression="gzip1")
    assert report.size < 7 * (2 * 65_536)
    part = read(tmp_path, "sim.ion.vdf", piece)
    xr.testing.assert_identical(part, read(out, "sim.ion.vdf", WHEN).sel(time=part["time"]))


def test_the_truth_holds_the_crossings_of_the_interval(archive):
    out, report = archive
    wanted = crossings(World(), WHEN)
    assert report.crossings == wanted
    read_back = load_crossings(out)
    assert [(c.time, c.kind, c.sense) for c in read_back] == [
        (c.time, c.kind, c.sense) for c in wanted
    ]
    truth = load_truth(out)
    assert [c.sense for c in wanted] == ["out", "in"]
    assert truth["crossing_kind"].values.tolist() == [c.kind for c in wanted]
    assert truth.sizes["time"] == 42


def test_a_folder_without_truth_says_how_to_make_it(tmp_path):
    with pytest.raises(UsageError, match=r"python -m sciqlop_missions\.sim"):
        load_truth(tmp_path)


def test_errors_are_medians_of_what_can_be_compared(archive):
    out, _ = archive
    truth = load_truth(out)
    off = xr.Dataset(
        {
            "density": truth["density"] * 1.1,
            "velocity": truth["velocity"] + xr.DataArray([3.0, 4.0, 0.0], dims="component"),
            "temperature": truth["temperature"] * 0.8,
        }
    )
    off["velocity"].attrs["frame"] = "DBCS"
    off["density"][3] = np.nan
    *_, whole = compare(off, truth)
    assert whole.records == truth.sizes["time"] - 1
    assert (whole.density, whole.velocity, whole.temperature) == pytest.approx((0.1, 5.0, 0.2))
    off["velocity"].attrs["frame"] = "GSM"
    with pytest.raises(UsageError, match="frame 'GSM'"):
        compare(off, truth)
    with pytest.raises(UsageError, match="share no time"):
        compare(off.assign_coords(time=off["time"] + np.timedelta64(1, "D")), truth)


def test_found_crossings_are_matched_one_to_one():
    truth = [Crossing(t * SECOND, "bow_shock", "out", 50.0) for t in (100, 130, 900)]
    time = np.array([101, 104, 2_000, 500], "datetime64[s]").astype("datetime64[ns]")
    rows = score_crossings(time, ["bow_shock"] * 3 + ["magnetopause"], truth)
    shock = next(r for r in rows if r.kind == "bow_shock")
    assert (shock.true, shock.found, shock.matched) == (3, 3, 2)
    assert shock.precision == shock.recall == pytest.approx(2 / 3)
    assert shock.timing == pytest.approx((1 + 26) / 2)
    other = next(r for r in rows if r.kind == "magnetopause")
    assert (other.precision, other.recall) == (0, 0)
    assert score_crossings(time[:0], [], []) == ()


def test_the_command_writes_an_archive_and_reports(tmp_path, capsys):
    arguments = ["--out", str(tmp_path), "--start", "2030-01-01T02:00", "--hours", "0.005"]
    assert main(arguments) == 0
    assert "4 distributions" in capsys.readouterr().out
    assert main([*arguments, "--seed", "9"]) == 2
    assert "another simulation" in capsys.readouterr().err


def test_burst_cadence_makes_short_files(tmp_path):
    interval = Interval(WHEN.start, WHEN.start + 3 * SECOND)
    report = simulate(tmp_path, interval, cadence="150ms")
    assert report.distributions == 20
    ds = read(tmp_path, "sim.ion.vdf", interval)
    assert set(np.diff(ds["time"].values)) == {np.timedelta64(150, "ms")}


def test_files_of_slow_distributions_are_no_longer_than_the_mission_says(tmp_path):
    """Or whoever wants a granule in the middle of one would not open it."""
    whole = Interval.of("2030-01-01", "2030-01-01T02:00")
    simulate(tmp_path, whole, cadence="1min")
    source = next(d for d in sim.mission.datasets if d.name == "sim.ion.vdf").source
    for path in files(tmp_path, "dis"):
        with open_cdf(path) as cdf:
            time = source.adapter(cdf)["time"].values
        assert time[-1] - time[0] < np.timedelta64(48, "m")
    assert len(files(tmp_path, "dis")) > 1
