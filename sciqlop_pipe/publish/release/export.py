"""A release as a folder that needs no program of ours: Zarr, catalogs, models, credits."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from ... import datatypes
from ...catalog import to_csv, to_json, to_votable
from ...datatype import DataType
from ...errors import StoreError, UsageError
from ...granule import iso
from ...store import Store
from ...store.codecs import codec_of
from ...store.granules import read_granule
from ...store.layout import Layout, raw_values, stored_attrs
from ...store.records import Current
from ...store.releases import Told, find_release
from ...store.tree import chunks_of
from ..citing import text
from .manifest import catalog_at, facts_of
from .verify import SUMS

DATA = "data.zarr"


def export(store: Store, name: str, folder: Path) -> int:
    """Write a release into a new folder, all of it or nothing; return how many files.

    There are: `data.zarr` with a group per dataset (in time order, concatenated), `catalogs` in
    CSV, JSON and VOTable, `models`, `manifest.json`, `CITATION.txt`, `README.md` with how to open
    it, `SHA256SUMS`. Where the shape of a dataset changes, each stretch is a group of its own.

    Raises
    ------
    UsageError
        When the folder is there already.
    StoreError
        When a granule is gone or transient.
    """
    facts = facts_of(find_release(store.registry.db, name))
    if folder.exists():
        raise UsageError("there is something here already", str(folder), "Name a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".part-{uuid.uuid4().hex[:8]}-{folder.name}")
    try:
        groups = _write(store, facts, part)
        for file, said in _texts(name, facts, groups):
            (part / file).write_text(said, encoding="utf-8")
        files = sorted(p for p in part.rglob("*") if p.is_file())
        sums = "".join(
            f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(part).as_posix()}\n"
            for p in files
        )
        (part / SUMS).write_text(sums)
        part.rename(folder)
    except OSError as error:
        raise StoreError(
            f"the release could not be written ({error.strerror or error})",
            str(folder),
            "Free space or fix permissions, then run the same command again",
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return len(files) + 1


def _write(store: Store, facts: Mapping[str, Any], part: Path) -> list[str]:
    """Write data, catalogs and models; return the names of the groups."""
    tx, until = int(facts["tx"]), Told(**facts["told"])
    root = zarr.open_group(part / DATA, mode="w", zarr_format=3)
    root.attrs.update({"release": facts["release"], "digest": facts["digest"]})
    groups: list[str] = []
    for dataset in facts["datasets"]:
        rows = [r for r in store.registry.current(dataset, as_of=tx) if r.n]
        said = {"release": facts["release"], "dataset": dataset}
        groups += _dataset(store, root, dataset, rows, said)
    for dataset in facts["catalogs"]:
        catalog = catalog_at(store, dataset, tx, until)
        (part / "catalogs").mkdir(exist_ok=True)
        for end, write in ((".csv", to_csv), (".json", to_json), (".xml", to_votable)):
            (part / "catalogs" / f"{dataset}{end}").write_text(write(catalog), encoding="utf-8")
    for model, said in facts["models"].items():
        shutil.copytree(store.root / said["path"], part / "models" / model)
    return groups


def _dataset(
    store: Store, root: zarr.Group, dataset: str, rows: Sequence[Current], said: dict[str, Any]
) -> Iterator[str]:
    if gone := next((r for r in rows if r.path is None), None):
        raise StoreError(
            f"{dataset} from {iso(gone.start)} is transient: it was computed and not kept",
            str(store.root),
            f"Run 'sciqlop-pipe run {dataset} --keep' and release that, or leave it out",
        )
    signatures = store.registry.layouts()
    stretches = [list(g) for _, g in groupby(rows, lambda r: signatures[r.layout or ""])]
    for k, stretch in enumerate(stretches, 1):
        name = dataset.replace(".", "/") + (f"/part_{k}" if len(stretches) > 1 else "")
        _group(store, root.create_group(name), stretch, said)
        yield name


def _group(
    store: Store, group: zarr.Group, rows: Sequence[Current], said: Mapping[str, Any]
) -> None:
    """Fill a group with granules of one layout, one after the other."""
    layout: Layout = store.registry.layout(rows[-1].layout or "")
    kind = rows[-1].code.split()[-1].split("@")[0]
    datatype = getattr(datatypes, kind, DataType(kind))
    total = sum(r.n for r in rows)
    arrays: dict[str, Any] = {}
    at = 0
    for row in rows:
        ds = read_granule(store.root, row.path or "")
        for v in layout.variables:
            values = raw_values(ds[v.name].variable)
            if v.name not in arrays:
                arrays[v.name] = _array(group, ds[v.name].variable, v.name, values, total, datatype)
            if "time" not in v.dims:
                if at == 0 and values.size:
                    arrays[v.name][...] = values
                continue
            where = [slice(None)] * values.ndim
            where[v.dims.index("time")] = slice(at, at + row.n)
            arrays[v.name][tuple(where)] = values
        at += row.n
    dims = {d for v in layout.variables for d in v.dims}
    coords = sorted(v.name for v in layout.variables if v.coordinate and v.name not in dims)
    group.attrs.update(
        dict(layout.attrs) | dict(said) | ({"coordinates": " ".join(coords)} if coords else {})
    )


def _array(group: zarr.Group, variable: Any, name: str, values: np.ndarray, total: int,
           datatype: DataType) -> Any:  # fmt: skip
    """Make an array for all records, chunked as its DataType wants and compressed as suits it."""
    dims = [str(d) for d in variable.dims]
    shape = tuple(total if d == "time" else s for d, s in zip(dims, values.shape, strict=True))
    whole = np.broadcast_to(values[:1], shape) if values.ndim and values.size else values
    return group.create_array(
        name,
        shape=shape,
        dtype=str if values.dtype.kind == "U" else values.dtype,
        chunks=chunks_of(whole, datatype),
        compressors=[codec_of(values).zarr],
        dimension_names=dims,
        attributes=stored_attrs(variable),
        fill_value=np.nan if values.dtype.kind == "f" else None,
    )


def _citation(name: str, facts: Mapping[str, Any]) -> str:
    """Return in words how to cite a release, and whom to thank."""
    return (
        f"Release '{name}' of {facts['at']} UTC, manifest digest {facts['digest']}:\n"
        "name both, so that readers find the same numbers. Please cite and thank as well:\n\n"
        f"{text(facts['credits'])}\n"
    )


def _texts(name: str, facts: Mapping[str, Any], groups: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield "manifest.json", json.dumps(facts, indent=1)
    yield "CITATION.txt", _citation(name, facts)
    first = groups[0] if groups else "GROUP"
    listed = "\n".join(f"- `{g}`" for g in groups) or "none"
    catalogs = (
        "\n".join(f"- `catalogs/{c}` (.csv, .json, .xml)" for c in facts["catalogs"]) or "none"
    )
    yield (
        "README.md",
        f"""# Release {name}

What a store of SciQLOP Pipe held on {facts["at"]} UTC. `manifest.json` has the hash, version and
parameters of every piece (digest {facts["digest"]}), `CITATION.txt` says whom to cite,
`sha256sum -c SHA256SUMS` checks that nothing has changed.

## Data (Zarr v3)

{listed}

```python
import xarray as xr

ds = xr.open_zarr("{DATA}", group="{first}")
```

Times are UTC at the centre of each measurement; NaN is no measurement; units and frames are
attributes.

## Catalogs

{catalogs}
""",
    )
