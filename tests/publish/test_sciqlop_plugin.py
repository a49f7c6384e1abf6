"""What SciQLOP gets from us: products with knobs, catalogs to judge, sources of distributions."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import types
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest

from sciqlop_pipe import datatypes
from sciqlop_pipe.catalog import load_catalog
from sciqlop_pipe.datatype import DataType
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import Granule, Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.publish import sciqlop_products, sciqlop_vdf
from sciqlop_pipe.publish.sciqlop_catalogs import Shown, names, saved, shown
from sciqlop_pipe.publish.sciqlop_plugin import variable_of
from sciqlop_pipe.publish.sciqlop_products import products, quiet
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.events import verdicts
from sciqlop_pipe.store.granules import new_uid, write_granule
from sciqlop_pipe.store.layout import content_hash, layout_of
from sciqlop_pipe.store.records import Event, Record
from sciqlop_pipe.store.statements import edits
from tests import builders
from tests.ledger import commit, event, found

SPAN = Interval.of("2020-11-19", "2020-11-20")
T0 = instant(builders.START) / 1e9


def put(store: Store, name: str, ds, datatype: DataType) -> None:
    content = content_hash(ds)
    granule = Granule(name, SPAN)
    uid = new_uid(content)
    made = write_granule(store.root, granule, uid, ds, datatype, {}, durable=False)
    time = ds["time"].values.astype("i8")
    record = Record(
        granule, uid, content, content, time.size, int(time[0]), int(time[-1]), made.path,
        made.nbytes, layout_of(ds), f"by_hand@1 {datatype.name}@1", 1, "{}", "key",
    )  # fmt: skip
    store.registry.commit([record], "run")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", create=True, durable=False) as opened:
        vdf = builders.vdf(builders.times(5), frame="GSE")
        put(opened, "x.dis.vdf", vdf, datatypes.VDF)
        put(opened, "x.fgm.b", builders.vector_series(), datatypes.VectorSeries)
        yield opened


def offered(store: Store) -> dict[str, sciqlop_products.KnobProduct]:
    return {p.path: p for p in products(str(store.root), store, Graph.of([]))}


def test_what_is_offered_follows_from_what_the_store_has(store: Store) -> None:
    assert sorted(offered(store)) == [
        "pipe with knobs//x//dis//vdf//angle spectrum",
        "pipe with knobs//x//dis//vdf//energy spectrum",
        "pipe with knobs//x//fgm//b//in frame",
    ]


def test_knobs_change_what_is_computed(store: Store) -> None:
    energy = offered(store)["pipe with knobs//x//dis//vdf//energy spectrum"].compute
    f = energy(T0 - 1, T0 + 60, quantity="f")
    assert f.time.shape == (5,) and f.values.shape == (5, 16) and f.axis.shape[-1] == 16
    assert (f.units, f.axis_units, f.logarithmic) == ("s^3 m^-6", "eV", True)
    np.testing.assert_allclose(f.values, 1e-13, rtol=1e-5)
    assert energy(T0 - 1, T0 + 60, quantity="def").values.mean() > 1e3
    angles = offered(store)["pipe with knobs//x//dis//vdf//angle spectrum"].compute
    assert angles(T0 - 1, T0 + 60, angle="phi", bins=8).values.shape == (5, 8)
    few = angles(T0 - 1, T0 + 60, energy_min=1e3, quantity="f").values
    assert few.shape == (5, 16)


def test_a_vector_is_turned_into_the_frame_that_is_chosen(store: Store) -> None:
    turn = offered(store)["pipe with knobs//x//fgm//b//in frame"].compute
    gse, gsm = (turn(T0 - 1, T0 + 600, frame=f).values for f in ("GSE", "GSM"))
    np.testing.assert_allclose(gse[:, 0], gsm[:, 0], atol=1e-3)
    assert np.abs(gse[:, 1] - gsm[:, 1]).max() > 0.1
    np.testing.assert_allclose((gse**2).sum(1), (gsm**2).sum(1), rtol=1e-4)


def test_speasy_gets_units_and_scales(store: Store) -> None:
    product = offered(store)["pipe with knobs//x//dis//vdf//energy spectrum"]
    made = variable_of(product, product.compute(T0 - 1, T0 + 60))
    assert made.values.shape == (5, 16) and made.unit.startswith("eV")
    assert made.axes[1].unit == "eV" and made.axes[1].meta["SCALETYP"] == "log"
    assert str(made.time[0]).startswith("2020-11-19T23:34:00")


def test_no_data_is_none_and_too_much_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    energy = offered(store)["pipe with knobs//x//dis//vdf//energy spectrum"]
    assert energy.compute(0.0, 60.0) is None
    monkeypatch.setattr(sciqlop_products, "MOST", 3)
    with pytest.raises(UsageError, match="too many at once"):
        energy.compute(T0 - 1, T0 + 60)
    told: list[str] = []
    assert quiet(energy, told.append)(T0 - 1, T0 + 60) is None and "Zoom in" in told[0]


def test_judging_in_sciqlop_comes_back(store: Store) -> None:
    commit(store, found([event(1), event(5), event(9)]))
    assert names(store) == ["toy.events"]
    catalog = load_catalog(store, "toy.events")
    rows = shown(catalog)
    assert not saved(store, "toy.events", rows, "ada").added.verdicts
    first, second, third = rows
    first.meta.update(verdict="reject", comment="noise")
    moved = Shown(second.id, second.start, second.stop + dt.timedelta(seconds=7), second.meta)
    third.meta["jump"] = 2.5
    new = Shown("0f3a92c0-0000-4000-8000-000000000000", first.start, second.stop, {})
    made = saved(store, "toy.events", [first, moved, third, new], "ada")
    assert (made.added.verdicts, made.added.edits) == (3, 1)
    by_event, lost = verdicts(store.registry.db, "toy.events")
    assert [v.verdict for v in by_event[first.id]] == ["reject"]
    assert [v.verdict for v in by_event[second.id]] == ["moved"]
    assert [v.verdict for v in lost] == ["missed"]
    assert [(e.name, e.value) for e in edits(store.registry.db, "toy.events")] == [("jump", "2.5")]
    assert load_catalog(store, "toy.events").events == catalog.events


def test_nanoseconds_that_sciqlop_cannot_hold_are_no_move(store: Store) -> None:
    odd = event(1)
    odd = Event(odd.id, odd.kind, odd.start + 123, odd.stop + 7, odd.attributes)
    commit(store, found([odd]))
    rows = shown(load_catalog(store, "toy.events"))
    made = saved(store, "toy.events", rows, "ada")
    assert made.verdicts == () and made.edits == ()


def test_the_viewer_of_distributions_is_given_every_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[object, ...]] = []
    viewer = types.ModuleType("sciqlop_vdf.registry")
    viewer.register_source = lambda *a: taken.append(a)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sciqlop_vdf", types.ModuleType("sciqlop_vdf"))
    monkeypatch.setitem(sys.modules, "sciqlop_vdf.registry", viewer)
    monkeypatch.setattr(
        "sciqlop_pipe.publish.speasy_provider.configured", lambda: (str(store.root), True)
    )
    sciqlop_vdf.register()
    ((key, label, factory, group, tags),) = taken
    assert (key, label, group, tags) == (
        "pipe/x.dis.vdf",
        "X DIS vdf",
        "SciQLOP Pipe",
        ("X", "DIS"),
    )
    batch = factory().get(T0 - 1, T0 + 60)
    assert len(batch) == 5 and batch.f.shape == (5, 8, 4, 16)


def test_the_entry_points_are_declared() -> None:
    for group in ("sciqlop.plugins", "sciqlop_vdf.sources"):
        assert [p.value for p in entry_points(group=group) if p.name == "pipe"], group


@pytest.mark.system
@pytest.mark.timeout(900)
def test_sciqlop_itself_shows_a_product_and_saves_a_verdict(
    store: Store, sciqlop: Path, tmp_path: Path
) -> None:
    commit(store, found([event(1), event(5)]))
    script = Path(__file__).with_name("sciqlop_with_plugin.py")
    words = [
        str(store.root),
        str(tmp_path / "lab"),
        "x.dis.vdf",
        "2020-11-19T23:34",
        "2020-11-19T23:35",
    ]
    done = subprocess.run(
        [str(sciqlop), str(script), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen == {
        "plugin": True, "node": True, "catalogs": ["SciQLOP Pipe//toy//events"],
        "plot": "ColorMap", "saved": True,
    }  # fmt: skip
    by_event, _ = verdicts(store.registry.db, "toy.events")
    assert sorted(v.verdict for vs in by_event.values() for v in vs) == ["moved", "reject"]
