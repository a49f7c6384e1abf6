"""Maps are put in order in the memory in which they came: the same numbers as with a copy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciqlop_pipe.sources.cdf import open_cdf
from sciqlop_pipe.sources.in_place import opposite, settled, steady
from sciqlop_pipe.sources.view import Seen, _View
from tests.sources.cdf_builders import small_cdf

FILL = -1e31


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(0, 40), *[st.integers(1, 5)] * 3),
    order=st.permutations([1, 2, 3]),
    kind=st.sampled_from(["f4", "f8", ">f4", "i4"]),
    factor=st.sampled_from([1.0, 1e12, 1e-18]),
    lies=st.permutations([1, 2, 3]),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_equals_turning_masking_and_scaling_a_copy(shape, order, kind, factor, lies, seed):
    rng = np.random.default_rng(seed)
    stored = rng.integers(0, 1000, shape).astype(kind)
    fill = FILL if kind != "i4" else -9
    stored[rng.random(shape) < 0.1] = fill
    truth = stored.astype("f8").transpose(0, *order)
    # In memory the axes of a record may lie in any order, as in a column-major file.
    back = np.argsort((0, *lies))
    stored = np.ascontiguousarray(stored.transpose(0, *lies)).transpose(back)
    truth = np.where(truth == np.float64(np.dtype(kind).type(fill)), np.nan, truth * factor)
    found = settled(stored, order, factor, fill)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, truth, rtol=1e-6)


def test_there_is_no_second_array_of_float32():
    stored = np.arange(24, dtype="f4").reshape(2, 3, 4)
    assert np.shares_memory(settled(stored, (2, 1), 2.0, None), stored)
    columns = np.arange(24, dtype="f4").reshape(2, 4, 3).transpose(0, 2, 1)
    for order in ((1, 2), (2, 1)):
        assert np.shares_memory(settled(columns, order, 2.0, None), columns)
    frozen = np.arange(24, dtype="f4").reshape(2, 3, 4)
    frozen.flags.writeable = False
    assert not np.shares_memory(settled(frozen, (2, 1), 2.0, None), frozen)
    assert frozen[0, 0, 1] == 1


@pytest.mark.parametrize("md5", [True, False], ids=["in this process", "through the child"])
@pytest.mark.parametrize("packing", ["plain", "blocks"])
def test_what_was_taken_and_written_over_is_read_anew(tmp_path: Path, md5: bool, packing: str):
    with open_cdf(small_cdf(tmp_path / "a.cdf", packing, md5=md5)) as cdf:
        truth = np.array(cdf.raw("flux"))
        taken = cdf.take("flux")
        taken[...] = 7
        assert np.array_equal(cdf.raw("flux"), truth)
        again = cdf.take("flux")
        again[...] = 8
        assert np.array_equal(cdf.take("flux"), truth)
        assert (taken == 7).all()
        assert np.array_equal(cdf.raw("counts"), np.arange(40))


def test_corrections_of_a_file_hold_for_what_is_taken(tmp_path: Path):
    with open_cdf(small_cdf(tmp_path / "a.cdf", "plain", md5=True)) as cdf:
        seen = _View(cdf, Seen(None, limits=(("flux", 0.0, 100.0),)))
        taken = seen.take("flux")
        assert np.isnan(taken[taken.size // taken[0].size - 1]).all()
        assert np.nanmax(taken) <= 100
        taken[...] = 0
        assert cdf.raw("flux")[1, 0, 0] == 12


@pytest.mark.parametrize("per", ["bin", "one", "record"])
def test_a_factor_may_be_a_table_fixed_or_per_record(per: str):
    rng = np.random.default_rng(2)
    stored = rng.normal(size=(700, 3, 4, 5)).astype("f4")
    stored[5, 1, 2, 3] = FILL
    shape = {"bin": (4,), "one": (1, 1, 1, 4), "record": (700, 1, 1, 4)}[per]
    table = rng.uniform(1, 2, shape)
    wanted = np.where(stored == np.float32(FILL), np.nan, stored).transpose(0, 1, 3, 2)
    wanted = wanted * table.astype("f4")
    np.testing.assert_allclose(settled(stored, (1, 3, 2), table, FILL), wanted, rtol=1e-6)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("rows", [[0, 1], [1], [1, 0, 1]])
def test_azimuths_are_half_a_turn_away_whatever_they_are_counted_from(kind: str, rows: list[int]):
    looking = np.array([[0, 179.5, 180, 359, -90, 725, FILL], [10, 20, 30, 40, 50, 60, 70]], kind)
    wanted = [[180, 359.5, 0, 179, 90, 185, np.nan], [190, 200, 210, 220, 230, 240, 250]]
    found = opposite(looking, np.array(rows), FILL)
    assert found.dtype == np.float32
    assert np.shares_memory(found, looking) == (kind == "f4" and len(rows) < 3)
    np.testing.assert_allclose(found, np.array(wanted)[rows], atol=1e-4)


def test_a_table_is_steady_when_every_record_is_the_first():
    table = np.tile(np.arange(6.0).reshape(2, 3), (300, 1, 1))
    assert steady(table)
    assert not steady(table[:0])
    table[299, 1, 2] = 7
    assert not steady(table)
    table[:, 1, 2] = np.nan
    assert not steady(table)
