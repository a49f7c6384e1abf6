"""How fast and lean a CDF becomes a checked Dataset, beside the bare reader.

`python benchmarks/reading.py FILE` with a distribution of MMS FPI (burst, DIS), or without a file
with one made here. Three ways: pycdfpp alone; a file whose MD5 is proven, in this process; and any
other, walked and read in the child process. Each way in a process of its own; least of the repeats.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

WAYS = ("bare", "values", "dataset")


def measure(path: Path, way: str, repeats: int) -> dict[str, float]:
    """Return seconds, bytes of f and peak memory beyond the imports of one way."""
    import pycdfpp

    from sciqlop_missions.mms import mission
    from sciqlop_pipe.sources.cdf import open_cdf

    dataset = next(d for d in mission.datasets if d.name == "mms1.fpi.dis.brst.vdf")
    best, size = float("inf"), 0

    def once() -> int:
        if way == "bare":
            cdf = pycdfpp.load(str(path))
            return sum(
                cdf[name].values.nbytes
                for name in ("mms1_dis_dist_brst", "mms1_dis_disterr_brst")
                if name in cdf
            )
        with open_cdf(path) as cdf:
            if way == "values":
                names = [n for n in cdf.names if "dist" in n]
                return sum(cdf.raw(n).nbytes for n in names)
            ds = dataset.gives.check(dataset.source.adapter(cdf), "here")
            return ds["f"].nbytes + (ds["f_error"].nbytes if "f_error" in ds else 0)

    before = _peak()
    for _ in range(repeats):
        began = time.perf_counter()
        size = once()
        best = min(best, time.perf_counter() - began)
    return {"seconds": best, "bytes": size, "peak": _peak() - before}


def _peak() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return own * 1024.0


def main() -> None:
    """Print one line per way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--way", choices=WAYS)
    args = parser.parse_args()
    if args.way:
        print(json.dumps(measure(args.file, args.way, args.repeats)))
        return
    bare = 0.0
    for way in WAYS:
        command = [sys.executable, __file__, str(args.file), "--way", way,
                   "--repeats", str(args.repeats)]  # fmt: skip
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        row = json.loads(said.splitlines()[-1])
        speed = row["bytes"] / row["seconds"] / 1e6
        bare = bare or speed
        print(
            f"{way:8} {speed:8.0f} MB/s {speed / bare:6.0%} of bare, "
            f"peak {row['peak'] / row['bytes']:.2f} x the data ({row['bytes'] / 1e6:.0f} MB)"
        )


if __name__ == "__main__":
    main()
