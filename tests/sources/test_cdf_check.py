"""What is refused before any CDF library sees it."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from sciqlop_pipe.errors import PipeError, SourceError, TruncatedFile
from sciqlop_pipe.sources.cdf import open_cdf
from sciqlop_pipe.sources.cdf_check import check_whole, expected_size, verify_md5, walk_records
from tests.sources.cdf_builders import cut, first_zvdr_of, gdr_of, patched, small_cdf

PACKINGS = ("plain", "blocks", "whole")

# Cut short where they were found (their README lists them).
TRUNCATED = frozenset(
    {
        "burst_20151201/mms2_fpi_brst_l2_dis-moms_20151201101704_v3.3.0.cdf",
        "burst_20170726/mms2_fpi_brst_l2_dis-moms_20170726072113_v3.3.0.cdf",
        "burst_20170726/mms2_fpi_brst_l2_dis-moms_20170726072613_v3.3.0.cdf",
        "burst_20170726/mms2_fpi_brst_l2_dis-moms_20170726073113_v3.3.0.cdf",
        "fast_20151201/mms1_fpi_fast_l2_des-moms_20151201080000_v3.3.0.cdf",
        "fast_20151201/mms1_fpi_fast_l2_dis-moms_20151201000000_v3.3.0.cdf",
        "fast_20151201/mms1_fpi_fast_l2_dis-moms_20151201020000_v3.3.0.cdf",
        "fast_20151201/mms1_fpi_fast_l2_dis-moms_20151201040000_v3.3.0.cdf",
        "fast_20151201/mms1_fpi_fast_l2_dis-moms_20151201060000_v3.3.0.cdf",
        "fast_20151201/mms1_fpi_fast_l2_dis-moms_20151201080000_v3.3.0.cdf",
    }
)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("md5", [False, True])
def test_a_whole_file_has_the_size_it_claims(tmp_path: Path, packing, md5):
    path = small_cdf(tmp_path / "a.cdf", packing, md5=md5)
    assert expected_size(path) == path.stat().st_size
    check_whole(path)
    walk_records(path)
    assert verify_md5(path) is (True if md5 else None)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("md5", [False, True])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, packing, md5):
    path = small_cdf(tmp_path / "a.cdf", packing, md5=md5)
    size = path.stat().st_size
    lengths = {*range(1, 80), *range(80, size, max(size // 150, 1)), *range(size - 40, size)}
    for length in sorted(lengths):
        with pytest.raises(TruncatedFile):
            check_whole(cut(path, tmp_path / "cut.cdf", length))


def test_a_truncated_file_is_refused_with_its_missing_bytes(tmp_path: Path):
    path = small_cdf(tmp_path / "a.cdf")
    short = cut(path, tmp_path / "cut.cdf", path.stat().st_size - 1234)
    with pytest.raises(TruncatedFile, match=r"1234 of \d+ bytes are missing.*--salvage"):
        open_cdf(short)


def test_a_file_may_be_longer_than_its_records(tmp_path: Path):
    path = small_cdf(tmp_path / "a.cdf")
    path.write_bytes(path.read_bytes() + bytes(512))
    check_whole(path)
    with open_cdf(path) as cdf:
        assert cdf.has("flux")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html>\n<title>Please\n log in</title>", "web page titled 'Please log in'"),
        (b"  <html><body>gone</body></html>", "a web page instead of data"),
        (b"SIMPLE  =                    T / FITS", "not a CDF file"),
        (b"\xcd\xf3\x00\x01\x00\x00\x12\x34" + bytes(500), "not a CDF file"),
        (b"\xcd\xf3\x00\x01\x00\x00\xff\xff" + bytes(500), "expected a CDR"),
        (b"\xcd\xf3\x00\x01\xcc\xcc\x00\x01" + bytes(500), "expected a CCR"),
    ],
)
def test_what_is_no_cdf_is_refused_in_clear_words(tmp_path: Path, content, says):
    path = tmp_path / "a.cdf"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=says):
        open_cdf(path)
    with pytest.raises(SourceError, match=says):
        open_cdf(path, salvage=True)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(SourceError, match=r"absent\.cdf: cannot be opened"):
        check_whole(tmp_path / "absent.cdf")


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_flipped_bit_does_not_fit_the_md5(tmp_path: Path, packing):
    path = small_cdf(tmp_path / "a.cdf", packing, md5=True)
    data = bytearray(path.read_bytes())
    data[-200] ^= 4
    path.write_bytes(bytes(data))
    assert verify_md5(path) is False
    with pytest.raises(SourceError, match="MD5 at its end does not fit"):
        open_cdf(path)


def test_a_record_beyond_the_end_is_named_with_its_offset(tmp_path: Path):
    path = small_cdf(tmp_path / "a.cdf")
    head = gdr_of(path) + 20
    bad = patched(path, tmp_path / "bad.cdf", {head: struct.pack(">q", 10**9)})
    with pytest.raises(SourceError, match="zVDR at offset 1000000000"):
        walk_records(bad)


def test_a_record_of_another_type_is_named(tmp_path: Path):
    path = small_cdf(tmp_path / "a.cdf")
    at = first_zvdr_of(path)
    bad = patched(path, tmp_path / "bad.cdf", {at + 8: struct.pack(">i", 6)})
    with pytest.raises(SourceError, match=f"zVDR at offset {at} has record type 6"):
        walk_records(bad)


def test_a_chain_that_bites_its_tail_is_refused(tmp_path: Path):
    path = small_cdf(tmp_path / "a.cdf")
    at = first_zvdr_of(path)
    bad = patched(path, tmp_path / "bad.cdf", {at + 12: struct.pack(">q", at)})
    with pytest.raises(SourceError, match=f"zVDR at offset {at} is linked twice"):
        walk_records(bad)


def test_a_chain_that_ends_early_is_refused(tmp_path: Path):
    path = small_cdf(tmp_path / "a.cdf")
    at = first_zvdr_of(path)
    bad = patched(path, tmp_path / "bad.cdf", {at + 12: struct.pack(">q", 0)})
    with pytest.raises(SourceError, match="1 of 9 variables"):
        walk_records(bad)


def test_more_records_than_are_stored_are_refused(tmp_path: Path):
    path = small_cdf(tmp_path / "a.cdf")
    at = first_zvdr_of(path)
    bad = patched(path, tmp_path / "bad.cdf", {at + 24: struct.pack(">i", 1000)})
    with pytest.raises(SourceError, match="'Epoch': 1001 records are claimed, 40 stored"):
        walk_records(bad)


@pytest.mark.parametrize(
    ("offset", "value", "says"),
    [(28, 3, "data encoding 3"), (32, 1, "files of their own")],
    ids=["VAX floating point", "multi-file"],
)
def test_kinds_of_cdf_that_nobody_reads_are_refused(tmp_path: Path, offset, value, says):
    path = small_cdf(tmp_path / "a.cdf")
    bad = patched(path, tmp_path / "bad.cdf", {8 + offset: struct.pack(">i", value)})
    with pytest.raises(SourceError, match=says):
        open_cdf(bad)


def test_a_flipped_byte_in_compressed_values_is_noticed(tmp_path: Path):
    path = small_cdf(tmp_path / "a.cdf", "blocks")
    block = walk_records(path).blocks["flux"][0]
    data = bytearray(path.read_bytes())
    data[block.at + block.size // 2] ^= 16
    path.write_bytes(bytes(data))
    for proven in (False, True):
        with (
            open_cdf(path, proven=proven) as cdf,
            pytest.raises(SourceError, match=r"'flux', records 0 to 39: compressed data|pycdfpp"),
        ):
            cdf.raw("flux")


def _outcome(path: Path) -> str:
    try:
        with open_cdf(path) as cdf:
            for name in cdf.names:
                cdf.values(name)
    except PipeError:
        return "refused"
    return "read"


@pytest.mark.parametrize("packing", PACKINGS)
def test_flipped_bits_cost_an_error_and_never_the_process(tmp_path: Path, packing):
    path = small_cdf(tmp_path / "a.cdf", packing)
    data, chance = path.read_bytes(), random.Random(20)
    outcomes = []
    for _ in range(120):
        flipped = bytearray(data)
        flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        bad = tmp_path / "bad.cdf"
        bad.write_bytes(bytes(flipped))
        outcomes.append(_outcome(bad))
    assert outcomes.count("refused") > 10
    assert _outcome(path) == "read"


@pytest.mark.long
def test_flipped_bits_of_real_files_never_cost_the_process(shared_data: Path, tmp_path, effort):
    chance = random.Random(effort.seed)
    files = [p for p in sorted(shared_data.rglob("*.cdf")) if p.stat().st_size < 400_000]
    for _ in range(100 if effort.short else 5000):
        data = bytearray(chance.choice(files).read_bytes())
        for _ in range(chance.choice((1, 1, 2, 8))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        bad = tmp_path / "bad.cdf"
        bad.write_bytes(bytes(data))
        assert _outcome(bad) in ("read", "refused")


def test_all_real_files_are_accepted_or_refused_as_their_readme_says(shared_data: Path):
    found = {path: path.relative_to(path.parents[1]).as_posix() for path in
             sorted(shared_data.rglob("*.cdf"))}  # fmt: skip
    refused = set()
    for path, name in found.items():
        try:
            check_whole(path)
            assert verify_md5(path) is not False
            walk_records(path)
        except TruncatedFile:
            refused.add(name)
    assert len(found) > 60
    assert refused == TRUNCATED


def test_version_2_files_are_measured_too(shared_data: Path, tmp_path: Path):
    for name in (
        "geotail/ge_k0_cpi_19921231_v02.cdf",
        "wind/wi_plsp_3dp_19990329_v02.cdf",
        "rbsp/rbspa_rel04_ect-hope-PA-L3_20121201_v0.0.0.cdf",
    ):
        path = shared_data / name
        end = expected_size(path)
        assert end <= path.stat().st_size
        with pytest.raises(TruncatedFile, match=f"1 of {end} bytes"):
            check_whole(cut(path, tmp_path / "cut.cdf", end - 1))
