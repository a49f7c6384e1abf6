"""A picture per day, orbit or event; nothing is drawn twice, nothing stops the others."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import HOUR, Interval, instant
from sciqlop_pipe.publish import batch
from sciqlop_pipe.publish.batch import draw_all, gallery, orbits, perigees, sheets
from sciqlop_pipe.publish.picture import ticks
from tests.serial import Bench
from tests.toy import DAY, toy_graph

GRAPH = toy_graph(level=1.0)
DAYS = DAY.padded(DAY.stop - DAY.start)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bench = Bench(tmp_path_factory.mktemp("ready"))
    bench.files(0, 1)
    bench.run("toy.double", "toy.rises", graph=GRAPH)
    return bench.folder


@pytest.fixture
def made(ready: Path, tmp_path: Path) -> Bench:
    shutil.copytree(ready, tmp_path, dirs_exist_ok=True)
    return Bench(tmp_path)


def draw(bench: Bench, *names: str, each: str = "day") -> list[tuple[str, str]]:
    with bench.store() as store:
        wanted = sheets(store, names, DAYS, each)
        return [(d.path.name, d.state) for d in draw_all(store, wanted, bench.folder / "ql")]


def written(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is written, and not when it is read."""
    said = path.stat()
    return said.st_ino, said.st_size, said.st_mtime_ns, said.st_ctime_ns


def test_a_picture_per_day_is_drawn_once_until_what_it_shows_changes(made: Bench) -> None:
    assert draw(made, "toy.double", "toy.rises") == [
        ("2029-12-31.png", "empty"), ("2030-01-01.png", "new"), ("2030-01-02.png", "empty"),
    ]  # fmt: skip
    picture = made.folder / "ql/2030-01-01.png"
    before = written(picture)
    assert draw(made, "toy.double", "toy.rises")[1] == ("2030-01-01.png", "same")
    assert written(picture) == before
    made.file(2)
    made.run("toy.double", graph=GRAPH)
    assert draw(made, "toy.double", "toy.rises")[1] == ("2030-01-01.png", "changed")
    page = gallery(made.folder / "ql", "toy").read_text()
    assert page.count("<img") == 1 and 'href="2030-01-01.png"' in page


def test_a_picture_per_event_is_named_by_it(made: Bench) -> None:
    ((name, state),) = draw(made, "toy.rises", "toy.double", each="event")
    assert state == "new" and name.startswith("20300101T00") and "_rise_" in name
    with made.store() as store, pytest.raises(UsageError, match="no events among"):
        sheets(store, ["toy.double"], DAYS, "event")


def test_one_picture_that_fails_does_not_stop_the_others(
    made: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = batch.draw_interval

    def sometimes(store, datasets, interval, *rest, **more) -> None:
        if interval.start == DAY.start:
            raise OSError(28, "No space left on device")
        real(store, datasets, interval, *rest, **more)

    monkeypatch.setattr(batch, "draw_interval", sometimes)
    with made.store() as store:
        wanted = sheets(store, ["toy.double"], Interval(DAY.start, DAY.start + 2 * HOUR), "1h")
        found = list(draw_all(store, wanted, made.folder / "ql"))
    assert [d.state for d in found] == ["failed", "new"] and "No space" in found[0].error


def test_other_words_for_each_are_refused_with_the_near_one(made: Bench) -> None:
    with made.store() as store:
        with pytest.raises(UsageError, match="Did you mean orbit"):
            sheets(store, ["toy.double"], DAYS, "orbits")
        with pytest.raises(UsageError, match="no position of this spacecraft"):
            sheets(store, ["toy.double"], DAYS, "orbit")


def test_perigees_are_found_in_spite_of_wiggles_and_gaps() -> None:
    phase = np.linspace(0.5, 6 * np.pi + 0.5, 2000)
    distance = 40000 - 30000 * np.cos(phase) + 100 * np.sin(57 * phase)
    distance[300:320] = np.nan
    at = phase[perigees(distance)] / (2 * np.pi)
    np.testing.assert_allclose(at, [1, 2, 3], atol=0.02)
    assert perigees(np.full(100, 1.5e8)) == [] == perigees(np.arange(100.0))


def test_orbits_go_from_perigee_to_perigee(made: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import xarray as xr

    time = np.datetime64("2030-01-01", "ns") + np.arange(0, 72 * 60) * np.timedelta64(1, "m")
    far = 40000 - 30000 * np.cos(2 * np.pi * np.arange(time.size) / (24 * 60) + 1)
    where = np.stack([far, 0 * far, 0 * far], -1)
    ds = xr.Dataset({"position": (("time", "component"), where)}, coords={"time": time})
    with made.store() as store:
        monkeypatch.setattr(type(store), "read", lambda *_: ds)
        found = orbits(store, "x", Interval(instant("2030-01-01"), instant("2030-01-04")))
    assert len(found) == 4 and found[1][0].startswith("orbit_20300101T20")
    assert abs((found[1][1].stop - found[1][1].start) / HOUR - 24) < 0.1


@pytest.mark.parametrize("minutes", [2, 7, 10.5, 25, 47, 100, 400, 1440, 5000])
def test_every_axis_has_enough_ticks(minutes: float) -> None:
    a = instant("2015-12-01T09:06:02.5")
    assert 4 <= ticks(Interval(a, a + round(minutes * 6e10))).size <= 11


def test_the_flow_draws_and_says_what_failed(made: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("prefect", reason="flows need the extra `flows`")
    from flows import quicklook as module
    from flows.where import Span, Where

    told: list[object] = []
    monkeypatch.setattr(module, "create_table_artifact", lambda table, key: told.append(table))
    where = Where(store=str(made.folder / "store"))
    span = Span(start="2030-01-01", stop="2030-01-02")
    module.quicklook.fn(["toy.double"], str(made.folder / "ql"), "day", where, span)
    assert told == [[{"new": 1}]] and (made.folder / "ql/index.html").exists()

    def full(*_: object, **__: object) -> None:
        raise OSError("full")

    monkeypatch.setattr(batch, "draw_interval", full)
    (made.folder / "ql/2030-01-01.png").unlink()
    with pytest.raises(module.NotDrawn, match="full"):
        module.quicklook.fn(["toy.double"], str(made.folder / "ql"), "day", where, span)
