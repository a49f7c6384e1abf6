"""Writes a simulated archive: `python -m sciqlop_missions.sim --out DIR --hours 2`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sciqlop_pipe.errors import PipeError
from sciqlop_pipe.granule import HOUR, Interval, instant

from .simulate import simulate


def main(arguments: list[str] | None = None) -> int:
    """Return the exit status of the command: 0, or 2 after a refusal."""
    parser = argparse.ArgumentParser(
        prog="python -m sciqlop_missions.sim",
        description="Write CDF files of a simulated spacecraft, and the truth beside them.",
        epilog="Several processes may share the work, each with a folder of its own.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--start", default="2030-01-01", help="first instant, UTC (%(default)s)")
    parser.add_argument("--hours", type=float, default=2.0, help="length (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of everything (%(default)s)")
    parser.add_argument("--cadence", default="4.5s", help="of the distributions (%(default)s)")
    parser.add_argument("--motion", type=float, default=0.35, metavar="RE",
                        help="rms motion of the boundaries, 0 for quiet (%(default)s)")  # fmt: skip
    parser.add_argument("--compression", default="none", help="none, gzip1 ... gzip9 (%(default)s)")
    parser.add_argument(
        "--extras",
        action="store_true",
        help="also solar wind, E, search coil, attitude and three companions",
    )
    asked = parser.parse_args(arguments)
    try:
        start = instant(asked.start)
        interval = Interval.of(start, start + round(asked.hours * HOUR))
        report = simulate(asked.out, interval, asked.seed, cadence=asked.cadence,
                          motion=asked.motion, compression=asked.compression,
                          extras=asked.extras)  # fmt: skip
    except PipeError as error:
        print(error, file=sys.stderr)
        return 2
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
