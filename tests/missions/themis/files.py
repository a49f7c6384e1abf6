"""THEMIS files in the layout of the archive, written by the tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.sources.archive_cdfs import START, Writer

SPIN = np.timedelta64(3000, "ms")
SECONDS = START.astype(np.int64) / 1e9

__all__ = ["SPIN", "START", "esd_file", "l2_file", "sky"]


def sky(bins: int) -> np.ndarray:
    """Return latitude, azimuth, their widths [deg] and solid angle [sr] (5, bins) of a mode.

    88 and 176 directions are bands of latitude with fewer azimuths near the poles, 6 are half a
    sky of latitude by a third of azimuth.
    """
    bands = {
        6: ((-45, 90, 3), (45, 90, 3)),
        88: tuple((s * lat, 22.5, m) for s in (-1, 1)
                  for lat, m in ((78.75, 4), (56.25, 8), (33.75, 16), (11.25, 16))),
        176: tuple((s * lat, 22.5, m) for s in (-1, 1)
                   for lat, m in ((78.75, 8), (56.25, 16), (33.75, 32), (11.25, 32))),
    }[bins]  # fmt: skip
    rows = []
    for latitude, height, count in bands:
        top, low = np.deg2rad([latitude + height / 2, latitude - height / 2])
        width = 360 / count
        solid = (np.sin(top) - np.sin(low)) * np.deg2rad(width)
        rows += [(latitude, width * (k + 0.5), height, width, solid) for k in range(count)]
    assert len(rows) == bins
    return np.array(rows).T


def esd_file(path: Path, flux: np.ndarray, *, phi_offset: np.ndarray | None = None,
             modes: tuple[tuple[int, int], ...] = (), valid: np.ndarray | None = None,
             flags: np.ndarray | None = None, angles: int = 0) -> Path:  # fmt: skip
    """Write a distribution file: `flux` (n, 32, bins) in eV/(cm^2 s sr eV), flow directions.

    Record i is of mode i where `modes` gives (energies, angles) of more than one.
    """
    n, energies, bins = flux.shape
    many = modes or ((energies, bins),)
    which = (np.arange(n) if modes else np.zeros(n)).astype(np.int16)
    level = np.zeros((energies, len(many)), np.float32)
    table = np.zeros((5, energies, angles or bins, len(many)), np.float32)
    for k, (used, directions) in enumerate(many):
        level[:used, k] = np.geomspace(25000, 6, used)
        table[:, :, :directions, k] = sky(directions)[:, None]
    out = Writer()
    start = SECONDS + 3.0 * np.arange(n)
    for name, values in (("time", start), ("end_time", start + 3.0)):
        out.add(name, values, UNITS="s", VAR_TYPE="support_data")
    out.add("eflux", flux.astype(np.float32), UNITS="eV/sr/sec", FILLVAL=np.float32(-1e31))
    good = np.ones(flux.shape, np.uint8)
    good[:, 0] = 0
    out.add("bins", good)
    for name in ("en_ind", "an_ind"):
        out.add(name, which)
    out.add("valid", np.ones(n, np.uint8) if valid is None else valid)
    out.add("data_quality", np.zeros(n, np.int16) if flags is None else flags)
    out.add("phi_offset", np.zeros(n, np.float32) if phi_offset is None else phi_offset)
    out.add("energy", level, fixed=True, UNITS="eV")
    for name, column in (("nenergy", 0), ("nbins", 1)):
        out.add(name, np.array([mode[column] for mode in many], np.int16), fixed=True)
    for name, values in zip(("theta", "phi", "dtheta", "dphi", "domega"), table, strict=True):
        out.add(name, values, fixed=True, UNITS="sr" if name == "domega" else "deg")
    return out.save(path)


def l2_file(path: Path, probe: str, product: str) -> Path:
    """Write moments of a product, or without one field and positions: two records each."""
    out, th = Writer(), f"th{probe}"
    seconds = SECONDS + np.array([0.0, 3.0])
    three = np.array([[1, 2, 3], [np.nan] * 3], np.float32)

    def timed(time: str) -> dict[str, str]:
        return {"DEPEND_TIME": time, "DEPEND_0": time.replace("time", "epoch")}

    def add(name: str, values: object, units: str, time: str) -> None:
        out.add(f"{th}_{name}", np.asarray(values, np.float32), UNITS=units, **timed(time))

    if product:
        time = f"{th}_{product}_time"
        out.add(time, seconds, UNITS="sec")
        for name, values, units in (
            ("density", [5, 6], "1/cc"), ("avgtemp", [200, 200], "eV"),
            ("velocity_dsl", np.ones((2, 3)), "km/s"), ("velocity_gse", np.ones((2, 3)), "km/s"),
            ("ptens", [[1000, 2000, 3000, 4000, 5000, 6000]] * 2, "eV/cm^3"),
            ("magt3", [[100, 200, 300]] * 2, "eV"), ("t3_mag", [[100, 200, 300]] * 2, "eV"),
            ("en_eflux", np.ones((2, 32)), "eV/(cm^2-s-sr-eV)"),
            ("en_eflux_yaxis", np.geomspace(25000, 6, 32)[None].repeat(2, 0), "eV"),
        ):  # fmt: skip
            add(f"{product}_{name}", values, units, time)
        out.add(f"{th}_{product}_data_quality", np.zeros(2, np.uint16), **timed(time))
        if product == "peim":
            add("pxxm_pot", [8, 9], "V", time)
        return out.save(path)
    for mode in ("fgs", "fgl", "fgh"):
        out.add(f"{th}_{mode}_time", seconds, UNITS="sec")
        for frame in ("gse", "gsm", "dsl"):
            add(f"{mode}_{frame}", three, "nT", f"{th}_{mode}_time")
    out.add(f"{th}_state_time", seconds, UNITS="sec")
    for frame in ("gse", "gsm"):
        add(f"pos_{frame}", [[60000, 0, 1000]] * 2, "km", f"{th}_state_time")
        add(f"vel_{frame}", [[1, 0, 0]] * 2, "km/s", f"{th}_state_time")
    return out.save(path)
