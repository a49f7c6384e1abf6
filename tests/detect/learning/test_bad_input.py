"""Bad input, through the command line: a clear error or a flag, never a confident answer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.detect.event_model import load_event_model
from sciqlop_pipe.detect.learned import learned_events
from sciqlop_pipe.detect.promoted import shipped
from sciqlop_pipe.granule import DAY, Interval, iso
from tests.detect.learning.jets import (
    DATASET,
    FIELD,
    FIRST,
    MODEL,
    MOMENTS,
    WHOLE,
    Taught,
    declared,
    filled,
    listing,
    quickly,
    run,
    sheath,
)

pytest.importorskip("skops", reason="trained models need the extra `detect`")

Windows = Callable[..., Path]


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with declared(monkeypatch), quickly(monkeypatch):
        yield


def spoiled(ds: xr.Dataset) -> xr.Dataset:
    """Return moments with a fill in every hundredth record."""
    made = ds.copy(deep=True)
    for name, fill in (("density", -1e31), ("temperature", 1e31)):
        made[name].values[::100] = fill
    made["velocity"].values[::100] = -1e31
    return made


def constant(ds: xr.Dataset) -> xr.Dataset:
    made = ds.copy(deep=True)
    for name in made.data_vars:
        made[name].values[:] = made[name].values[0]
    return made


def refusals(*cases: tuple[str, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("command", "says"), cases)


# Fills that slipped through


def test_fills_are_no_records_for_what_a_list_teaches(jets: Taught, tmp_path: Path):
    gone = {MOMENTS: lambda ds: ds.isel(time=np.flatnonzero(np.arange(ds.sizes["time"]) % 100))}
    models = []
    for name, how in (("fills", {MOMENTS: spoiled}), ("gone", gone)):
        filled(tmp_path / name, 4, **how)
        run("train", MODEL, "--labels", listing(tmp_path / "jets.csv", jets.truth[:24]), "-o",
            tmp_path / f"{name}-model", "--store", tmp_path / name, *WHOLE)  # fmt: skip
        models.append(load_event_model(tmp_path / f"{name}-model").content)
    assert models[0] == models[1]


def test_fills_in_windows_are_unknown_and_do_not_change_what_is_said(
    windows_file: Windows, tmp_path: Path
):
    with np.load(windows_file()) as data:
        params, flux = data["params"].copy(), data["flux"].copy()
    params[0, 3, :2], flux[1, 5] = (-1e31, 9.9e30), -1e31
    said = []
    for _, change in (("whole", {}), ("fills", {"params": params, "flux": flux})):
        windows_file("w.npz", **change)
        run("evaluate", "regions", "--input", tmp_path / "w.npz", "--json", tmp_path / "o.json")
        said.append(json.loads((tmp_path / "o.json").read_text())["summary"]["macro_f1_6"])
    assert said[0] == said[1]


# Constant channels


def test_a_field_that_never_changes_is_not_used_and_this_is_said(jets: Taught, tmp_path: Path):
    filled(tmp_path / "store", 4, **{FIELD: constant})
    few = listing(tmp_path / "jets.csv", jets.truth[:24])
    said = run("train", MODEL, "--labels", few, "-o", tmp_path / "m", "--store", tmp_path / "store",
               *WHOLE)  # fmt: skip
    assert "b never changes for a while and was not used there" in said
    assert [v.name for v in load_event_model(tmp_path / "m").points.variants] == ["plasma"]
    ions, b, _ = sheath(40)
    span = Interval(FIRST + 40 * DAY, FIRST + 41 * DAY)
    model = load_event_model(jets.folder)
    for e in learned_events(ions, constant(b), dataset=DATASET, interval=span, model=model):
        about = dict(e.attributes)
        assert about["absent"] == "b" and "constant" in about["flags"]


def test_inputs_that_all_never_change_are_refused(jets: Taught, tmp_path: Path):
    filled(tmp_path / "store", 3, **{FIELD: constant, MOMENTS: constant})
    said = run("train", MODEL, "--labels", jets.events, "-o", tmp_path / "m", "--store",
               tmp_path / "store", *WHOLE, fails=True)  # fmt: skip
    assert "a constant is no measurement" in said


def test_a_constant_channel_of_windows_is_refused(windows_file: Windows, tmp_path: Path):
    with np.load(windows_file()) as data:
        params = data["params"].copy()
    params[:, :, 0] = 5.0
    file = windows_file("w.npz", params=params)
    for command in ("train", "evaluate"):
        said = run(command, "regions", "--input", file, fails=True)
        assert "is 5 in all windows: a constant is no measurement" in said


# Missing features


def test_without_an_input_the_poorer_variant_judges_and_the_event_says_so(jets: Taught):
    ions, _, _ = sheath(40)
    span = Interval(FIRST + 40 * DAY, FIRST + 41 * DAY)
    found = learned_events(ions, None, dataset=DATASET, interval=span,
                           model=load_event_model(jets.folder))  # fmt: skip
    assert len(found) >= 4 and {dict(e.attributes)["absent"] for e in found} == {"b"}


def test_data_that_a_model_needs_and_that_are_not_there_are_an_error(
    jets: Taught, windows_file: Windows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert "there is no flux" in run(
        "evaluate", "regions", "--input", windows_file("w.npz", flux=None), fails=True
    )
    with declared(monkeypatch, moments="omni.omni2.1h.plasma"):
        said = run("train", MODEL, "--labels", jets.events, "--store", jets.store, "-o",
                   tmp_path / "m", fails=True)  # fmt: skip
    assert "sciqlop-pipe run omni.omni2.1h.plasma" in said


# Classes absent from training


@pytest.mark.parametrize("how", ["one day", "nothing else"])
def test_a_list_without_both_classes_in_several_groups_is_refused(
    how: str, jets: Taught, tmp_path: Path
):
    few = jets.truth[:6] if how == "one day" else [[FIRST + k * DAY, FIRST + (k + 1) * DAY - 1]
                                                  for k in range(6)]  # fmt: skip
    said = run("train", MODEL, "--labels", listing(tmp_path / "l.csv", few), "--store", jets.store,
               "-o", tmp_path / "m", *WHOLE, "--split", "pass" if how != "one day" else "day",
               fails=True)  # fmt: skip
    assert ("in 1 day, at least 3" if how == "one day" else "nothing says what is none") in said


def test_windows_without_one_of_the_regions_are_refused(windows_file: Windows):
    said = run("train", "regions", "--labels", windows_file(how={"classes": 5}), fails=True)
    assert "class 'lobe' has windows of 0" in said


# Labels that overlap, or end before they start


@pytest.mark.parametrize("detector", [MODEL, "icme"])
@pytest.mark.parametrize(
    ("edges", "says"),
    [
        (((0, 600), (300, 900)), "1 events overlap one of their kind: rows 1 and 2"),
        (((0, 600), (900, 800)), "row 2 ends .* before it starts"),
    ],
)
def test_labels_that_contradict_themselves_are_refused(
    detector: str, edges: tuple, says: str, jets: Taught, tmp_path: Path
):
    import re

    rows = [[FIRST + a * 10**9, FIRST + z * 10**9] for a, z in edges]
    said = run("train", detector, "--labels", listing(tmp_path / "l.csv", rows), "--store",
               jets.store, "-o", tmp_path / "m", fails=True)  # fmt: skip
    assert re.search(says, said), said


def test_labels_that_overlap_are_merged_when_somebody_says_so(jets: Taught, tmp_path: Path):
    rows = [*jets.truth[:24], [jets.truth[0][0] + 1, jets.truth[0][1] + 1]]
    said = run("train", MODEL, "--labels", listing(tmp_path / "l.csv", rows), "--store", jets.store,
               "-o", tmp_path / "m", "--start", "2020-01-01", "--stop", "2020-01-05", "--overlaps",
               "merge", "--json", tmp_path / "o.json")  # fmt: skip
    rules = json.loads((tmp_path / "o.json").read_text())["events"][DATASET]["rules"]
    assert rules["iou>0"]["true"] == 24, said


# An empty interval


@refusals(
    (("train", MODEL, "--start", "2020-01-03", "--stop", "2020-01-03"), "empty|before|after"),
    (("train", MODEL, "--start", "2021-01-03", "--stop", "2021-01-04"), "nothing was both"),
    (("evaluate", MODEL, "--start", "2021-01-03", "--stop", "2021-01-04"), "nothing was both"),
)
def test_an_interval_with_nothing_in_it_is_refused(
    command: tuple[str, ...], says: str, jets: Taught, tmp_path: Path
):
    import re

    verb, name, *when = command
    lists = "--labels" if verb == "train" else "--catalog"
    more = ("-o", tmp_path / "m") if verb == "train" else ("--model", jets.folder)
    said = run(verb, name, lists, jets.events, "--store", jets.store, *when, *more, fails=True)
    assert re.search(says, said), said


def test_no_records_give_no_events(jets: Taught):
    ions, b, _ = sheath(40)
    span = Interval(FIRST + 50 * DAY, FIRST + 51 * DAY)
    none = slice(0, 0)
    for inputs in ((ions.isel(time=none), b.isel(time=none)), (None, None)):
        assert learned_events(*inputs, dataset=DATASET, interval=span,
                              model=load_event_model(jets.folder)) == ()  # fmt: skip


# A model trained with other features or versions


def changed(folder: Path, to: Path, **facts: object) -> Path:
    shutil.copytree(folder, to)
    card = json.loads((to / "card.json").read_text()) | facts
    (to / "card.json").write_text(json.dumps(card))
    return to


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"bins_version": 0}, "features of version 0, here they are 1"),
        ({"features_version": 0}, "features of version 0"),
        ({"events": {"step": 1}}, "does not say how events are cut"),
        ({"events_content": "x"}, "not the one its card describes"),
        ({"kind": "certainty"}, "no model of events that was learned"),
    ],
)
def test_a_model_of_other_features_or_another_version_is_refused(
    facts: dict, says: str, jets: Taught, tmp_path: Path
):
    other = changed(jets.folder, tmp_path / "other", **facts)
    said = run("evaluate", MODEL, "--catalog", jets.events, "--store", jets.store, *WHOLE,
               "--model", other, fails=True)  # fmt: skip
    assert says in said


def test_a_model_of_another_detector_is_refused(
    jets: Taught, windows_file: Windows, shared_data: Path
):
    said = run("evaluate", MODEL, "--catalog", jets.events, "--store", jets.store, *WHOLE,
               "--model", shipped()["regions"], fails=True)  # fmt: skip
    assert "no model of events that was learned" in said
    said = run("evaluate", "regions", "--input", windows_file(), "--model", jets.folder, fails=True)
    assert "knows quiet, jets" in said
    hours = shared_data / "icme" / "omni2_hourly" / "omni2_2011.dat.gz"
    list_ = listing(jets.folder.parent / "clouds.csv", [[FIRST - 3200 * DAY, FIRST - 3199 * DAY]])
    said = run("evaluate", "icme", "--input", hours, "--catalog", list_, "--model", jets.folder,
               fails=True)  # fmt: skip
    assert "no model of ICMEs" in said


def test_a_model_that_looks_farther_than_a_dataset_reads_is_refused(jets: Taught):
    ions, b, _ = sheath(40)
    span = Interval(FIRST + 40 * DAY, FIRST + 41 * DAY)
    with pytest.raises(Exception, match="Declare the dataset with a longer reach"):
        learned_events(ions, b, dataset=DATASET, interval=span, reach="1min",
                       model=load_event_model(jets.folder))  # fmt: skip
    assert iso(span.start).startswith("2020-02-10")
