"""No damage ends the process; where there is a checksum, none gives a wrong value silently.

Checksums are the SHA-256 that a server tells, the MD5 at the end of a CDF, the CRC-32 of gzip.
Limits, documented in `open_cdf`: without MD5, flipped bytes of uncompressed values and of metadata
(names, attributes, fill values) are data like any other. Then only the process is safe, and the
checksum recorded for a file's token tells that it changed since.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sciqlop_pipe.errors import SourceError, TransientError
from sciqlop_pipe.sources.access import Access
from sciqlop_pipe.sources.archive import RawFile
from sciqlop_pipe.sources.cdf import open_cdf
from sciqlop_pipe.sources.cdf_layout import GZIP
from sciqlop_pipe.sources.cdf_walk import walk_records
from sciqlop_pipe.sources.fetch import fetch
from sciqlop_pipe.sources.http import Patience
from tests.conftest import Effort
from tests.sources.cdf_builders import gdr_of, patched, small_cdf
from tests.sources.damage import KINDS, damaged, verdict
from tests.sources.web import resumable, serving

FILES = [("plain", True), ("blocks", True), ("whole", True), ("plain", False), ("blocks", False),
         ("whole", False)]  # fmt: skip


def rehearse(
    folder: Path, packing: str, md5: bool, cases: int, seed: int, *, large: bool = False
) -> Counter[str]:
    """Damage one file many times; raise at the first wrong value under a checksum."""
    source = small_cdf(folder / "source.cdf", packing, md5=md5, large=large)
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


def compressed_stretches(path: Path, packing: str) -> list[tuple[int, int]]:
    """Return where the gzip streams of a file lie: (first byte, byte behind the last)."""
    if packing == "whole":  # one compressed record behind the magic numbers
        (size,) = struct.unpack(">q", path.read_bytes()[8:16])
        return [(8 + 32, 8 + size)]
    blocks = [b for of in walk_records(path).blocks.values() for b in of if b.method == GZIP]
    return [(b.at, b.at + b.size) for b in blocks]


def rehearse_streams(
    folder: Path, packing: str, cases: int, seed: int, *, large: bool = False
) -> Counter[str]:
    """Flip bytes of compressed data that nothing but the CRC-32 of gzip protects."""
    source = small_cdf(folder / "source.cdf", packing, md5=False, large=large)
    data = source.read_bytes()
    with open_cdf(source) as cdf:
        truth = {name: np.array(cdf.raw(name)) for name in cdf.names}
    places = np.concatenate([np.arange(a, b) for a, b in compressed_stretches(source, packing)])
    rng = np.random.default_rng(seed)
    said: Counter[str] = Counter()
    path = folder / "damaged.cdf"
    for case in range(cases):
        bad = bytearray(data)
        for at in rng.choice(places, int(rng.integers(1, 9)), replace=False):
            bad[at] ^= int(rng.integers(1, 256))
        path.write_bytes(bad)
        word = verdict(path, truth)
        said[word] += 1
        assert word != "wrong", f"wrong values in silence: {packing}, seed {seed}, case {case}"
    return said


STREAMS = [("blocks", False), ("blocks", True), ("whole", False)]


@pytest.mark.parametrize(("packing", "large"), STREAMS)
def test_the_crc_of_gzip_alone_lets_no_wrong_value_through(
    tmp_path: Path, packing: str, large: bool
):
    said = rehearse_streams(tmp_path, packing, 60, 20261126, large=large)
    assert said["refused"] > 40


@pytest.mark.long
@pytest.mark.parametrize(("packing", "large"), STREAMS)
def test_the_crc_of_gzip_alone_lets_no_wrong_value_through_in_thousands_of_cases(
    tmp_path: Path, packing: str, large: bool, effort: Effort
):
    cases = 200 if effort.short else 3000
    print(packing, dict(rehearse_streams(tmp_path, packing, cases, effort.seed, large=large)))


def test_without_the_check_of_the_crc_wrong_values_do_come_through(tmp_path: Path):
    """The control: the same damage, read by pycdfpp without a look at the CRC."""
    import pycdfpp

    source = small_cdf(tmp_path / "source.cdf", "blocks", md5=False)
    data, wrong = source.read_bytes(), 0
    with open_cdf(source) as cdf:
        truth = {name: np.array(cdf.raw(name)) for name in cdf.names}
    right = np.array(pycdfpp.load(str(source))["flux"].values)
    blocks = [b for b in walk_records(source).blocks["flux"] if b.method == GZIP]
    for back in range(9, 200, 4):
        bad = bytearray(data)
        bad[blocks[0].at + blocks[0].size - back] ^= 1
        path = tmp_path / f"damaged{back}.cdf"
        path.write_bytes(bad)
        found = pycdfpp.load(str(path))["flux"].values
        wrong += found.shape == right.shape and not np.array_equal(found, right)
        assert verdict(path, truth) != "wrong"
    assert wrong > 5


@pytest.mark.parametrize("digest", ["Repr-Digest", "Digest"])
def test_a_sha256_that_a_server_tells_lets_no_damaged_byte_through(tmp_path: Path, digest: str):
    rehearse_downloads(tmp_path, digest, 30, 20261126)


@pytest.mark.long
def test_a_sha256_that_a_server_tells_lets_no_damaged_byte_through_in_thousands_of_cases(
    tmp_path: Path, effort: Effort
):
    rehearse_downloads(tmp_path, "Repr-Digest", 100 if effort.short else 3000, effort.seed)


def rehearse_downloads(folder: Path, digest: str, cases: int, seed: int) -> None:
    """Download a file whose bytes are damaged on the way, with the SHA-256 of the right ones."""
    data = small_cdf(folder / "source.cdf", "plain", md5=False).read_bytes()
    value = base64.b64encode(hashlib.sha256(data).digest()).decode()
    told = f"sha-256=:{value}:" if digest == "Repr-Digest" else f"SHA-256={value}"
    access = Access(patience=Patience(tries=1))
    rng = np.random.default_rng(seed)
    www = folder / "www"
    www.mkdir()
    with serving(www) as web:
        for case in range(cases):
            bad = damaged(data, ("flip", "header", "noise")[case % 3], rng)
            web.faults["/a.cdf"] = [resumable(bad, **{digest.replace("-", "_"): told})]
            raw = RawFile("a.cdf", f"{web.address}a.cdf", 0, None, (), -1, f"stamp {case}")
            with pytest.raises(TransientError, match="SHA256 is not the one"):
                fetch_alone(raw, folder / "task", access)


def fetch_alone(raw: RawFile, into: Path, access: Access) -> None:
    """Fetch as for the first time: a server that fails often is left alone for a while."""
    from sciqlop_pipe.sources.rate import servers

    servers._failed.clear()
    fetch(raw, into, access)


@pytest.mark.parametrize(("packing", "md5"), FILES)
def test_damaged_files_are_refused_or_read_right(tmp_path: Path, packing: str, md5: bool):
    said = rehearse(tmp_path, packing, md5, 40, 20261123)
    assert sum(n for word, n in said.items() if "refused" in word) > 20


@pytest.mark.parametrize("packing", ["plain", "blocks"])
def test_damaged_files_with_large_variables_are_refused_or_read_right(tmp_path: Path, packing: str):
    rehearse(tmp_path, packing, False, 40, 20261127, large=True)


@pytest.mark.long
@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize(("packing", "md5"), FILES)
def test_thousands_of_damaged_files_are_refused_or_read_right(
    tmp_path: Path, packing: str, md5: bool, large: bool, effort: Effort
):
    cases = 200 if effort.short else 1500
    said = rehearse(tmp_path, packing, md5, cases, effort.seed, large=large)
    print(packing, md5, "large" if large else "small", dict(said))


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
