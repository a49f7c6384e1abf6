"""Stores of before 2026-11-26 know files by SHA-256 and content by BLAKE2b: they stay valid."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sciqlop_pipe import execute
from sciqlop_pipe.sources.cache import sha256
from sciqlop_pipe.store.check import check_store
from sciqlop_pipe.store.layout import content_hash
from tests.serial import Bench
from tests.toy import series

PRODUCTS = ("toy.double", "toy.smooth", "toy.day")
EARLIER = "0" * 32


@pytest.fixture
def earlier(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A store as it was written then."""
    bench.files(3, 4, 5)
    with monkeypatch.context() as then:
        then.setattr(execute, "checksum", sha256)
        then.setattr(execute, "content_after", lambda ds, before: content_hash(ds, EARLIER))
        then.setattr(execute, "content_hash", lambda ds, like="": content_hash(ds, EARLIER))
        bench.run(*PRODUCTS)
    assert not any(content.startswith("b3:") for content in contents(bench).values())
    return bench


def contents(bench: Bench) -> dict[tuple[str, int], str]:
    """Return the content hashes of the hours and of the day."""
    with bench.store() as store:
        return {
            (r.dataset, r.start): r.content
            for name in ("toy.raw", *PRODUCTS)
            for r in store.registry.current(name)
        }


def touch(bench: Bench) -> None:
    """Give every file another date, so that it has to be read again to be known."""
    for path in bench.raw.iterdir():
        os.utime(path, (1e9, 1e9))


def test_the_earlier_hash_is_what_it_was() -> None:
    import numpy as np

    ds = series(np.arange(4).astype("M8[ns]"), np.arange(4.0))
    assert content_hash(ds, EARLIER) == "083983f36b7309d433212f15a525c6f9"
    assert content_hash(ds).startswith("b3:")


def test_an_earlier_store_has_nothing_to_do(earlier: Bench) -> None:
    assert len(earlier.plan(*PRODUCTS)) == 0
    with earlier.store() as store:
        assert list(check_store(store, content=True)) == []


def test_files_that_are_the_same_make_nothing_stale(earlier: Bench) -> None:
    before = contents(earlier)
    touch(earlier)
    report = earlier.run(*PRODUCTS)
    assert (report.done, report.unchanged > 0, report.failures) == (0, True, [])
    assert contents(earlier) == before
    assert len(earlier.plan(*PRODUCTS)) == 0


def test_what_is_made_of_another_file_with_the_same_numbers_is_not_stale(earlier: Bench) -> None:
    """The file's bytes differ, its records do not: only the raw granule is made anew."""
    before = contents(earlier)
    earlier.file(4, version="2")
    path = earlier.raw / "toy_2030010104_v2.npz"
    path.write_bytes(path.read_bytes() + b"\0")
    report = earlier.run(*PRODUCTS)
    assert report.rows["toy.raw"]["done"] == 1
    assert report.done == 1
    assert contents(earlier) == before


def test_what_differs_is_made_and_hashed_in_the_new_way(earlier: Bench, tmp_path: Path) -> None:
    before = contents(earlier)
    earlier.file(4, version="2", offset=1.0)
    report = earlier.run(*PRODUCTS)
    assert report.rows["toy.double"]["done"] == report.rows["toy.day"]["done"] == 1
    after = contents(earlier)
    changed = {key for key in before if before[key] != after[key]}
    assert {key[0] for key in changed} == {"toy.raw", *PRODUCTS}
    assert all(after[key].startswith("b3:") for key in changed)
    with earlier.store() as store:
        assert list(check_store(store, content=True)) == []
    touch(earlier)
    assert earlier.run(*PRODUCTS).done == 0
