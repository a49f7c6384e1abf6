"""FEEPS files as the archive's, by the names that public readers use (version 7)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.sources.archive_cdfs import FILL, Writer, times

EYES = {"electron": (1, 2, 3, 4, 5, 9, 10, 11, 12), "ion": (6, 7, 8)}
DAY = np.datetime64("2017-09-10T10:00", "ns")


def intensities(n: int, eyes: int, seed: int = 1) -> np.ndarray:
    """Return (n, eyes, 16) intensities, none of them 0 [cm^-2 s^-1 sr^-1 keV^-1]."""
    return (1 + np.random.default_rng(seed).gamma(2, 50, (n, eyes, 16))).astype("f4")


def feeps_file(
    folder: Path,
    flux: np.ndarray,
    *,
    probe: str = "1",
    mode: str = "srvy",
    species: str = "electron",
    start: np.datetime64 = DAY,
    only: tuple[str, ...] = (),
    sectors: np.ndarray | None = None,
    indicator: np.ndarray | None = None,
    angles: np.ndarray | None = None,
    units: str = "1/(cm^2-sr-s-keV)",
) -> Path:
    """Write a file: flux (n, eyes, 16), eyes of the top head first; `only` some of the eyes."""
    n = len(flux)
    base = f"mms{probe}_epd_feeps_{mode}_l2_{species}"
    step = "2500ms" if mode == "srvy" else "312500us"
    out = Writer().time("Epoch", times(n, step, start))
    number = np.arange(n) * (8 if mode == "srvy" else 1) % 64 if sectors is None else sectors
    out.add(f"{base}_spinsectnum", number.astype(np.uint8), DEPEND_0="Epoch", UNITS=" ")
    out.add(f"{base}_energy", np.arange(1.0, 17), fixed=True, UNITS="keV")
    if angles is not None:
        out.add(f"{base}_pitch_angle", angles, DEPEND_0="Epoch", UNITS="deg", FILLVAL=FILL)
    names = [(head, i) for head in ("top", "bottom") for i in EYES[species]]
    for k, (head, i) in enumerate(names):
        if only and f"{head}{i}" not in only:
            continue
        for quantity in ("intensity", "count_rate"):
            out.add(f"{base}_{head}_{quantity}_sensorid_{i}", np.ascontiguousarray(flux[:, k]),
                    DEPEND_0="Epoch", DEPEND_1=f"{base}_energy", FILLVAL=FILL,
                    UNITS=units if quantity == "intensity" else "counts/s")  # fmt: skip
        code = np.zeros(n, np.uint8) if indicator is None else indicator[:, k].astype(np.uint8)
        out.add(f"{base}_{head}_quality_indicator_sensorid_{i}", code, DEPEND_0="Epoch", UNITS=" ")
    stamp = np.datetime_as_string(start, unit="s").translate({45: None, 58: None, 84: None})
    return out.save(folder / f"mms{probe}_feeps_{mode}_l2_{species}_{stamp}_v7.1.1.cdf")
