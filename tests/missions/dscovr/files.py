"""Files of DSCOVR as public readers name things, made for the tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.sources.archive_cdfs import FILL, Writer, times

START = np.datetime64("2019-06-01T00:00:30", "ns")


def field_file(folder: Path, b: np.ndarray) -> Path:
    """Write a field (n, 3) [nT] at 1 s, the same in both frames."""
    out = Writer()
    out.time("Epoch1", times(len(b), "1s", START))
    for frame in ("GSE", "RTN"):
        out.add(f"B1{frame}", b, DEPEND_0="Epoch1", UNITS="nT", FILLVAL=FILL)
    return out.save(folder / "dscovr_h0_mag_20190601_v01.cdf")


def proton_file(folder: Path, v: np.ndarray) -> Path:
    """Write protons of 5 cm^-3 and 1e5 K that fly at v (n, 3) [km/s], every minute."""
    n = len(v)
    out = Writer()
    out.time("Epoch", times(n, "60s", START))
    out.add("Np", np.full(n, 5, "f4"), DEPEND_0="Epoch", UNITS="cm^-3", FILLVAL=FILL)
    out.add("V_GSE", v, DEPEND_0="Epoch", UNITS="km/s", FILLVAL=FILL)
    out.add("THERMAL_TEMP", np.full(n, 1e5, "f4"), DEPEND_0="Epoch", UNITS="K", FILLVAL=FILL)
    return out.save(folder / "dscovr_h1_fc_20190601_v01.cdf")
