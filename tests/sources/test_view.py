"""Files seen with corrections: what is put right, and what is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.quality import FLAGS_MISSING, Flags
from sciqlop_pipe.sources.cdf import open_cdf
from sciqlop_pipe.sources.conventions import Quality
from sciqlop_pipe.sources.series import MomentsAdapter, ScalarAdapter, VectorAdapter
from sciqlop_pipe.sources.species import ALPHA, PROTON
from sciqlop_pipe.sources.tags import Lasting, UnixSeconds
from sciqlop_pipe.sources.view import (
    MeanOf,
    Scaled,
    Seen,
    Stacked,
    Symmetric,
    Thermal,
    Words,
    WordsAt,
)
from tests.sources.archive_cdfs import START, Writer, times

MISSING = 1 << FLAGS_MISSING


@pytest.fixture
def path(tmp_path):
    out = Writer().time("Epoch", times(4, "10s")).time("Slow", times(2, "20s", START))
    at = {"DEPEND_0": "Epoch"}
    out.add("x", np.array([1, 2, 99999.9, 4], np.float32), UNITS="nT", **at)
    out.add("y", np.full(4, 2, np.float32), UNITS="pT", **at)
    out.add("n", np.ones(4, np.float32), UNITS="things", **at)
    out.add(
        "w",
        np.array([10, 100, -1e31, 0], np.float32),
        UNITS="km/s",
        FILLVAL=np.float32(-1e31),
        **at,
    )
    out.add("six", np.tile(np.arange(1, 7, dtype=np.float32), (4, 1)), UNITS="eV", **at)
    out.add("code", np.array([0, 3, -128, 1], np.int8), FILLVAL=np.int8(-128), **at)
    out.add("bits", np.array([0, 5, 65535, 1], np.uint16), FILLVAL=np.uint16(65535), **at)
    out.add("slow", np.array([1, 2], np.uint32), FILLVAL=np.uint32(4294967295), DEPEND_0="Slow")
    out.add(
        "length", np.array([2, 4, 0, 2], np.float32), UNITS="seconds", FILLVAL=np.float32(0), **at
    )
    return out.save(tmp_path / "a.cdf")


def see(path, adapter, **how):
    with open_cdf(path) as cdf:
        seen = Seen(adapter, **how)
        assert seen.extent(cdf) is not None
        return seen(cdf)


def test_a_vector_of_three_variables_is_one_with_each_unit_converted(path):
    made = (Stacked("b", ("x", "y", "y"), "nT"),)
    adapter = VectorAdapter("b", "nT", "GSE", "field")
    ds = see(path, adapter, made=made, limits=(("x", -9000, 9000),))
    np.testing.assert_allclose(ds["vector"][0], [1, 2e-3, 2e-3])
    assert np.isnan(ds["vector"].values[2, 0])
    assert ds["time"].values[0] == START


def test_an_attribute_restated_is_the_one_that_counts(path):
    with pytest.raises(SourceError, match="things"):
        see(path, ScalarAdapter("n", "cm^-3"))
    ds = see(path, ScalarAdapter("n", "cm^-3"), restated=(("n", (("UNITS", "cm-3"),)),))
    assert (ds["value"] == 1).all()


@pytest.mark.parametrize(("species", "factor"), [(PROTON, 5.21986e-3), (ALPHA, 2.0737e-2)])
def test_a_temperature_is_half_m_w_squared(path, species, factor):
    ds = see(path, ScalarAdapter("t", "eV", "T"), made=(Thermal("t", "w", species),))
    np.testing.assert_allclose(ds["value"], factor * np.array([100, 1e4, np.nan, 0]), rtol=1e-4)


def test_six_components_are_a_symmetric_tensor(path):
    adapter = MomentsAdapter("n", "b", PROTON, "GSE", temperature_tensor="tensor")
    made = (Symmetric("tensor", "six", "eV"), Stacked("b", ("w", "w", "w"), "km s^-1"))
    ds = see(path, adapter, made=made, restated=(("n", (("UNITS", "cm-3"),)),))
    expected = [[1, 4, 5], [4, 2, 6], [5, 6, 3]]
    np.testing.assert_array_equal(ds["temperature_tensor"][0], expected)
    assert float(ds["temperature"][0]) == 2


def test_a_scaled_variable_has_the_unit_it_is_scaled_to(path):
    ds = see(path, ScalarAdapter("r", "km", "R"), made=(Scaled("r", "y", 6378.0, "km"),))
    assert float(ds["value"][0]) == 2 * 6378


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (Words("q", code="code"), [1, 8, MISSING, 2]),
        (Words("q", bits="bits"), [0, 5, MISSING, 1]),
        (
            Words("q", bits="bits", code="code", offset=16),
            [1 << 16, 5 | 8 << 16, MISSING, 1 | 2 << 16],
        ),
        (WordsAt("q", "slow", "Slow", "x", 15 * 10**9), [1, 1, 2, 2]),
        (WordsAt("q", "slow", "Slow", "x", 5 * 10**9), [1, MISSING, 2, MISSING]),
    ],
)
def test_flags_become_words(path, made, words):
    flags = Quality("q", Flags("flags", ()))
    ds = see(path, ScalarAdapter("x", "nT", quality=flags), made=(made,))
    assert ds["quality"].values.tolist() == words


def test_a_variable_that_is_missing_for_what_is_made_of_it_is_named(path):
    with pytest.raises(SourceError, match="z"):
        see(path, VectorAdapter("b", "nT", "GSE"), made=(Stacked("b", ("x", "y", "z"), "nT"),))


def test_a_tag_is_moved_by_half_of_what_each_record_lasted(path):
    ds = see(path, ScalarAdapter("y", "nT", time_tag=Lasting(duration="length", declared="s")))
    after = (ds["time"].values - START) / np.timedelta64(1, "s")
    assert after.tolist() == [1, 12, 31]


def test_a_mean_of_columns_is_a_number_per_record(path):
    made = (MeanOf("mean", "six", (0, 2), "eV"),)
    ds = see(path, ScalarAdapter("mean", "eV", "T"), made=made)
    assert float(ds["value"][0]) == 2


def test_a_fill_that_integers_cannot_say_is_masked_by_its_limits(path):
    ds = see(path, ScalarAdapter("slow", "1", "slow"), limits=(("slow", 0.0, 1.5),))
    np.testing.assert_array_equal(ds["value"], [1, np.nan])


def test_seconds_since_1970_are_times_to_the_microsecond_and_their_fill_is_none(tmp_path):
    seconds = START.astype(np.int64) / 1e9 + np.array([0, 1.25, np.nan])
    path = Writer().add("t", seconds, UNITS="sec").save(tmp_path / "a.cdf")
    with open_cdf(path) as cdf:
        times = UnixSeconds(500_000_000).centre(cdf, "t")
    shifted = START + np.array([500, 1750]).astype("m8[ms]")
    assert (np.abs(times[:2] - shifted) <= np.timedelta64(1, "us")).all()
    assert np.isnat(times[2])


@pytest.mark.parametrize("width", [None, 3])
def test_a_file_without_a_record_has_no_flag_word(tmp_path, width):
    shape = (0,) if width is None else (0, width)
    out = Writer().time("Epoch", times(2, "1s")[:0])
    out.add("bits", np.zeros(shape, np.uint16)).add("code", np.zeros(shape, np.uint8))
    with open_cdf(out.save(tmp_path / "a.cdf")) as cdf:
        assert Words("flags", bits="bits", code="code", offset=16).values(cdf).shape == (0,)
