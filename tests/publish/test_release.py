"""A release is the same for ever, in the store and out of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from sciqlop_pipe.catalog import load_catalog
from sciqlop_pipe.errors import UnknownName, UsageError
from sciqlop_pipe.publish.release.export import export
from sciqlop_pipe.publish.release.manifest import create, facts_of
from sciqlop_pipe.publish.release.verify import verify, verify_folder
from sciqlop_pipe.store.events import Verdict, add_verdict
from sciqlop_pipe.store.garbage import collect, find_garbage
from sciqlop_pipe.store.releases import find_release
from sciqlop_pipe.store.staging import make_release
from tests.serial import Bench
from tests.toy import toy_graph

GRAPH = toy_graph(level=1.0)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bench = Bench(tmp_path_factory.mktemp("ready"))
    bench.files(0, 1, 2)
    bench.run("toy.double", "toy.rises", graph=GRAPH)
    with bench.store() as store:
        event = load_catalog(store, "toy.rises").events[0]
        add_verdict(store.registry.db, Verdict(event.id, "toy.rises", "ada", "accept"))
        create(store, GRAPH, "v1")
    return bench.folder


@pytest.fixture
def released(ready: Path, tmp_path: Path) -> Bench:
    shutil.copytree(ready, tmp_path, dirs_exist_ok=True)
    return Bench(tmp_path)


def change_everything(bench: Bench) -> None:
    """Reprocess with other numbers, say more of events, and collect all garbage."""
    with bench.store() as store:
        event = load_catalog(store, "toy.rises").events[0]
        add_verdict(store.registry.db, Verdict(event.id, "toy.rises", "bob", "reject"))
    bench.files(0, 1, 2, 3, version="2", offset=0.25)
    bench.run("toy.double", "toy.rises", graph=GRAPH)
    with bench.store() as store:
        collect(store, find_garbage(store, "0s"))


def test_the_manifest_says_what_there_is_and_whom_to_thank(released: Bench) -> None:
    with released.store() as store:
        facts = facts_of(find_release(store.registry.db, "v1"))
    assert list(facts["datasets"]) == ["toy.double", "toy.raw"] and list(facts["catalogs"]) == [
        "toy.rises"
    ]
    double = facts["datasets"]["toy.double"]
    assert double["records"] == 180 and len(double["granules"]) == 3
    assert double["code"] == ["doubled@1 ScalarSeries@1"] and double["params"] == [
        '{"factor": 2.0}'
    ]
    assert len(facts["inputs"]) == 3 and facts["software"].startswith("SciQLOP Pipe")
    assert facts["credits"]["missions"][0]["name"] == "toy" and len(facts["digest"]) == 32


def test_reading_as_of_a_release_is_exact_for_ever(released: Bench) -> None:
    with released.store() as store:
        before = store.read("toy.double", as_of="v1").load()
        events = load_catalog(store, "toy.rises", as_of="v1")
    change_everything(released)
    with released.store() as store:
        assert store.read("toy.double", as_of="v1").load().identical(before)
        assert not store.read("toy.double").load().identical(before)
        again = load_catalog(store, "toy.rises", as_of="v1")
        assert again == events and [v.author for vs in again.verdicts.values() for v in vs] == [
            "ada"
        ]
        assert list(verify(store, "v1")) == []


def test_a_changed_lost_or_forged_piece_is_found(released: Bench) -> None:
    with released.store() as store:
        rows = store.registry.current("toy.double")
        first, second = (store.root / (r.path or "") for r in rows[:2])
        data = bytearray(first.read_bytes())
        data[len(data) // 2] ^= 1
        first.write_bytes(data)
        second.unlink()
        found = list(verify(store, "v1"))
        assert len(found) == 2 and "is gone" in found[1]
        assert len(list(verify(store, "v1", content=False))) == 1


def test_models_of_every_kind_are_verified_and_a_damaged_one_is_named(bench: Bench) -> None:
    pytest.importorskip("skops")
    from sciqlop_pipe.detect.promoted import promoted_models, shipped

    bench.files(17)
    assert bench.run("toy.raw").status == 0
    with bench.store() as store:
        paths = {n: path for n, (_, path) in promoted_models(store, shipped()).items()}
        assert {"icme", "regions", "plasma_regions"} <= set(paths)
        create(store, GRAPH, "v1")
        assert list(verify(store, "v1")) == []
        (store.root / paths["icme"] / "model.skops").write_bytes(b"no model")
        assert [p for p in verify(store, "v1") if not p.startswith("model icme")] == []
        assert len(list(verify(store, "v1"))) == 1


def test_a_name_is_given_once_and_has_to_be_one(released: Bench) -> None:
    with released.store() as store:
        for name, said in (
            ("v1", "already"),
            ("../x", "no name"),
            ("", "no name"),
            (".a", "no name"),
        ):
            with pytest.raises(UsageError, match=said):
                create(store, GRAPH, name)
        with pytest.raises(UnknownName, match=r"Did you mean toy\.double"):
            create(store, GRAPH, "v2", ["toy.doubel"])
        with pytest.raises(UnknownName, match="There are: v1"):
            find_release(store.registry.db, "other")


def test_a_release_whose_making_died_is_completed(released: Bench) -> None:
    with released.store() as store:
        tx = make_release(store.registry, "half")
        with pytest.raises(UsageError, match="completes it"):
            list(verify(store, "half"))
        made = create(store, GRAPH, "half", ["toy.double"])
        assert made.tx == tx and list(facts_of(made)["datasets"]) == ["toy.double"]
        assert list(verify(store, "half")) == []


PLAIN = """
import sys, json, warnings
sys.path.append(sys.argv[2])
try:
    import sciqlop_pipe
    sys.exit("it can be imported")
