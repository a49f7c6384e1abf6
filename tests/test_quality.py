"""Flag words: names of bits, and what masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.quality import FLAGS_MISSING, Flag, Flags, masked_fraction, tally

FLAGS = Flags(
    "flags of an instrument",
    (Flag(0, "by_hand", "flagged by hand"), Flag(13, "radiation", "penetrating radiation")),
    masking=1,
    source="a guide",
)


def test_bits_are_named_and_undocumented_ones_are_shown_as_they_are():
    assert FLAGS.names(1 << 13 | 1 << 7 | 1) == ("by_hand", "bit7", "radiation")
    assert FLAGS.names(1 << FLAGS_MISSING) == ("flags_missing",)
    assert FLAGS.names(0) == ()


def test_words_are_made_of_names():
    words = FLAGS.words(radiation=np.array([True, False, True]), by_hand=np.array([1, 0, 0]))
    assert words.dtype == np.uint32
    assert words.tolist() == [1 << 13 | 1, 0, 1 << 13]
    with pytest.raises(KeyError, match="sunlight"):
        FLAGS.words(sunlight=np.array([True]))


def test_attributes_follow_cf_and_say_what_masks():
    assert FLAGS.attrs["flag_masks"] == [1, 8192]
    assert FLAGS.attrs["flag_meanings"].split() == ["by_hand", "radiation"]
    assert FLAGS.attrs["masking"] == 1


@given(st.lists(st.integers(0, 2**32 - 1), max_size=50))
def test_only_masking_bits_mask(words):
    array = np.array(words, np.uint32)
    assert list(FLAGS.masked(array)) == [bool(w & 1) for w in words]
    expected = sum(w & 1 for w in words) / len(words) if words else 0.0
    assert masked_fraction(array, FLAGS.masking) == expected


def test_a_tally_says_what_is_masked_and_what_is_only_told():
    attrs = {"flag_masks": [1, 4], "flag_meanings": "bad cold", "masking": 1}
    words = np.array([0, 1, 4, 5, 8, 1 << 31], np.uint32)
    found = tally(words, attrs)
    assert found.records == 6
    assert found.masked == pytest.approx(2 / 6)
    assert [name for name, _, _ in found.flags] == ["bad", "cold", "bit3", "flags_missing"]
    assert [masks for _, _, masks in found.flags] == [True, False, False, False]
    assert tally(words[:0], attrs).flags == ()
