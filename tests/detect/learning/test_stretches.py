from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.detect import spectral
from sciqlop_pipe.detect.learning import plasma_regions as six
from sciqlop_pipe.detect.learning.stretches import taught_records, with_measurements
from sciqlop_pipe.detect.learning.verdicts import Measured, Said
from sciqlop_pipe.detect.learning.windows import CLASSES, read_windows
from sciqlop_pipe.errors import UnknownName, UsageError
from sciqlop_pipe.granule import HOUR, MINUTE
from tests.detect.test_plasma_regions import NOON, series

pytest.importorskip("skops", reason="trained models need the extra `detect`")

STRETCHES = "mms1.region_stretches"


def kept(name: str, start: int, stop: int) -> xr.Dataset:
    """Stands for a store that holds half an hour of spectra and states."""
    spectrum, state = series()
    ds = spectrum if "spectrum" in name else state
    part = ds.sel(time=slice(np.datetime64(start, "ns"), np.datetime64(stop, "ns")))
    if not part.sizes["time"]:
        raise UnknownName("the store has no records")
    return part


STORE = SimpleNamespace(read=kept, models=dict, root=Path("nowhere"))
CROSSINGS = "mms1.boundary_crossings"


def test_accepted_and_missed_stretches_carry_what_was_measured_there():
    accepted = Said(NOON, NOON + 5 * MINUTE, True, kind="solar_wind")
    missed = Said(NOON + 13 * MINUTE, NOON + 17 * MINUTE, True, kind="magnetosheath")
    found = with_measurements(STORE, STRETCHES, [accepted, missed])
    taught = taught_records(found)
    assert set(taught.y.tolist()) == {CLASSES.index("solar_wind"), CLASSES.index("magnetosheath")}
    assert np.isfinite(taught.x).all() and len(found) == 2
    here = taught.time[taught.y == CLASSES.index("magnetosheath")]
    assert here.min() >= missed.start and here.max() <= missed.stop
    # Fluctuations reach beyond the stretch: they are those of the same records in a longer one.
    longer = with_measurements(STORE, STRETCHES, [replace(accepted, stop=NOON + 6 * MINUTE)])
    assert longer[0].measured is not None
    n = int((taught.time < NOON + 5 * MINUTE).sum())
    np.testing.assert_allclose(longer[0].measured.x[:n], taught.x[:n], rtol=1e-12)


def named(found) -> set[str]:
    return {CLASSES[k] for k in taught_records(found).y.tolist()}


def test_a_rejected_stretch_is_in_the_next_best_region_and_counts_as_far_as_that_is_known():
    right = Said(NOON, NOON + 5 * MINUTE, False, kind="lobe")
    wrong = replace(right, kind="solar_wind")  # it is solar wind: what else it may be is a guess
    sure, guess = (taught_records(with_measurements(STORE, STRETCHES, [s])) for s in (right, wrong))
    assert named(with_measurements(STORE, STRETCHES, [right])) <= {"solar_wind", "foreshock"}
    assert CLASSES.index("solar_wind") not in guess.y and (guess.weight <= 3.0).all()
    assert (sure.weight <= 3.0).all() and sure.weight.mean() > 1.5


def test_a_crossing_parts_the_regions_that_its_kind_and_sense_name():
    at = NOON + 10 * MINUTE
    for sense, first in (("in", {"solar_wind", "foreshock"}), ("out", {"magnetosheath"})):
        said = Said(at - MINUTE, at + MINUTE, True, kind="bow_shock", sense=sense)
        before, after = with_measurements(STORE, CROSSINGS, [said])
        assert named([before]) <= first
        assert not named([after]) & first
        assert before.measured is not None and before.measured.time.max() <= said.start
    missed = replace(said, kind="bow_shock in", sense="")
    assert len(with_measurements(STORE, CROSSINGS, [missed])) == 2


