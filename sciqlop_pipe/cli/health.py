"""`doctor`: what works here, what does not, and how to get what is missing."""

from __future__ import annotations

import importlib.util
import json as json_
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from ..errors import PipeError
from ..store import Store
from .output import wide
from .running import discover

if TYPE_CHECKING:
    from ..cluster import Profile

_BASE = (
    "numpy",
    "xarray",
    "zarr",
    "dask",
    "distributed",
    "numba",
    "sqlalchemy",
    "pycdfpp",
    "cdflib",
)
_EXTRAS = {
    "detect": "sklearn",
    "plot": "matplotlib",
    "speasy": "speasy",
    "flows": "prefect",
    "dash": "panel",
    "slurm": "dask_jobqueue",
    "ssh": "asyncssh",
    "kubernetes": "dask_kubernetes",
    "ops": "prometheus_client",
    "s3": "obstore",
    "postgres": "psycopg",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `ok`, `missing` (optional) or `bad`."""

    what: str
    state: str
    said: str


def doctor(store: str, profile: str, json: bool) -> int:
    """Print what was found; return 1 when something needed is bad."""
    found = list(_findings(store))
    if profile:
        found.extend(_cluster(profile, store))
    if json:
        print(json_.dumps([asdict(f) for f in found], indent=1))
    else:
        out = wide()
        colour = {"ok": "green", "missing": "yellow", "bad": "red"}
        for f in found:
            out.print(f"[{colour[f.state]}]{f.state:8}[/]{f.what:14} {escape(f.said)}")
    return int(any(f.state == "bad" for f in found))


def _findings(store: str) -> Iterator[Finding]:
    ok = sys.version_info >= (3, 11)
    yield Finding(
        "python", "ok" if ok else "bad", sys.version.split()[0] + ("" if ok else ": needs 3.11")
    )
    for name in _BASE:
        try:
            yield Finding(name, "ok", version(name))
        except PackageNotFoundError:
            yield Finding(name, "bad", "not installed: pip install sciqlop-pipe")
    for extra, module in _EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        said = module if there else f"optional: pip install 'sciqlop-pipe[{extra}]'"
        yield Finding(extra, "ok" if there else "missing", said)
    yield from _graph()
    yield from _store(store)
    yield from _network()


def _graph() -> Iterator[Finding]:
    try:
        graph = discover()
    except PipeError as error:
        yield Finding("missions", "bad", str(error))
        return
    names = ", ".join(f"{m.name} ({len(m.datasets)})" for m in graph.missions)
    yield Finding("missions", "ok", names)
    for broken in graph.broken:
        yield Finding("plugin", "bad", f"{broken.name}: {broken.error.strip().splitlines()[-1]}")


def _store(store: str) -> Iterator[Finding]:
    path = Path(store)
    if not path.exists():
        parent = next(p for p in (path.resolve(), *path.resolve().parents) if p.exists())
        writable = os.access(parent, os.W_OK)
        yield Finding(
            "store",
            "ok" if writable else "bad",
            f"{store} is not there yet; {parent} is " + ("" if writable else "not ") + "writable",
        )
    else:
        try:
            with Store.open(store) as opened:
                rows = opened.registry.summary()
            granules = sum(r["granules"] for r in rows)
            yield Finding("store", "ok", f"{store}: {len(rows)} datasets, {granules} granules")
        except PipeError as error:
            yield Finding("store", "bad", str(error))
            return
    free = shutil.disk_usage(path if path.exists() else ".").free
    yield Finding("disk", "ok" if free > 1e9 else "bad", f"{free / 1e9:.1f} GB free")


def _cluster(profile: str, store: str) -> Iterator[Finding]:
    """Start a cluster, and ask its workers."""
    from ..cluster import open_cluster, read_profile
    from ..cluster.workers import check_workers

    root = str(Path(store).resolve()) if (Path(store) / "data").is_dir() else ""
    try:
        read = read_profile(Path(profile))
        yield Finding("profile", "ok", f"{profile}: {'address' if read.address else read.kind}")
        with open_cluster(read, root) as client:
            wanted = _wanted(read)
            with suppress(TimeoutError):
                client.wait_for_workers(wanted, timeout=60)
            facts = check_workers(client, root)
            workers = client.scheduler_info(n_workers=-1)["workers"].values()
    except PipeError as error:
        yield Finding("cluster", "bad", str(error))
        return
    hosts = ", ".join(sorted({f.host for f in facts.values()}))
    reached = "reach the store" if root else "store not made yet: not looked for"
    yield Finding(
        "cluster", "ok" if len(facts) >= wanted else "missing",
        f"{len(facts)} of {wanted} workers on {hosts}: same versions, {reached}",
    )  # fmt: skip
    least = min(w["memory_limit"] or 0 for w in workers) / 1e9
    threads = sum(w["nthreads"] for w in workers)
    memory = f"{least:.1f} GB of memory each" if least else "memory without limit"
    yield Finding("workers", "ok", f"{threads} threads, {memory}; priority {read.priority}")


def _wanted(profile: Profile) -> int:
    """Return how many workers there should be before there is any work."""
    if profile.address:
        return 1
    if profile.adaptive is not None:
        return max(1, profile.adaptive.minimum)
    return len(profile.ssh.hosts) - 1 if profile.kind == "ssh" else max(1, profile.workers)


def _network() -> Iterator[Finding]:
    import socket

    try:
        socket.create_connection(("cdaweb.gsfc.nasa.gov", 443), timeout=2).close()
        yield Finding("network", "ok", "CDAWeb answers")
    except OSError as error:
        yield Finding(
            "network",
            "missing",
            f"CDAWeb does not answer ({error}); local archives work without it",
        )
