"""A store in a bucket of an S3 server (moto's): everything that a store in a folder does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import xarray as xr

from sciqlop_pipe.campaign import (
    Limits,
    Spec,
    launch,
    plan_campaign,
    publish_campaign,
    rollback_campaign,
    run_campaign,
)
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.errors import StoreError
from sciqlop_pipe.sources.archive import list_archives
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.check import check_store
from sciqlop_pipe.store.compare import contents_on_disk
from sciqlop_pipe.store.garbage import collect, find_garbage
from tests.cluster.slurm import free_port
from tests.serial import Bench, SerialClient
from tests.toy import DAY, toy_graph
from tests.waiting import answers, until


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Address of an S3 server of our own."""
    pytest.importorskip("moto.server")
    pytest.importorskip("obstore")
    address = f"http://127.0.0.1:{(port := free_port())}"
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: answers(address))
        yield address
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def where(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """Address of a new store and of its registry."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": "me",
        "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    bucket = f"b{os.getpid()}-{time.time_ns()}"
    request = urllib.request.Request(f"{endpoint}/{bucket}", method="PUT")
    urllib.request.urlopen(request, timeout=10).close()
    return {"url": f"s3://{bucket}/store", "registry": f"sqlite:///{tmp_path / 'registry.sqlite'}"}


@pytest.mark.system
def test_a_campaign_on_a_store_in_a_bucket(where: dict[str, Any], bench: Bench) -> None:
    bench.files(3, 4, 5)
    assert bench.run("toy.both", "toy.rises", name="folder").status == 0
    spec = Spec(
        "triple", ("toy.double",), start="2030-01-01", stop="2030-01-02", archives=("raw",),
        params={"toy.double": {"factor": 3.0}}, limits=Limits(free="0"),
    )  # fmt: skip
    with Store.open(**where, create=True) as store:
        listing = list_archives([str(bench.raw)])
        with open_cluster(Profile(workers=1), str(store.root)) as client:
            report = run_campaign(
                store, toy_graph(), ["toy.both", "toy.rises"], [DAY], listing, lambda: client
            )
        assert report.status == 0
        with bench.store("folder") as folder:
            assert contents_on_disk(store) == contents_on_disk(folder)
        assert list(check_store(store, content=True)) == []
        frozen = plan_campaign(store, toy_graph(), spec, bench.folder)
        launch(store, toy_graph(), frozen, cast(Any, SerialClient))
        assert publish_campaign(store, toy_graph(), "triple") == (3, 0)
    ds = xr.open_dataset(where["url"], engine="sciqlop", dataset="toy.double", chunks={})
    raw = xr.open_dataset(where["url"], engine="sciqlop", dataset="toy.raw")
    assert float((ds.value / raw.value)[30]) == pytest.approx(3.0)
    with Store.open(where["url"]) as store:
        assert rollback_campaign(store, "triple") == 3
        garbage = find_garbage(store, "0s")
        assert len(garbage) == 3 and collect(store, garbage) > 0
        assert list(check_store(store, content=True)) == []


@pytest.mark.system
def test_a_bucket_that_is_not_there_or_does_not_answer_is_named(
    where: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreError, match="there is no store here"):
        Store.open("s3://nobody/has/this")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr("sciqlop_pipe.store.bucket.PATIENCE", {"max_retries": 0})
    with pytest.raises(StoreError, match="does not answer"):
        Store.open("s3://another/store")


def test_addresses_of_buckets_are_read_with_care(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no credentials"):
        Store.open("s3://me:secret@bucket/store")
    with pytest.raises(StoreError, match="this is not the address of a bucket"):
        Store.open("ftp://somewhere/store")


@pytest.mark.system
def test_a_store_in_a_bucket_needs_a_registry_of_its_own(where: dict[str, Any]) -> None:
    with pytest.raises(StoreError, match="needs a registry of its own"):
        Store.open(where["url"], create=True)
