"""What the tests of every mission ask of its table of contents and of the real files."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.model import Dataset, Mission
from sciqlop_pipe.sources.cdf import open_cdf


def real(shared_data: Path, relative: str) -> Path:
    """Return a real file; the test skips where it is absent."""
    path = shared_data / relative
    if not path.exists():
        pytest.skip(f"{path} is absent")
    return path


def dataset(mission: Mission, name: str) -> Dataset:
    """Return a dataset of a mission by name."""
    return next(d for d in mission.datasets if d.name == name)


def read(mission: Mission, name: str, path: Path) -> xr.Dataset:
    """Return a file as a raw dataset, checked; its name must be one that the dataset claims."""
    found = dataset(mission, name)
    assert any(pattern.match(path.name) for pattern in found.source.patterns), path.name
    with open_cdf(path) as cdf:
        ds = found.gives.check(found.source.adapter(cdf), str(path))
        first, last = found.source.adapter.extent(cdf)
    assert [first, last] == list(ds["time"].values[[0, -1]].astype(np.int64))
    return ds


def read_every_file(mission: Mission, folder: Path, pattern: str) -> list[str]:
    """Read every real file as every dataset that claims it; return those that none claims.

    Asserts that each has as many records as one of the file's clocks. Skips without a file.
    """
    files = sorted(folder.glob(pattern))
    if not files:
        pytest.skip(f"no {pattern} in {folder}")
    sources = [d for d in mission.datasets if d.source is not None]
    unclaimed = []
    for file in files:
        claiming = [d for d in sources if any(p.match(file.name) for p in d.source.patterns)]
        if not claiming:
            unclaimed.append(file.name)
            continue
        with open_cdf(file) as cdf:
            clocks = {cdf.depend(name, 0) for name in cdf.names} | {"Epoch"}
            counts = {cdf.times(clock).size for clock in clocks if clock and cdf.has(clock)}
        for found in claiming:
            assert read(mission, found.name, file).sizes["time"] in counts, (found.name, file.name)
    return unclaimed


def check_contents(mission: Mission) -> None:
    """Assert what is so of every mission: named, described, cited, bound by type, picklable."""
    datasets = {d.name: d for d in mission.datasets}
    assert len(datasets) == len(mission.datasets)
    assert all(d.description for d in mission.datasets)
    assert mission.citation
    assert mission.authors
    for made in (d for d in mission.datasets if not d.is_raw):
        for argument, name in made.inputs:
            assert datasets[name].gives == made.argument(argument).datatype
    for one in mission.datasets:
        assert pickle.loads(pickle.dumps(one)) == one
