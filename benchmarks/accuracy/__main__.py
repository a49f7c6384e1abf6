"""Measure the accuracy of every particle product on every table, and write it down.

    python -m benchmarks.accuracy [--only "FPI DIS 2020"] [--data FOLDER] [--out docs]

About two minutes. Real energy and angle tables come from the folder of mission files beside the
repository, where it is there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .cases import Case, plasmas_for
from .instruments import instruments
from .products import MEASURES
from .report import Result, page, write

ROOT = Path(__file__).resolve().parents[2]


def measure(data: Path, only: str = "") -> tuple[list[Result], dict[str, str]]:
    """Return what was found of every case, and where the tables come from."""
    results, sources = [], {}
    for instrument in instruments(data):
        if only and only not in instrument.name:
            continue
        sources[instrument.name] = instrument.source
        for name, plasma in plasmas_for(instrument).items():
            case = Case(instrument, name, plasma)
            results.append(Result.of(case, [off for m in MEASURES for off in m(case)]))
    return results, sources


def main() -> None:
    """Measure and write, or print what was asked for only."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="instruments whose name has this; prints")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    args = parser.parse_args()
    results, sources = measure(args.data, args.only)
    if args.only:
        print(page(results, sources))
    else:
        write(results, sources, args.out)
        print(f"{len(results)} plasmas and instruments: {args.out / 'accuracy.md'}")


if __name__ == "__main__":
    main()
