"""Small CDF files in the layout of real archives, written by the tests that need them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pycdfpp

FILL = np.float32(-1e31)
START = np.datetime64("2020-11-19T23:34:33.1", "ns")


class Writer:
    """Collects variables and writes one CDF file."""

    def __init__(self) -> None:
        self.cdf = pycdfpp.CDF()

    def add(self, name: str, values: Any, *, fixed: bool = False, **attrs: Any) -> Writer:
        """Add a variable; `fixed` for one that does not vary by record."""
        values = np.asarray(values)
        attrs.setdefault("VAR_TYPE", "data" if "DEPEND_0" in attrs else "support_data")
        known = {k: v if isinstance(v, str) else np.atleast_1d(v) for k, v in attrs.items()}
        if fixed:
            values = values[None] if values.ndim else values.reshape(1)
        self.cdf.add_variable(name, values=values, is_nrv=fixed, attributes=known)
        return self

    def time(self, name: str, values: np.ndarray, **attrs: str) -> Writer:
        """Add a TT2000 time variable."""
        self.cdf.add_variable(
            name,
            values=values,
            data_type=pycdfpp.DataType.CDF_TIME_TT2000,
            attributes={"FIELDNAM": "Time tags", "VAR_TYPE": "support_data", **attrs},
        )
        return self

    def save(self, path: Path) -> Path:
        """Write the file."""
        assert pycdfpp.save(self.cdf, str(path))
        return path


def times(n: int, step: str, start: np.datetime64 = START) -> np.ndarray:
    """Return n times, `step` apart ("150ms")."""
    digits = "".join(c for c in step if c.isdigit())
    return start + np.arange(n) * np.timedelta64(int(digits), step.removeprefix(digits))


FPI_THETA = np.float32(5.625) + np.arange(16, dtype=np.float32) * np.float32(11.25)
FPI_TABLES = (
    np.geomspace(10.64, 27525.0, 32).astype(np.float32),
    np.geomspace(12.06, 31198.0, 32).astype(np.float32),
)


def fpi_distribution(path: Path, f: np.ndarray, *, probe: str = "1", sensor: str = "dis",
                     mode: str = "brst", flags: np.ndarray | None = None,
                     tables: tuple[np.ndarray, ...] = FPI_TABLES[:1],
                     start: np.datetime64 = START) -> Path:  # fmt: skip
    """Write an FPI dist file: phi per record in burst, fixed in fast; look directions.

    `f` is (n, 32, 16, 32) in s^3/cm^6. With two tables they alternate, and the parity with them.
    """
    n = len(f)
    step = {"fast": "4500ms", "dis": "150ms", "des": "30ms"}["fast" if mode == "fast" else sensor]
    seconds = np.float32(int(step[:-2]) / 1000)

    def name(quantity: str) -> str:
        return f"mms{probe}_{sensor}_{quantity}_{mode}"

    out = Writer()
    out.time("Epoch", times(n, step, start), DELTA_PLUS_VAR="Epoch_plus_var",
             DELTA_MINUS_VAR="Epoch_minus_var", VAR_NOTES="begin-time")  # fmt: skip
    out.add("Epoch_plus_var", seconds, fixed=True, UNITS="s")
    out.add("Epoch_minus_var", np.float32(0), fixed=True, UNITS="s")
    out.add(name("errorflags"), np.zeros(n, np.uint32) if flags is None else flags,
            DEPEND_0="Epoch", FILLVAL=np.uint32(4294967295))  # fmt: skip
    out.add(name("steptable_parity"), (np.arange(n) % 2).astype(np.uint8), DEPEND_0="Epoch")
    if mode == "brst":
        spin = (7.625 - 0.54 * np.arange(n, dtype=np.float32))[:, None]
        phi = ((spin + np.arange(32) * 11.25) % 360).astype(np.float32)
        out.add(name("phi"), phi, DEPEND_0="Epoch", UNITS="deg", FILLVAL=FILL)
    else:
        phi = (5.625 + np.arange(32) * 11.25).astype(np.float32)
        out.add(name("phi"), phi, fixed=True, UNITS="deg", FILLVAL=FILL)
    half = np.float32(5.625)
    out.add(name("phi_delta"), np.full(32, half), fixed=True, UNITS="deg")
    out.add(name("theta"), FPI_THETA, fixed=True, UNITS="deg", FILLVAL=FILL)
    out.add(name("theta_delta"), np.full(16, half), fixed=True, UNITS="deg")
    energy = np.stack([tables[i % len(tables)] for i in range(n)]) if n else np.empty((0, 32), "f4")
    out.add(name("energy"), energy, DEPEND_0="Epoch", UNITS="eV", FILLVAL=FILL)
    out.add(name("energy_delta"), energy * np.float32(0.13), DEPEND_0="Epoch", UNITS="eV")
    depend = {"DEPEND_0": "Epoch"} | {
        f"DEPEND_{i}": name(v) for i, v in enumerate(("phi", "theta", "energy"), 1)
    }
    f = np.asarray(f, np.float32)
    out.add(name("dist"), f, UNITS="s^3/cm^6", FILLVAL=FILL, **depend)
    out.add(name("disterr"), f, UNITS="s^3/cm^6", FILLVAL=FILL, **depend)
    return out.save(path)


def fgm(path: Path, b: np.ndarray, *, probe: str = "1", mode: str = "srvy",
        flags: np.ndarray | None = None, start: np.datetime64 = START) -> Path:  # fmt: skip
    """Write an FGM file: `b` (n, 3) nT in every frame, |B| as a fourth column."""
    n = len(b)
    four = np.column_stack([b, np.linalg.norm(b, axis=1)]).astype(np.float32)
    out = Writer()
    half = f"mms{probe}_fgm_bdeltahalf_{mode}_l2"
    out.time("Epoch", times(n, "62500us", start), DELTA_PLUS_VAR=half, DELTA_MINUS_VAR=half)
    for frame in ("gse", "gsm", "dmpa", "bcs"):
        out.add(f"mms{probe}_fgm_b_{frame}_{mode}_l2", four, DEPEND_0="Epoch", UNITS="nT",
                FILLVAL=FILL, CATDESC="Magnetic field vector")  # fmt: skip
    out.add(f"mms{probe}_fgm_flag_{mode}_l2", np.zeros(n, np.uint32) if flags is None else flags,
            DEPEND_0="Epoch", UNITS=" ", FILLVAL=np.uint32(4294967295))  # fmt: skip
    out.add(half, np.full(n, 0.03125, np.float32), DEPEND_0="Epoch", UNITS="s")
    return out.save(path)


def cluster_hia(path: Path, f: np.ndarray, *, probe: str = "1",
                duration: np.ndarray | None = None, start: np.datetime64 = START) -> Path:  # fmt: skip
    """Write a Cluster HIA 3D file: (time, theta, phi, energy) in s^3/km^6, flow directions.

    `f` is (n, 8, 16, 31). The angles are those of 2001-07-31, bin centres.
    """
    n = len(f)

    def name(quantity: str) -> str:
        return f"{quantity}__C{probe}_CP_CIS-HIA_HS_MAG_IONS_PSD"

    tag = name("time_tags")
    out = Writer()
    out.time(tag, times(n, "12064ms", start), CATDESC="Acquisition interval start time")
    out.add(name("duration"), np.full(n, 12.064, np.float32) if duration is None else duration,
            DEPEND_0=tag, UNITS="s", FILLVAL=np.float32(0))  # fmt: skip
    theta = np.float32(-78.75) + np.float32(22.5) * np.arange(8, dtype=np.float32)
    phi = ((134.583 - 22.5 * np.arange(16)) % 360).astype(np.float32)
    energy = np.geomspace(28898.33, 5.56, 31).astype(np.float32)
    ratio = np.float32(np.sqrt(energy[0] / energy[1]))
    out.add(name("theta"), theta, fixed=True, UNITS="deg", CATDESC="Polar bin edges")
    out.add(name("phi"), phi, fixed=True, UNITS="deg", CATDESC="Azimuthal bin edges")
    out.add(name("energy_table"), energy, fixed=True, UNITS="eV", FILLVAL=FILL)
    out.add(name("delta_plus_energy_table"), energy * (ratio - 1), fixed=True, UNITS="eV")
    out.add(name("delta_minus_energy_table"), energy * (1 - 1 / ratio), fixed=True, UNITS="eV")
    depend = {f"DEPEND_{i}": name(v) for i, v in enumerate(("theta", "phi", "energy_table"), 1)}
    out.add(name("3d_ions"), np.asarray(f, np.float32), UNITS="Particles s^3 km^-6", FILLVAL=FILL,
            DEPEND_0=tag, **depend)  # fmt: skip
    return out.save(path)
