"""How fast and lean the distributions of each instrument are read, beside the bare reader.

`python -m benchmarks.adapters [NAME ...]`, on files that the tests' writers make, with noise, gzip
and MD5. The bare reader decodes the same variables. Each way in a process of its own; CPU
time, least of the repeats, imports and small files left out. "On record" is a file of which the
caller knows by its checksum that it was read before: its MD5 is not computed again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.reading import _peak, cpu_seconds
from sciqlop_pipe.sources.cdf import open_cdf


class Instrument(NamedTuple):
    """A raw dataset, how a file of it is made, how many records, and its large variables."""

    dataset: str
    write: Callable[[Path, int], Path]
    records: int
    large: tuple[str, ...]


def _noise(*shape: int) -> np.ndarray:
    """Return counts of which a quarter is not 0, as a mission sends them."""
    return np.random.default_rng(1).poisson(0.3, shape).astype(np.float32)


def _pas(folder: Path, n: int) -> Path:
    from tests.missions.solar_orbiter import test_pas as pas

    return pas.vdf_file(folder / pas.NAME, 1e-12 * _noise(n, 11, 9, 96))


def _span(folder: Path, n: int) -> Path:
    from tests.missions.psp import test_span_vdf as span

    return span.vdf_file(folder / span.NAME, 1e6 * _noise(n, 8, 32, 8))


def _hpca(folder: Path, n: int) -> Path:
    from tests.missions.mms import test_particles_and_waves as hpca

    return hpca.hpca_file(folder / hpca.NAME, 1e-24 * _noise(16 * n, 16, 63))


def _esa(folder: Path, n: int) -> Path:
    from tests.missions.themis.files import esd_file

    return esd_file(folder / "tha_l2_esa_peif_20201119_v01.cdf", 1e4 * _noise(n, 32, 88))


def _codif(folder: Path, n: int) -> Path:
    from tests.missions.cluster.test_codif import codif_file

    return codif_file(folder, "1", "H1", 1e3 * _noise(n, 8, 16, 31))


INSTRUMENTS = {
    "pas": Instrument("solar_orbiter.swa.pas.vdf_unchecked", _pas, 2000, ("vdf",)),
    "span": Instrument("psp.spi.sf00.vdf", _span, 6000, ("EFLUX", "ENERGY", "PHI", "THETA")),
    "hpca": Instrument("mms1.hpca.hplus.srvy.vdf", _hpca, 800, (
        "mms1_hpca_hplus_phase_space_density", "mms1_hpca_azimuth_angles_per_ev_degrees")),
    "esa": Instrument("themisa.esa.peif.vdf", _esa, 6000, ("eflux", "bins")),
    "codif": Instrument("cluster1.cis.codif.h1.hs.vdf", _codif, 5000, (
        "3d_ions__C1_CP_CIS-CODIF_HS_H1_PSD",)),
}  # fmt: skip


def _packed(path: Path, names: tuple[str, ...]) -> None:
    import pycdfpp

    cdf = pycdfpp.load(str(path))
    for name in names:
        cdf[name].compression = pycdfpp.CompressionType.gzip_compression
    cdf.checksum = pycdfpp.Checksum.md5_checksum
    assert pycdfpp.save(cdf, str(path))


def measure(which: str, way: str, folder: Path, repeats: int) -> dict[str, float]:
    """Return CPU seconds, bytes and peak memory beyond the imports of one way to read a file."""
    import pycdfpp

    from sciqlop_pipe.graph import Graph

    instrument = INSTRUMENTS[which]
    dataset: Any = Graph.discover()[instrument.dataset]

    def once(path: Path) -> int:
        if way == "bare":
            cdf = pycdfpp.load(str(path))
            return sum(cdf[name].values.nbytes for name in instrument.large)
        with open_cdf(path, proven=way == "record") as cdf:
            ds = dataset.gives.check(dataset.source.adapter(cdf), "here")
        return sum(v.nbytes for v in ds.variables.values())

    (small,), (large,) = ((folder / kind).iterdir() for kind in ("small", "large"))
    once(small)  # imports, and what they start
    before, cpu, peak, size = _peak(), float("inf"), 0.0, 0
    for _ in range(repeats):
        used = cpu_seconds()
        size = once(large)
        cpu = min(cpu, cpu_seconds() - used)
        peak = peak or _peak() - before
    return {"cpu": cpu, "bytes": size, "peak": peak}


def files(which: str, home: Path) -> None:
    """Write a small and a large file of an instrument, each in a folder of its own."""
    instrument = INSTRUMENTS[which]
    for kind, records in (("small", 40), ("large", instrument.records)):
        (home / kind).mkdir()
        _packed(instrument.write(home / kind, records), instrument.large)


def main() -> None:
    """Print a line per instrument."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*INSTRUMENTS, []])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--way", choices=("bare", "dataset", "record"))
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    if args.way:
        print(json.dumps(measure(args.names[0], args.way, args.folder, args.repeats)))
        return
    for name in args.names or INSTRUMENTS:
        rows = {}
        with tempfile.TemporaryDirectory() as home:
            files(name, Path(home))
            for way in ("bare", "dataset", "record"):
                command = [sys.executable, "-m", "benchmarks.adapters", name, "--way", way,
                           "--folder", home, "--repeats", str(args.repeats)]  # fmt: skip
                said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                rows[way] = json.loads(said.splitlines()[-1])
        bare, ours, known = rows["bare"], rows["dataset"], rows["record"]
        peak = ours["peak"]
        print(
            f"{name:6} bare {1e3 * bare['cpu']:5.0f} ms, adapter {1e3 * ours['cpu']:5.0f} ms, "
            f"{bare['cpu'] / ours['cpu']:5.0%} of bare, "
            f"{bare['cpu'] / known['cpu']:5.0%} on record; decoded {bare['bytes'] / 1e6:4.0f} MB, "
            f"made {ours['bytes'] / 1e6:4.0f} MB, peak {peak / bare['bytes']:.2f} x decoded, "
            f"{peak / ours['bytes']:.2f} x made"
        )


if __name__ == "__main__":
    main()
