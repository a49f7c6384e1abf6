"""How fast and lean a CDF becomes a checked Dataset, beside the bare reader.

`python -m benchmarks.reading [FILE]` with a distribution of MMS FPI (burst, DIS), or one made here.
A file with MD5 is read in this process; any other is walked and read in the child process, whose
CPU time and memory are counted too. Each way in a process of its own; least of the repeats. Speeds
are those of CPU time: the share of bare says the same on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

WAYS = ("bare", "values", "dataset")
VDF = "mms1.fpi.dis.brst.vdf"
MAPS = ("mms1_dis_dist_brst", "mms1_dis_disterr_brst")


def measure(path: Path, way: str, repeats: int) -> dict[str, float]:
    """Return CPU and wall seconds, bytes of f and peak memory beyond the imports of one way."""
    import pycdfpp

    from sciqlop_missions.mms import mission
    from sciqlop_pipe.sources.cdf import open_cdf

    dataset = next(d for d in mission.datasets if d.name == VDF)

    def once() -> int:
        if way == "bare":
            cdf = pycdfpp.load(str(path))
            return sum(cdf[name].values.nbytes for name in MAPS if name in cdf)
        with open_cdf(path) as cdf:
            if way == "values":
                return sum(cdf.raw(n).nbytes for n in cdf.names if n in MAPS)
            ds = dataset.gives.check(dataset.source.adapter(cdf), "here")
            return sum(ds[n].nbytes for n in ("f", "f_error") if n in ds)

    small = _small(path)
    if small is not None:  # imports, the child and its imports are no part of a file
        with open_cdf(small) as cdf:
            dataset.source.adapter(cdf)
    before, wall, cpu, size = _peak(), float("inf"), float("inf"), 0
    peak = 0.0
    for _ in range(repeats):
        began, used = time.perf_counter(), cpu_seconds()
        size = once()
        wall = min(wall, time.perf_counter() - began)
        cpu = min(cpu, cpu_seconds() - used)
        # Of the first time: later the child maps the memory that it shares, counted twice then.
        peak = peak or _peak() - before
    return {"wall": wall, "cpu": cpu, "bytes": size, "peak": peak}


def _small(path: Path) -> Path | None:
    beside = path.with_name(f"small_{path.name}")
    return beside if beside.exists() else None


def _child() -> int | None:
    from sciqlop_pipe.sources.child import shared_reader

    return shared_reader().pid


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and its reader."""
    child = _child()
    if child is None:
        return time.process_time()
    # utime + stime in nanoseconds, finer than the ticks of stat.
    spent = int(Path(f"/proc/{child}/schedstat").read_text().split()[0])
    return time.process_time() + spent / 1e9


def _peak() -> float:
    # Not ru_maxrss: a process inherits that of the one that started it.
    child = _child()
    return sum(_highest(str(pid)) for pid in ("self", child) if pid is not None)


def _highest(pid: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(1024.0 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def make(path: Path, records: int, *, gzip: bool, md5: bool) -> None:
    """Write a distribution like FPI's: Poisson counts, three in four bins empty."""
    import pycdfpp

    from tests.sources.archive_cdfs import fpi_distribution

    rng = np.random.default_rng(1)
    f = rng.poisson(0.3, (records, 32, 16, 32)).astype(np.float32) * np.float32(1e-26)
    fpi_distribution(path, f)
    cdf = pycdfpp.load(str(path))
    kinds = pycdfpp.CompressionType
    for name in MAPS:
        cdf[name].compression = kinds.gzip_compression if gzip else kinds.no_compression
    if md5:
        cdf.checksum = pycdfpp.Checksum.md5_checksum
    assert pycdfpp.save(cdf, str(path))


def show(path: Path, repeats: int) -> None:
    """Print one line per way."""
    bare = 0.0
    for way in WAYS:
        command = [sys.executable, "-m", "benchmarks.reading", str(path), "--way", way,
                   "--repeats", str(repeats)]  # fmt: skip
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        row = json.loads(said.splitlines()[-1])
        speed = row["bytes"] / row["cpu"] / 1e6
        bare = bare or speed
        print(
            f"{way:8} {speed:8.0f} MB/s of CPU {speed / bare:6.0%} of bare "
            f"({row['bytes'] / row['wall'] / 1e6:.0f} MB/s of wall), "
            f"peak {row['peak'] / row['bytes']:.2f} x the data ({row['bytes'] / 1e6:.0f} MB)"
        )


def main() -> None:
    """Measure a file, or made ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--records", type=int, default=800)
    parser.add_argument("--way", choices=WAYS)
    args = parser.parse_args()
    if args.way:
        print(json.dumps(measure(args.file, args.way, args.repeats)))
        return
    if args.file is not None:
        show(args.file, args.repeats)
        return
    with tempfile.TemporaryDirectory() as folder:
        for gzip in (True, False):
            for md5 in (True, False):
                path = Path(folder) / "mms1_fpi_brst_l2_dis-dist_20201119233433_v3.3.0.cdf"
                make(path, args.records, gzip=gzip, md5=md5)
                make(path.with_name(f"small_{path.name}"), 2, gzip=gzip, md5=md5)
                print(f"{'gzip' if gzip else 'uncompressed'}, {'MD5' if md5 else 'no MD5'}")
                show(path, args.repeats)


if __name__ == "__main__":
    main()