except ImportError:
    pass
import xarray as xr
warnings.simplefilter("ignore")  # our entry point is still listed there and cannot be loaded
ds = xr.open_zarr(sys.argv[1] + "/data.zarr", group="toy/double")
print(json.dumps([ds.sizes["time"], float(ds.value.sum()), str(ds.time.values[0]), ds.value.attrs["units"]]))
"""


def test_an_export_opens_without_our_package(released: Bench) -> None:
    folder = released.folder / "out"
    with released.store() as store:
        count = export(store, "v1", folder)
        want = store.read("toy.double", as_of="v1").load()
    site = sysconfig.get_paths()["purelib"]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PLAIN, str(folder), site], cwd=released.folder,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    n, total, first, units = json.loads(done.stdout.splitlines()[-1])
    assert (n, first, units) == (180, str(want["time"].values[0]), "nT")
    assert total == pytest.approx(float(want["value"].sum()), rel=1e-12)
    names = {p.name for p in folder.rglob("*") if p.is_file()}
    assert {"README.md", "CITATION.txt", "manifest.json", "SHA256SUMS", "toy.rises.xml"} <= names
    assert "toy" in (folder / "CITATION.txt").read_text()
    assert sum(p.is_file() for p in folder.rglob("*")) == count


def test_an_export_is_whole_or_not_there(released: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from sciqlop_pipe.publish.release import export as module

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    folder = released.folder / "out"
    with released.store() as store:
        monkeypatch.setattr(module, "to_votable", full)
        with pytest.raises(Exception, match="No space left"):
            export(store, "v1", folder)
        assert not folder.exists() and not list(released.folder.glob(".part-*"))
        monkeypatch.undo()
        export(store, "v1", folder)
        with pytest.raises(UsageError, match="something here already"):
            export(store, "v1", folder)
    assert list(verify_folder(folder)) == []
    (folder / "CITATION.txt").write_text("me")
    (folder / "manifest.json").unlink()
    (folder / "more").write_text("x")
    assert sorted(w.split(" ", 1)[0] for w in verify_folder(folder)) == [
        "CITATION.txt",
        "manifest.json",
        "more",
    ]
