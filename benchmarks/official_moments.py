"""How our moments differ from those of instrument teams: docs/trust/official-moments.md.

    python -m benchmarks.official_moments ../shared/data

Both are read from the archive's files. A case needs a distribution file and a moments file of the
same interval; where none is at hand the instrument is named as not compared.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.sources.archive import list_archives
from sciqlop_pipe.store import Store

PAGE = Path(__file__).resolve().parent.parent / "docs/trust/official-moments.md"


@dataclass(frozen=True, slots=True)
class Case:
    """Our moments and the team's of one stretch; `velocity` is the team's in our frame."""

    title: str
    ours: str
    theirs: str
    velocity: str
    folder: str
    interval: Interval
    why: str
    seconds: float


CASES = (
    Case(
        "Cluster 1 CIS-HIA, 2001-07-31",
        "cluster1.cis.hia.hs_mag.moments",
        "cluster1.cis.hia.moms",
        "cluster1.cis.hia.v_isr2",
        "cluster/vdf_20010731",
        Interval.of("2001-07-31T20:14", "2001-07-31T20:17"),
        "Why they differ is not established: both come from the same sensor, on board with its own "
        "calibration and sums, ours from the distribution that is sent to the ground.",
        12.064,
    ),
)

NOT_COMPARED = """\
- **MMS FPI**: no distribution and official moments of one interval are at hand. What is known of
  the burst of the README (n from 10.3 to 68 cm^-3, V 326 km/s upstream) is met by ours.
- **THEMIS ESA, Cluster CODIF, Solar Orbiter PAS, MMS HPCA, PSP SPAN-I**: no distribution file is at
  hand. Layouts follow the archives' documents, and adapters refuse what differs from them.
"""


def read(case: Case, data: Path) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    """Return our moments, the team's, and the team's velocity in our frame."""
    names = [case.ours, case.theirs, case.velocity]
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(Path(folder) / "store", create=True) as store,
        open_cluster(Profile(workers=0)) as client,
    ):
        listing = list_archives([str(data / case.folder)])
        run_campaign(store, Graph.discover(), names, [case.interval], listing, lambda: client)
        ours, theirs, velocity = (store.read(name).load() for name in names)
    return ours, theirs, velocity


def rows(
    ours: xr.Dataset, theirs: xr.Dataset, velocity: xr.Dataset, seconds: float
) -> list[tuple[str, ...]]:
    """Return a row per quantity; theirs are means over the accumulation of each record of ours."""
    half = np.timedelta64(round(seconds * 5e8), "ns")
    mine: list[np.ndarray] = []
    official: list[np.ndarray] = []
    for i, time in enumerate(ours["time"].values):
        during = np.abs(theirs["time"].values - time) < half
        if during.any():
            n, t = theirs["density"].values[during], theirs["temperature"].values[during]
            v = velocity["vector"].values[during].mean(axis=0)
            official.append(np.array([n.mean(), *v, (n * t).sum() / n.sum()]))
            record = ours.isel(time=i)
            mine.append(
                np.array([record["density"], *record["velocity"].values, record["temperature"]])
            )
    a, b = np.array(mine), np.array(official)
    table = []
    for k, name in enumerate(("n [cm^-3]", "V x [km/s]", "V y", "V z", "T [eV]")):
        difference = a[:, k] - b[:, k]
        ratio = "" if name.startswith("V") else f"{np.median(a[:, k] / b[:, k]):.2f}"
        numbers = (np.median(a[:, k]), np.median(b[:, k]), np.median(difference))
        table.append((name, *(f"{x:.4g}" for x in numbers), ratio))
    return table


def page(data: Path) -> str:
    """Return the page."""
    lines = [
        "# Differs from the official moments by ...",
        "",
        "Our moments of distributions beside the moments that the instruments' teams give, on real",
        "files. Made by",
        "",
        "```sh",
        "python -m benchmarks.official_moments ../shared/data",
        "```",
        "",
    ]
    for case in CASES:
        ours, theirs, velocity = read(case, data)
        lines += [f"## {case.title}", "", f"{ours.sizes['time']} records. {case.why}", ""]
        lines += [
            "| median of | ours | official | difference | ratio |",
            "|---|---|---|---|---|",
        ]
        lines += [f"| {' | '.join(row)} |" for row in rows(ours, theirs, velocity, case.seconds)]
        lines.append("")
    return "\n".join([*lines, "## Not compared yet", "", NOT_COMPARED])


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")))
    print(PAGE)
