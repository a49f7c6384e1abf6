"""Every real file of a mission is read whole, or refused with the reason, or salvaged."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import cdflib
import numpy as np
import pytest

from sciqlop_pipe.errors import SourceError, TruncatedFile
from sciqlop_pipe.granule import duration
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.sources.archive import list_archives
from tests.conftest import ROOT

SOURCES = [d for d in Graph.discover() if d.source is not None]
FOLDER = Path(os.environ.get("SCIQLOP_PIPE_TEST_DATA") or ROOT.parent / "shared" / "data")

NOT_BINDING = {
    "README.md": "about the files",
    "ml/": "labelled sets, cut and prepared: no files of an archive",
    "catalogues/": "lists of events",
    "icme/HELIO4CAST": "a list of events",
    "icme/omni_hourly_1998_2002": "seven columns that somebody took out of OMNI 2",
    "themis/artemis_lunar_tail": "a test set of arrays in HDF5, 11 min apart",
}


def files() -> list[str]:
    """Return the files of binding missions, relative to their folder."""
    found = [p.relative_to(FOLDER).as_posix() for p in FOLDER.rglob("*") if p.is_file()]
    return sorted(f for f in found if "/" in f and not f.startswith(tuple(NOT_BINDING)))


def truncated() -> set[str]:
    """Return the files that the folder's README tells to be cut short."""
    readme = FOLDER / "README.md"
    lines = readme.read_text().splitlines() if readme.is_file() else []
    rows = (re.match(r"\| `([^`]+)`", line) for line in lines if "TRUNCATED in the origin" in line)
    return {row[1] for row in rows if row}


FILES, TRUNCATED = files(), truncated()
pytestmark = pytest.mark.skipif(not FILES, reason=f"no real mission files in {FOLDER}")


def claiming(name: str):
    """Return the datasets whose patterns fit a file; there is one at least."""
    base = Path(name).name
    found = [d for d in SOURCES if any(p.match(base) for p in d.source.patterns)]
    assert found, f"no dataset claims {name}"
    return found


def counts(path: Path) -> set[int]:
    """Return how many records the clocks of a file have, or how many rows, by another reader."""
    if path.suffix == ".cdf":
        cdf = cdflib.CDF(path)
        info = cdf.cdf_info()
        names = [*info.zVariables, *info.rVariables]
        clocks = (v for v in map(cdf.varinq, names) if "EPOCH" in v.Data_Type_Description.upper()
                  or "TT2000" in v.Data_Type_Description)  # fmt: skip
        return {v.Last_Rec + 1 for v in clocks}
    text = (gzip.open if path.suffix == ".gz" else open)(path, "rt").read()
    return {sum(bool(re.match(r"\s*[-\d.]+[\s/-]", line)) for line in text.splitlines())}


def within_its_name(source, path: Path, time: np.ndarray) -> bool:
    """Tell whether granules will look for records in the file: its name must claim them all.

    A name that tells a stop in whole seconds may be a second short.
    """
    raw = next(f for f in source.candidates(list_archives([str(path)])) if f.name == path.name)
    span, ns = source.extent(raw), time.astype(np.int64)
    return span.start <= ns.min() and ns.max() <= span.stop + source.late + 10**9


@pytest.mark.parametrize("name", [f for f in FILES if f not in TRUNCATED])
def test_a_whole_file_is_read_into_its_types_with_as_many_records_as_it_has(name):
    path, found = FOLDER / name, claiming(name)
    known = counts(path)
    with found[0].source.open(path) as cdf:
        for dataset in found:
            ds = dataset.gives.check(dataset.source.adapter(cdf), name)
            assert ds.sizes["time"] in known, dataset.name
            assert within_its_name(dataset.source, path, ds["time"].values), dataset.name
            if dataset.cadence and ds.sizes["time"] > 2:
                step = np.median(np.diff(ds["time"].values).astype(np.int64))
                assert step == pytest.approx(duration(dataset.cadence), rel=0.02), dataset.name


@pytest.mark.parametrize("name", sorted(TRUNCATED & set(FILES)))
def test_a_file_cut_short_is_refused_with_what_is_missing_or_salvaged(name):
    path = FOLDER / name
    for dataset in claiming(name):
        with pytest.raises(TruncatedFile, match=r"\d+ bytes"):
            dataset.source.open(path)
        with dataset.source.open(path, salvage=True) as cdf:
            assert cdf.lost
            ds = dataset.gives.check(dataset.source.adapter(cdf), name)
            held = {v for v in cdf.names if cdf.is_record_varying(v)}
            assert ds.sizes["time"] == len(cdf.times("Epoch"))
            assert set(ds.attrs.get("lost", "").split(", ")) - {""} <= set(cdf.lost)
            assert held.isdisjoint(cdf.lost)


def test_the_files_that_the_readme_says_are_cut_short_are_those_that_are_refused():
    refused = set()
    for name in (f for f in FILES if f.endswith(".cdf")):
        source = claiming(name)[0].source
        try:
            source.open(FOLDER / name).close()
        except TruncatedFile:
            refused.add(name)
    assert refused == TRUNCATED & set(FILES)


def test_every_file_that_no_dataset_claims_is_known_not_to_belong_to_a_binding_mission():
    claimed = [
        f for f in FILES if any(p.match(Path(f).name) for d in SOURCES for p in d.source.patterns)
    ]
    assert claimed == FILES
    assert len(FILES) >= 89


def test_a_file_cut_anywhere_is_refused(tmp_path):
    """Not by luck: whole files, cut at a few places each, are refused without harm."""
    for name in [f for f in FILES if f not in TRUNCATED][::9]:
        whole = (FOLDER / name).read_bytes()
        for share in (0.1, 0.5, 0.999):
            cut = tmp_path / Path(name).name
            cut.write_bytes(whole[: int(len(whole) * share) - 1])
            source = claiming(name)[0].source
            with pytest.raises(SourceError), source.open(cut) as cdf:
                source.adapter(cdf)
