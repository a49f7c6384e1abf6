"""The xarray engine "sciqlop": one lazy Dataset, in the past and now, and never stale chunks."""

from __future__ import annotations

from collections.abc import Iterator

import dask
import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.errors import StoreError, UnknownName
from sciqlop_pipe.store import Store
from tests.ledger import commit, hours, made


@pytest.fixture(autouse=True)
def here() -> Iterator[None]:
    """Compute in this thread, whatever clients other tests have open."""
    with dask.config.set(scheduler="synchronous"):
        yield


def opened(store: Store, **options: object) -> xr.Dataset:
    return xr.open_dataset(store.root, engine="sciqlop", dataset="toy.a", **options)


def test_granules_are_one_dataset_with_a_dask_chunk_each(store: Store) -> None:
    commit(store, *(made(store, h, float(h)) for h in range(3)))
    ds = opened(store, chunks={})
    assert ds.chunks["time"] == (4, 4, 4)
    np.testing.assert_array_equal(ds.value, np.repeat([0.0, 1.0, 2.0], 4))


def test_a_time_range_is_half_open(store: Store) -> None:
    commit(store, *(made(store, h, float(h)) for h in range(3)))
    start, stop = hours(1).slice64
    assert set(opened(store, time=slice(start, stop)).value.values) == {1.0}
    assert set(opened(store, time=(start, None)).value.values) == {1.0, 2.0}


def test_the_past_reads_as_it_was(store: Store) -> None:
    old = made(store, 0, 1.0)
    first = commit(store, old).tx
    commit(store, made(store, 0, 2.0, over=old))
    assert opened(store, as_of=first).value.values[0] == 1.0
    assert opened(store).value.values[0] == 2.0


def test_dask_names_change_with_what_is_current(store: Store) -> None:
    old = made(store, 0, 1.0)
    commit(store, old)
    before = opened(store, chunks={}).value.data.name
    commit(store, made(store, 0, 2.0, over=old))
    after = opened(store, chunks={}).value.data
    assert after.name != before
    assert dask.compute(after)[0][0] == 2.0


def test_variables_can_be_left_out(store: Store) -> None:
    commit(store, made(store))
    assert not opened(store, drop_variables="value").data_vars


def test_an_unknown_dataset_is_said_with_near_names(store: Store) -> None:
    commit(store, made(store))
    with pytest.raises(UnknownName, match="Did you mean toy.a"):
        xr.open_dataset(store.root, engine="sciqlop", dataset="toy.aa")


def test_what_was_not_kept_says_how_to_materialise_it(store: Store) -> None:
    from dataclasses import replace

    commit(store, replace(made(store), path=None))
    with pytest.raises(StoreError, match="--keep"):
        opened(store)


def test_it_opens_a_store_without_being_told_the_engine(store: Store) -> None:
    commit(store, made(store))
    assert xr.open_dataset(store.root, dataset="toy.a").sizes["time"] == 4
