"""Inputs that go to this project and to its peers alike.

Nothing is imported from `tests`: a peer may install a package of that name.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from unittest import mock

import numpy as np
import pytest
import xarray as xr

TESTS = Path(__file__).resolve().parent.parent


def loaded(path: Path) -> ModuleType:
    """Return a module by its path."""
    name = f"peers_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def made() -> ModuleType:
    """Small series: `vector`, `position`, `moments`."""
    return loaded(TESTS / "fields.py")


@pytest.fixture(scope="session")
def waves() -> ModuleType:
    """Waveforms: `series`, `steady`, `wave`."""
    return loaded(TESTS / "waves.py")


@pytest.fixture(scope="session")
def feeding() -> ModuleType:
    """How the benchmarks feed distributions to the peers."""
    return loaded(TESTS.parent / "benchmarks" / "peers.py")


@pytest.fixture(scope="session")
def sheath() -> tuple[xr.Dataset, object, np.ndarray, np.ndarray]:
    """Magnetosheath ions as an ideal FPI sees them, their truth, edges of energy."""
    analytic = loaded(TESTS / "analytic.py")
    plasma = analytic.BiMaxwellian(5, (-250, 80, 40), 400, 600, (3.0, -8.0, 15.0))
    lower, upper = analytic.geometric(analytic.FPI_2015)
    seen = analytic.vdf([plasma, plasma], analytic.FPI_2015, spin=np.zeros(2), nodes=4)
    return seen, plasma.truth(lower.min(), upper.max()), lower, upper


@pytest.fixture(scope="session")
def sheet(made: ModuleType) -> xr.Dataset:
    """Field [nT] across a noisy current sheet, 512 records."""
    s = np.linspace(-3, 3, 512)
    lmn = np.linalg.qr([[0.2, 0.5, 1.0], [0.3, -1.0, 0.4], [1.0, 0.2, -0.1]])[0]
    b = np.stack([30 * np.tanh(s), 12 / np.cosh(s), 3 + 0 * s], axis=1) @ lmn.T
    return made.vector(b + np.random.default_rng(5).normal(0, 0.4, b.shape), seconds=0.1)


@pytest.fixture(scope="session")
def four(made: ModuleType) -> tuple[list[xr.Dataset], list[xr.Dataset]]:
    """Field and place of four spacecraft in a field that is not linear."""
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]]) * 5.0
    corners = corners @ np.array([[1.2, 0.3, 0], [0, 0.8, 0.4], [-0.2, 0, 1.1]])
    drift, centre = np.array([2.0, -1.0, 0.5]), np.array([6e4, 2e4, -5e3])
    seconds = np.arange(400) / 8.0
    since, fields, places = 30.0 * np.arange(4) - 30, [], []
    for k, corner in enumerate(corners):
        at = corner * (1 + 1e-3 * k) + drift * seconds[:, None]
        b = np.stack([25 * np.tanh(at[:, 2] / 30), 5 + 0.05 * at[:, 0], 2 + 0.1 * at[:, 1]], 1)
        fields.append(made.vector(b, seconds=1 / 8))
        where = centre + corner * (1 + 1e-3 * k) + drift * since[:, None]
        places.append(made.position(where, made.clock(4, 30.0, -30.0)))
    return fields, places


@pytest.fixture(scope="session")
def year(made: ModuleType) -> xr.Dataset:
    """Vectors in GSE every 31 hours of 2018."""
    values = np.random.default_rng(2).normal(0, 10, (280, 3))
    time = np.datetime64("2018-01-03T01:00", "ns") + np.arange(280) * np.timedelta64(31, "h")
    return made.vector(values, time)


@pytest.fixture(scope="session")
def feeps_files() -> ModuleType:
    """Files of FEEPS in the archive's layout: `feeps_file`, `intensities`; `fgm` beside them."""
    archive = loaded(TESTS / "sources" / "archive_cdfs.py")
    ours = {name: ModuleType(name) for name in ("tests", "tests.sources")}
    with mock.patch.dict(sys.modules, ours | {"tests.sources.archive_cdfs": archive}):
        found = loaded(TESTS / "missions" / "mms" / "feeps_files.py")
    found.fgm = archive.fgm
    return found