def test_both_sides_of_a_rejected_crossing_are_one_region():
    at = NOON + 4 * MINUTE  # in the solar wind
    said = Said(at - 10**10, at + 10**10, False, kind="bow_shock", sense="in")
    (both,) = with_measurements(STORE, CROSSINGS, [said])
    assert named([both]) <= {"solar_wind", "foreshock"}
    assert both.measured is not None
    assert both.measured.time.min() < at - MINUTE and both.measured.time.max() > at + MINUTE


def test_a_crossing_that_was_moved_a_little_is_not_rejected_where_it_was():
    at = NOON + 10 * MINUTE
    new = Said(at, at + MINUTE, True, kind="bow_shock", sense="in")
    old = Said(at - MINUTE, at, False, kind="bow_shock", sense="in")
    assert len(with_measurements(STORE, CROSSINGS, [old, new])) == 2
    far = replace(old, start=at + 12 * MINUTE, stop=at + 13 * MINUTE)
    assert len(with_measurements(STORE, CROSSINGS, [new, far])) == 3


def test_what_says_nothing_of_a_region_is_refused():
    true = Said(NOON, NOON + 5 * MINUTE, True, kind="lobe")
    with pytest.raises(UsageError, match="do not say in which of the six regions"):
        with_measurements(STORE, "omni.omni2.1h.icmes", [true])
    with pytest.raises(UsageError, match="names no boundary and sense"):
        with_measurements(STORE, CROSSINGS, [replace(true, kind="bow_shock")])
    with pytest.raises(UsageError, match="is in 'odd', which is none of the regions"):
        with_measurements(STORE, STRETCHES, [replace(true, kind="odd")])
    with pytest.raises(UsageError, match="the store has nothing to learn from"):
        with_measurements(
            STORE, STRETCHES, [replace(true, start=NOON + HOUR, stop=NOON + 2 * HOUR)]
        )


def test_a_plasma_that_people_named_is_known_afterwards(
    quick: None, windows_file: Callable[..., Path]
):
    rows = six.training_rows(read_windows([windows_file("train.npz", {"passes": 2})]))
    odd = np.median(rows.only(rows.y == CLASSES.index("lobe")).x, axis=0)
    odd[spectral.NAMES.index("spectral_entropy")] += 1.5
    odd[spectral.NAMES.index("suprathermal")] += 1.0
    x = odd + 0.01 * np.random.default_rng(0).normal(size=(400, odd.size))
    time = NOON + np.arange(400) * 4_500_000_000
    told = Said(int(time[0]), int(time[-1]), True, kind="foreshock", measured=Measured(time, x))
    chance = [
        six._fit(rows.heard(taught_records(said)), spectral.NAMES, 1.0, 0).predict_proba(x)
        for said in ((), (told,))
    ]
    before, after = (p[:, CLASSES.index("foreshock")].mean() for p in chance)
    assert before < 0.5 < after


def test_without_a_field_the_variant_without_it_learns(
    quick: None, windows_file: Callable[..., Path]
):
    rows = six.training_rows(read_windows([windows_file("train.npz", {"passes": 2})]))
    x = rows.x[:40].copy()
    x[:, [spectral.NAMES.index(n) for n in spectral.NEED_FIELD]] = np.nan
    time = NOON + np.arange(40) * 4_500_000_000
    told = Said(int(time[0]), int(time[-1]), True, kind="lobe", measured=Measured(time, x))
    heard = rows.heard(taught_records([told]))
    same = {}
    for variant, names in six.VARIANTS.items():
        a, b = (six._fit(r, names, 1.0, 0)[-1].coef_ for r in (rows, heard))
        same[variant] = bool((a == b).all())
    assert same == {"field": True, "no_field": False}


def test_what_people_told_of_a_pass_is_left_out_with_it():
    time = NOON + np.arange(100) * MINUTE
    told = Said(int(time[0]), int(time[-1]), True, kind="lobe",
                measured=Measured(time, np.zeros((100, len(spectral.NAMES)))))  # fmt: skip
    taught = taught_records([told])
    assert (taught.group < 0).all()
    rest = taught.outside(NOON + 20 * MINUTE, NOON + 49 * MINUTE)
    assert len(rest.time) == 70 and rest.weight.tolist() == [3.0] * 70
