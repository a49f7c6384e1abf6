"""Windows of six kinds of plasma, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sciqlop_pipe.constants import ELEMENTARY_CHARGE, PROTON_MASS
from sciqlop_pipe.detect.learning import plasma_regions as six
from sciqlop_pipe.detect.learning.windows import ENERGIES
from tests.detect.learning.jets import Taught, taught

#: n [cm^-3], T [eV], energy of the flow [eV], |B| [nT], relative fluctuations.
PLASMAS = (
    (5.0, 20.0, 1000.0, 6.0, 0.01),
    (4.0, 90.0, 900.0, 5.0, 0.10),
    (25.0, 250.0, 250.0, 15.0, 0.08),
    (0.7, 5000.0, 1.0, 45.0, 0.01),
    (0.2, 7000.0, 1.0, 12.0, 0.04),
    (0.06, 450.0, 1.0, 22.0, 0.02),
)


def spectrum(n: np.ndarray, t: np.ndarray, flow: float) -> np.ndarray:
    """Return the flux of a Maxwellian that streams, averaged over directions, (record, energy)."""
    e, t = ENERGIES, t[:, None]
    two = 2 * np.sqrt(e * max(flow, 1e-3)) / t
    # f of a drifting Maxwellian averaged over directions: exp(-(E + E0)/T) sinh(x)/x.
    log = -(e + flow) / t + np.log1p(-np.exp(-2 * two)) + two - np.log(2 * two)
    f = (PROTON_MASS / (2 * np.pi * t * ELEMENTARY_CHARGE)) ** 1.5 * 1e6 * n[:, None] * np.exp(log)
    return (
        2
        * (e * ELEMENTARY_CHARGE) ** 2
        / PROTON_MASS**2
        * f
        * 1e-4
        / ELEMENTARY_CHARGE
        * (ELEMENTARY_CHARGE)
    )


def made(
    passes: int = 3, windows: int = 2, seed: int = 0, classes: int = 6
) -> dict[str, np.ndarray]:
    """Return the arrays of a file of windows: some passes of each class, each another climate."""
    rng = np.random.default_rng(seed)
    flux, params, label, group = [], [], [], []
    for k in range(classes):
        n0, t0, flow, b0, noise = PLASMAS[k]
        for p in range(passes):
            climate = np.exp(rng.normal(0, 0.15, 3))
            for _ in range(windows):
                n, t, b = (
                    x * c * np.exp(noise * rng.normal(size=40))
                    for x, c in zip((n0, t0, b0), climate, strict=True)
                )
                flux.append(spectrum(n, t, flow))
                params.append(np.stack([b, t + flow * 0.02, np.full(40, 10.0)], axis=1))
                label.append(k)
                group.append(k * passes + p)
    return {"flux": np.array(flux, np.float32), "params": np.array(params, np.float32),
            "label": np.array(label, np.int8), "group": np.array(group)}  # fmt: skip


@pytest.fixture
def windows_file(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes windows, with arrays put in the place of others."""

    def write(name: str = "windows.npz", how: dict | None = None, **arrays: object) -> Path:
        data = made(**(how or {})) | arrays
        np.savez(tmp_path / name, **{k: v for k, v in data.items() if v is not None})
        return tmp_path / name

    return write


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make training of regions a matter of a second."""
    monkeypatch.setattr(six, "_STRENGTHS", (1.0,))
    monkeypatch.setattr(six, "_STEP", 20)
    monkeypatch.setattr(six, "_COPIES", 2)
    monkeypatch.setattr(six, "_INNER", 2)


@pytest.fixture(scope="session")
def jets(tmp_path_factory: pytest.TempPathFactory) -> Taught:
    """Return a model of jets that was trained from a list."""
    pytest.importorskip("skops", reason="trained models need the extra `detect`")
    return taught(tmp_path_factory.mktemp("jets"))
