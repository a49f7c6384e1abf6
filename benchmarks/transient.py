"""What it costs to make moments, spectrum and pitch angles of distributions that are not kept.

The whole path (plan, checks, reading, recipes, hashes, codec, registry) in one process beside what
no way of doing it can leave out: pycdfpp reading the maps, and the recipes on what is in memory.
CPU counts that of the process that reads doubtful files too.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pycdfpp
import xarray as xr

from benchmarks.reading import cpu_seconds
from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.execute import run_bundle
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.report import Options, Report
from sciqlop_pipe.sources import files as sources
from sciqlop_pipe.sources.archive import Listing, list_archives
from sciqlop_pipe.sources.fetch import checksum
from sciqlop_pipe.sources.files import LocalFile, merge_by_time
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.layout import content_hash
from sciqlop_pipe.store.records import Failure
from sciqlop_pipe.store.tree import encode
from tests.serial import SerialClient
from tests.sources.archive_cdfs import fgm

DISTRIBUTIONS = 0.9e9
PRODUCTS = ("moments", "energy_spectrum", "pitch_angles")


@dataclass(frozen=True, slots=True)
class Kind:
    """Whose distributions: datasets, the variables that are read of a file, and when."""

    base: str
    field: str
    variables: tuple[str, ...]
    day: Interval

    @property
    def vdf(self) -> str:
        """Return the dataset that is not kept."""
        return f"{self.base}.vdf"

    @property
    def targets(self) -> tuple[str, ...]:
        """Return what is made."""
        return tuple(f"{self.base}.{product}" for product in PRODUCTS)


KINDS = {
    "sim": Kind(
        "sim.ion",
        "sim.fgm.b_dbcs",
        ("sim_dis_dist", "sim_dis_disterr", "Epoch"),
        Interval.of("2030-01-01", "2030-01-02"),
    ),
    "mms": Kind(
        "mms1.fpi.dis.brst",
        "mms1.fgm.brst.b_dmpa",
        ("mms1_dis_dist_brst", "mms1_dis_disterr_brst", "Epoch"),
        Interval.of("2020-11-19", "2020-11-21"),
    ),
}


def transient(archive: Path, repeats: int = 3, copies: int = 0) -> dict[str, Any]:
    """Return CPU per distribution of the whole path and of its parts, least of the repeats.

    Parameters
    ----------
    archive : Path
        Folder of the simulated mission, or one with a distribution file of MMS1 FPI/DIS burst.
    repeats : int
        How often everything is done, after once to compile and to fill the cache of pages.
    copies : int
        Measure so many copies of the MMS file, each 10 min after the one before, packed as it is.
    """
    with tempfile.TemporaryDirectory() as made:
        found = sorted(archive.rglob("mms1_fpi_brst_l2_dis-dist_*.cdf"))
        kind = KINDS["mms" if found else "sim"]
        archives = [str(archive)]
        if found:
            _companions(found[0], Path(made), copies)
            archives = [made] if copies else [*archives, made]
        return _measured(kind, list_archives(archives), repeats)


def _companions(path: Path, folder: Path, copies: int) -> None:
    """Write a field for a distribution file that has none, and copies of both at later times."""
    for i in range(max(1, copies)):
        cdf = pycdfpp.load(str(path))
        later = pycdfpp.to_datetime64(cdf["Epoch"]) + np.timedelta64(600 * i, "s")
        start = later[0]
        stamp = str(start.astype("M8[s]")).translate(str.maketrans("", "", "-:T"))
        t = np.arange(16 * 150) / 16
        b = 5 * np.column_stack([np.cos(0.1 * t), np.sin(0.1 * t), np.ones(t.size)])
        fgm(folder / f"mms1_fgm_brst_l2_{stamp}_v5.0.0.cdf", b, mode="brst", start=start)
        if copies:
            cdf["Epoch"].set_values(later, pycdfpp.DataType.CDF_TIME_TT2000)
            cdf.checksum = pycdfpp.Checksum.md5_checksum
            name = f"mms1_fpi_brst_l2_dis-dist_{stamp}_v3.3.0.cdf"
            assert pycdfpp.save(cdf, str(folder / name))


def _measured(kind: Kind, listing: Listing, repeats: int) -> dict[str, Any]:
    graph = Graph.discover().changed({}, [kind.vdf])
    source, field = graph[kind.vdf].source, graph[kind.field].source
    assert isinstance(source, sources.FileSource)
    assert isinstance(field, sources.FileSource)
    paths = [Path(f.location) for f in source.candidates(listing)]
    locals_ = [LocalFile(f, Path(f.location), f.name) for f in field.candidates(listing)]
    b = field.read(locals_, kind.day, salvage=False).ds
    client = SerialClient()
    rows: dict[str, Any] = {}

    with tempfile.TemporaryDirectory() as folder:
        count = iter(range(10**6))

        def whole() -> None:
            client.bundles.clear()
            with Store.open(f"{folder}/{next(count)}", create=True) as store:
                rows.update(_run(store, graph, kind, listing, client).rows)

        def workers() -> None:
            # Where the run wrote: the field is read from there.
            for bundle in bundles:
                if failed := [o for o in run_bundle(bundle) if isinstance(o, Failure)]:
                    sys.exit(f"{failed[0].granule}: {failed[0].error}")

        def bare() -> None:
            for path in paths:
                cdf = pycdfpp.load(str(path))
                for name in kind.variables:
                    np.asarray(cdf[name].values)

        def sums() -> None:
            for path in paths:
                checksum(path)

        whole()  # compiles what is not compiled
        spent = {
            "whole": _least(whole, repeats),
        }
        bundles = list(client.bundles)
        spent |= {
            "workers_share": _least(workers, repeats),
            "bare_read": _least(bare, repeats),
            "file_checksum": _least(sums, repeats),
        }
        spent |= _of_files(graph, kind, source, paths, b, repeats)
    n = rows[kind.vdf]["records"]
    made = [rows[name]["done"] for name in (kind.vdf, *kind.targets)]
    least = spent["bare_read"] + spent["recipes"]
    return {
        "distributions": n,
        "files": len(paths),
        **{f"{name}_us": round(1e6 * seconds / n, 1) for name, seconds in spent.items()},
        "granules": sum(made),
        "granules_per_task": round(sum(made) / made[0], 2),
        "archive_bytes_per_distribution": round(sum(p.stat().st_size for p in paths) / n),
        "store_bytes_per_distribution": round(sum(rows[t]["bytes"] for t in kind.targets) / n),
        "times_read_and_recipes": round(spent["whole"] / least, 2),
        "core_days_for_0.9e9": round(DISTRIBUTIONS * spent["whole"] / n / 86400, 2),
    }


def _run(store: Store, graph: Graph, kind: Kind, listing: Listing, client: SerialClient) -> Report:
    sources.forget_last_file()
    report = run_campaign(
        store, graph, kind.targets, [kind.day], listing, cast(Any, lambda: client), Options()
    )
    if report.failures:
        sys.exit(f"{report.failures[0].granule}: {report.failures[0].error}")
    return report


def _of_files(
    graph: Graph,
    kind: Kind,
    source: sources.FileSource,
    paths: Sequence[Path],
    b: xr.Dataset | None,
    repeats: int,
) -> dict[str, float]:
    """Return seconds of checked reading, joining, hash, recipes and encoding, file by file."""
    parts = ("checked_read", "joining", "content_hash", "recipes", "encoding")
    total = dict.fromkeys(parts, 0.0)
    for path in paths:

        def read(path: Path = path) -> xr.Dataset:
            with source.open(path) as cdf:
                return graph[kind.vdf].gives.check(source.adapter(cdf), str(path))

        ds = read()
        half = ds.sizes["time"] // 2
        pieces = [ds.isel(time=slice(0, half)), ds.isel(time=slice(half, None))]

        def recipes(ds: xr.Dataset = ds) -> list[xr.Dataset]:
            made = []
            for name in kind.targets:
                d = graph[name]
                assert d.recipe is not None
                given = {a: {kind.vdf: ds, kind.field: b}.get(s) for a, s in d.inputs}
                made.append(d.recipe(**given, **dict(d.params)))
            return made

        def encoded(made: list[xr.Dataset]) -> None:
            for name, product in zip(kind.targets, made, strict=True):
                encode(product, graph[name].gives, {})

        total["checked_read"] += _least(read, repeats)
        total["joining"] += _least(lambda p=pieces: merge_by_time(p), repeats)  # type: ignore[misc]
        total["content_hash"] += _least(lambda ds=ds: content_hash(ds), repeats)  # type: ignore[misc]
        total["recipes"] += _least(recipes, repeats)
        made = recipes()
        total["encoding"] += _least(lambda made=made: encoded(made), repeats)  # type: ignore[misc]
    return total


def _least(call: Callable[[], object], repeats: int) -> float:
    """Return the least CPU seconds of a call, this process and its reader together."""
    spent = []
    for _ in range(repeats):
        sources.forget_last_file()
        before = cpu_seconds()
        call()
        spent.append(cpu_seconds() - before)
    return min(spent)
