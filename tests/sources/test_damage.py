"""No damage ends the process; where there is a checksum, none gives a wrong value silently.

Limits, documented in `open_cdf`: without MD5, flipped bytes of uncompressed values and of metadata
(names, attributes, fill values) are data like any other. Then only the process is safe, and the
SHA-256 recorded for a file's token tells that it changed since.
"""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.sources.cdf import open_cdf
from tests.conftest import Effort
from tests.sources.cdf_builders import gdr_of, patched, small_cdf
from tests.sources.damage import KINDS, damaged, verdict

FILES = [("plain", True), ("blocks", True), ("whole", True), ("plain", False), ("blocks", False),
         ("whole", False)]  # fmt: skip


def rehearse(folder: Path, packing: str, md5: bool, cases: int, seed: int) -> Counter[str]:
    """Damage one file many times; raise at the first wrong value under a checksum."""
    source = small_cdf(folder / "source.cdf", packing, md5=md5)
    data = source.read_bytes()
    with open_cdf(source) as cdf:
        truth = {name: np.array(cdf.raw(name)) for name in cdf.names}
    rng = np.random.default_rng(seed)
    said: Counter[str] = Counter()
    path = folder / "damaged.cdf"
    for case in range(cases):
        kind = KINDS[case % len(KINDS)]
        bad = damaged(data, kind, rng)
        path.write_bytes(bad)
        word = verdict(path, truth)
        said[f"{kind} {word}"] += 1
        # The flag that says there is an MD5 lies in the header: a flip there takes it away.
        protected = md5 and bad[:600] == data[:600]
        assert word != "wrong" or not (protected or kind in ("cut", "noise")), (
            f"wrong values in silence: {packing}, MD5 {md5}, seed {seed}, case {case} ({kind})"
        )
    return said


@pytest.mark.parametrize(("packing", "md5"), FILES)
def test_damaged_files_are_refused_or_read_right(tmp_path: Path, packing: str, md5: bool):
    said = rehearse(tmp_path, packing, md5, 40, 20261123)
    assert sum(n for word, n in said.items() if "refused" in word) > 20


@pytest.mark.long
@pytest.mark.parametrize(("packing", "md5"), FILES)
def test_thousands_of_damaged_files_are_refused_or_read_right(
    tmp_path: Path, packing: str, md5: bool, effort: Effort
):
    said = rehearse(tmp_path, packing, md5, 200 if effort.short else 1500, effort.seed)
    print(packing, md5, dict(said))


def test_a_cut_at_any_byte_is_noticed(tmp_path: Path):
    source = small_cdf(tmp_path / "source.cdf", "blocks", md5=True)
    data = source.read_bytes()
    with open_cdf(source) as cdf:
        truth = {name: np.array(cdf.raw(name)) for name in cdf.names}
    path = tmp_path / "cut.cdf"
    for size in [*range(0, len(data), 61), len(data) - 1]:
        path.write_bytes(data[:size])
        assert verdict(path, truth) == "refused", size


@pytest.mark.parametrize("end", [-1, -(2**63), 0])
def test_an_end_before_the_beginning_is_refused(tmp_path: Path, end: int):
    source = small_cdf(tmp_path / "source.cdf", "plain", md5=True)
    at = {gdr_of(source) + 36: struct.pack(">q", end)}
    with pytest.raises(SourceError, match="damaged|truncated"):
        open_cdf(patched(source, tmp_path / "bad.cdf", at))
