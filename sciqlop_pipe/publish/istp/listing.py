"""What makes a tree of CDF files an archive: listings, masters, and speasy's description of it."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...graph import Graph
from ...store import Store
from ..whole import part_of, write_through
from .decode import from_cdf
from .encode import DATASET, file_facts, to_cdf
from .facts import Names, Provenance
from .files import SUFFIX, facts_of, folder_of, piece_length

INVENTORY = "speasy.yaml"
INDEX = "index.html"
FILES = "files.json"
_FILE = re.compile(r"(.+)_(\d{8}(?:\d{6})?)_v(\d+\.\d+\.\d+)\.cdf")


def describe(store: Store, graph: Graph, folder: Path, url: str = "") -> int:
    """Write the listings of a tree, its masters and `speasy.yaml`; return how many files it has.

    Parameters
    ----------
    store, graph
        Where the declarations are.
    folder : Path
        Root of the tree.
    url : str
        Under which address the tree will be served; the folder itself where empty.

    Notes
    -----
    speasy reads every `*.yaml` of the folders in SPEASY_ARCHIVE_EXTRA_INVENTORY_LOOKUP_DIRS. Each
    folder has an `index.html` that servers without listings can serve, `files.json` names every
    file with its dataset, version, size and SHA-256.
    """
    files = list(_files(folder))
    known = _known(folder)
    rows = [_row(folder, path, known) for path in files]
    datasets = sorted({row["dataset"] for row in rows if row["dataset"]})
    entries = {}
    for dataset in datasets:
        newest = folder / next(r["path"] for r in reversed(rows) if r["dataset"] == dataset)
        master = _master(store, graph, dataset, newest, folder)
        by_day = all(len(r["start"]) == 8 for r in rows if r["dataset"] == dataset)
        root = url.rstrip("/") or str(folder.resolve())
        entries.update(_entry(graph, dataset, root, master, by_day))
    _replace(folder / INVENTORY, _yaml(entries))
    _replace(folder / FILES, json.dumps(rows, indent=1))
    for at in sorted({p for path in files for p in path.parents if p.is_relative_to(folder)}):
        _replace(at / INDEX, _index(at, at == folder))
    return len(files)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        if _FILE.fullmatch(path.name) and not path.name.startswith("."):
            yield path


def _known(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the rows that an earlier listing had, by path: files never change."""
    try:
        return {row["path"]: row for row in json.loads((folder / FILES).read_text())}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _row(folder: Path, path: Path, known: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    name = path.relative_to(folder).as_posix()
    size = path.stat().st_size
    if name in known and known[name].get("size") == size:
        return known[name]
    found = _FILE.fullmatch(path.name)
    assert found is not None
    return {
        "path": name,
        "dataset": file_facts(path).get(DATASET, ""),
        "start": found[2],
        "version": found[3],
        "size": size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def _master(store: Store, graph: Graph, dataset: str, newest: Path, folder: Path) -> str:
    """Write the master of a dataset, a file of no records; return its path in the tree."""
    facts = facts_of(graph, store, dataset)
    name = f"{facts.names.logical_source}_00000000_v01"
    empty = from_cdf(newest).isel(time=slice(0, 0))
    data = to_cdf(empty, facts, Provenance("", 0), name, "1")
    path = folder / "masters" / (name + SUFFIX)
    path.parent.mkdir(exist_ok=True)
    _replace(path, data)
    return path.relative_to(folder).as_posix()


def _entry(
    graph: Graph, dataset: str, root: str, master: str, by_day: bool
) -> dict[str, dict[str, Any]]:
    """Return speasy's description of one dataset: where its files are, how they are named."""
    head = Names.of(dataset).logical_source
    where = f"{root}/{folder_of(Path(), dataset).as_posix()}/{{Y}}"
    version = r"\d+\.\d+\.\d+"
    entry: dict[str, Any] = {
        "inventory_path": "pipe/" + "/".join(dataset.split(".")[:-1]),
        "master_file": f"{root}/{master}",
        "use_file_list": True,
    }
    if by_day:
        monthly = piece_length(graph, dataset).text == "month"
        day = "01" if monthly else "{D:02d}"
        entry |= {
            "split_rule": "regular",
            "split_frequency": "monthly" if monthly else "daily",
            "url_pattern": f"{where}/{head}_{{Y}}{{M:02d}}{day}_v{version}.cdf",
        }
    else:
        entry |= {
            "split_rule": "random",
            "split_frequency": "yearly",
            "url_pattern": f"{where}/{head}_{{Y}}\\d+_v{version}.cdf",
            "fname_regex": rf"{head}_(?P<start>\d+)_v(?P<version>[\d\.]+)\.cdf",
        }
    return {re.sub(r"\W", "_", head): entry}


def _yaml(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return entries as YAML: every value is written as JSON, which YAML reads."""
    lines = ["# Written by SciQLOP Pipe for speasy's archive provider."]
    for name, entry in entries.items():
        lines.append(f"{name}:")
        lines += [f"  {key}: {json.dumps(value)}" for key, value in entry.items()]
    return "\n".join(lines) + "\n"


def _index(folder: Path, top: bool) -> str:
    """Return a page that lists a folder, in the form that speasy and wget read."""
    names = [
        p.name + "/" if p.is_dir() else p.name
        for p in sorted(folder.iterdir())
        if not p.name.startswith(".") and p.name != INDEX
    ]
    links = [*([] if top else ["../"]), *names]
    body = "\n".join(
        f'<li><a href="{html.escape(n, quote=True)}">{html.escape(n)}</a></li>' for n in links
    )
    title = html.escape(folder.name or "data")
    return f"<!doctype html>\n<meta charset=utf-8><title>{title}</title>\n<ul>\n{body}\n</ul>\n"


def _replace(path: Path, content: str | bytes) -> None:
    """Write a file so that readers see the old one or the new one."""
    data = content.encode() if isinstance(content, str) else content
    with part_of(path) as part:
        write_through(part, data)
        part.replace(path)
