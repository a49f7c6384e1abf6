from __future__ import annotations

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pycdfpp
import pytest
import xarray as xr

from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.publish.istp import files
from sciqlop_pipe.publish.istp.decode import from_cdf
from sciqlop_pipe.publish.istp.encode import to_cdf
from sciqlop_pipe.publish.istp.facts import Facts, Names, Provenance
from sciqlop_pipe.publish.istp.files import Made, publish
from sciqlop_pipe.publish.istp.listing import describe
from sciqlop_pipe.store import staging
from tests.serial import Bench
from tests.toy import DAY, doubled_anew, toy_graph

NEXT = DAY.padded(0, DAY.stop - DAY.start)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bench = Bench(tmp_path_factory.mktemp("ready"))
    bench.files(0, 1, 23)
    bench.run("toy.double", "toy.rises")
    return bench.folder


@pytest.fixture
def made(ready: Path, tmp_path: Path) -> Bench:
    shutil.copytree(ready, tmp_path, dirs_exist_ok=True)
    return Bench(tmp_path)


def go(bench: Bench, **options: object) -> list[Made]:
    graph = options.pop("graph", toy_graph())
    with bench.store() as store:
        return list(publish(store, graph, "toy.double", NEXT, bench.folder / "cdf", **options))


def names(bench: Bench) -> list[str]:
    return sorted(p.name for p in (bench.folder / "cdf").rglob("*.cdf"))


def test_a_day_is_one_file_with_what_the_store_has(made: Bench) -> None:
    (day,) = go(made)
    assert day.state == "new" and day.records == 180
    assert day.path == made.folder / "cdf/toy/double/2030/toy_pipe_double_20300101_v1.0.0.cdf"
    with made.store() as store:
        xr.testing.assert_identical(
            from_cdf(day.path).drop_indexes("time"),
            store.read("toy.double").load().drop_indexes("time"),
        )


def test_the_same_content_is_the_same_file(made: Bench) -> None:
    (first,) = go(made)
    before = first.path.stat()
    (again,) = go(made)
    assert again.state == "same" and again.path == first.path
    after = first.path.stat()  # the time of reading may differ
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert names(made) == [first.path.name]


def test_new_content_is_the_next_version_and_the_old_file_stays(made: Bench) -> None:
    (first,) = go(made)
    old = first.path.read_bytes()
    made.file(2)
    made.run("toy.double")
    (second,) = go(made)
    assert second.state == "version" and second.path.name.endswith("_v1.0.1.cdf")
    assert first.path.read_bytes() == old and from_cdf(second.path).sizes["time"] == 240


def test_a_new_recipe_version_leads_and_versions_never_go_back(made: Bench) -> None:
    go(made)
    newer = toy_graph(doubling=doubled_anew)
    made.run("toy.double", graph=newer, stage="trial")
    with made.store() as store:
        staging.publish(store.registry, "trial")
    assert go(made, graph=newer)[0].path.name.endswith("_v2.0.0.cdf")
    with made.store() as store:
        staging.rollback(store.registry, "trial")
    back = go(made)[0]
    assert back.state == "version" and back.path.name.endswith("_v2.0.1.cdf")


def test_short_pieces_are_named_by_the_second(made: Bench) -> None:
    pieces = go(made, split="1h")
    assert [p.path.name for p in pieces] == [
        f"toy_pipe_double_20300101{h:02d}0000_v1.0.0.cdf" for h in (0, 1, 23)
    ]
    assert sum(p.records for p in pieces) == 180


def test_a_release_is_published_as_it_was(made: Bench) -> None:
    with made.store() as store:
        staging.make_release(store.registry, "one")
    made.file(2)
    made.run("toy.double")
    (then,) = go(made, as_of="one")
    found = from_cdf(then.path)
    assert found.sizes["time"] == 180
    assert list(pycdfpp.load(str(then.path)).attributes["Pipe_release"]) == ["one"]


def test_a_damaged_file_is_replaced_by_a_newer_version(made: Bench) -> None:
    (first,) = go(made)
    first.path.write_bytes(first.path.read_bytes()[:200])
    (second,) = go(made)
    assert second.state == "version" and from_cdf(second.path).sizes["time"] == 180


def test_a_crash_while_writing_leaves_no_file(made: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    (failed,) = go(made)
    assert failed.state == "failed" and "No space left" in failed.error
    assert [p for p in (made.folder / "cdf").rglob("*") if p.is_file()] == []
    monkeypatch.undo()
    assert go(made)[0].state == "new"


def test_several_who_publish_at_once_make_one_file(made: Bench) -> None:
    with ThreadPoolExecutor(4) as pool:
        states = [r[0].state for r in pool.map(lambda _: go(made), range(4))]
    assert states.count("new") == 1 and states.count("same") == 3
    assert names(made) == ["toy_pipe_double_20300101_v1.0.0.cdf"]


def test_two_datasets_whose_names_collide_are_told_apart(made: Bench) -> None:
    assert Names.of("toy.b_c.d") == Names.of("toy.b-c.d")
    (first,) = go(made)
    other = to_cdf(from_cdf(first.path), Facts("toy.other", "X"), Provenance("x", 0), "a", "1.0.0")
    first.path.write_bytes(other)
    (refused,) = go(made)
    assert refused.state == "failed" and "holds toy.other" in refused.error


def test_events_are_sent_to_catalogs(made: Bench) -> None:
    with made.store() as store, pytest.raises(UsageError, match="catalog export"):
        list(publish(store, toy_graph(), "toy.rises", DAY, made.folder / "cdf"))
    with made.store() as store:
        assert files.selected(store, ["toy.*"]) == ["toy.double", "toy.raw"]


def test_the_tree_lists_itself(made: Bench) -> None:
    go(made)
    made.file(2)
    made.run("toy.double")
    go(made)
    root = made.folder / "cdf"
    with made.store() as store:
        assert describe(store, toy_graph(), root, "https://example.org/cdf/") == 2
    rows = json.loads((root / "files.json").read_text())
    assert [r["version"] for r in rows] == ["1.0.0", "1.0.1"]
    assert {r["dataset"] for r in rows} == {"toy.double"}
    page = (root / "toy/double/2030/index.html").read_text()
    assert re.findall(r'href="([A-Za-z0-9-_./]+)">', page) == [
        "../",
        *(Path(r["path"]).name for r in rows),
    ]
    entry = (root / "speasy.yaml").read_text()
    assert '"https://example.org/cdf/toy/double/{Y}/toy_pipe_double_{Y}{M:02d}{D:02d}_v' in entry
    master = from_cdf(root / "masters/toy_pipe_double_00000000_v01.cdf")
    assert master.sizes["time"] == 0 and np.issubdtype(master["value"].dtype, np.floating)
