"""What the tests of every mission ask of its table of contents and of the real files."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.model import Dataset, Mission


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
    with found.source.open(path) as cdf:
        ds = found.gives.check(found.source.adapter(cdf), str(path))
        first, last = found.source.adapter.extent(cdf)
    assert [first, last] == list(ds["time"].values[[0, -1]].astype(np.int64))
    return ds


def check_contents(mission: Mission) -> None:
    """Assert what is so of every mission: named, described, cited, bound by type, picklable."""
    datasets = {d.name: d for d in mission.datasets}
    assert len(datasets) == len(mission.datasets)
    assert all(d.description for d in mission.datasets)
    assert mission.citation
    assert mission.authors
    for made in (d for d in mission.datasets if not d.is_raw):
        for argument, name in made.inputs:
            # What another mission offers is for the graph to find.
            if name in datasets or name.startswith(mission.name):
                assert datasets[name].gives == made.argument(argument).datatype
    for one in mission.datasets:
        assert pickle.loads(pickle.dumps(one)) == one
