"""What a full MMS mission would take, from what its pieces cost here.

Measured in the same run: CPU per distribution of the whole path (`benchmarks.transient`), bytes
and granules that it leaves, bytes that it reads, and what the coordinator spends per granule.
Everything else is an assumption, listed with the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NODES = (1, 10, 100)


@dataclass(frozen=True, slots=True)
class Mission:
    """What is assumed of the mission and of the machines.

    Parameters
    ----------
    burst, fast : float
        Distributions of DIS and DES on four spacecraft, in burst and in fast survey.
    segment : float
        Length of a burst segment [s]: one file, one granule and a share of the next.
    spill : float
        Granules per burst segment: 10 min granules are cut at fixed times.
    cores : int
        Workers of a node, one per core.
    growth : float
        CPU per granule beside as many workers as cores, relative to one alone.
    """

    burst: float = 0.9e9
    fast: float = 0.22e9
    segment: float = 120.0
    spill: float = 1.2
    cores: int = 32
    growth: float = 1.1

    @property
    def tasks(self) -> float:
        """Return the bundles: one per granule of distributions."""
        # A second of burst is 1 / 0.15 s of DIS and 1 / 0.03 s of DES: 40 distributions, 2 sensors.
        of_burst = 2 * self.burst / 40 / self.segment * self.spill
        # Fast survey: a distribution in 4.5 s, granules of 2 h.
        return of_burst + self.fast / (7200 / 4.5)

    @property
    def distributions(self) -> float:
        """Return all of them."""
        return self.burst + self.fast


def table(
    cpu_us: float, coordinator_ms: float, read: float, written: float, granules: float,
    mission: Mission = Mission(),
) -> str:  # fmt: skip
    """Return the projection as Markdown.

    Parameters
    ----------
    cpu_us : float
        CPU of the whole path per distribution.
    coordinator_ms : float
        CPU of the coordinator per granule.
    read, written : float
        Bytes per distribution of the archive, and of the products in the store.
    granules : float
        Granules that are committed per task; all but the distributions are files.
    mission : Mission
        The assumptions.
    """
    work = mission.distributions * cpu_us * 1e-6
    tasks = mission.tasks
    rows = tasks * granules
    alone = rows * coordinator_ms * 1e-3
    many = mission.distributions
    said = (
        f"{many / 1e9:.2f} billion distributions in {tasks / 1e6:.2f} million tasks: "
        f"{work / 86400:.1f} core-days. {rows / 1e6:.1f} million granules, of which "
        f"{tasks * (granules - 1) / 1e6:.1f} million are files (one inode each), together "
        f"{many * written / 1e12:.1f} TB. {many * read / 1e12:.1f} TB of archive are read once."
    )
    head = (
        f"| nodes of {mission.cores} cores | work [h] | coordinator [h] | wall [h] "
        "| read, per node [MB/s] | written, all [MB/s] |"
    )
    lines = [said, "", head, "|---|---|---|---|---|---|"]
    for nodes in NODES:
        busy = work * mission.growth / (nodes * mission.cores)
        wall = max(busy, alone)
        lines.append(
            f"| {nodes} | {busy / 3600:.2f} | {alone / 3600:.2f} | {wall / 3600:.2f} "
            f"| {many * read / wall / nodes / 1e6:.0f} "
            f"| {many * written / wall / 1e6:.0f} |"
        )
    return "\n".join(lines)


def project(measured: dict[str, Any], overhead: dict[str, Any], mission: Mission) -> str:
    """Return the table of what `transient` and `overhead` measured."""
    tasks = measured["granules"] / measured["granules_per_task"]
    bytes_ = measured["archive_bytes_per_distribution"], measured["store_bytes_per_distribution"]
    said = (
        f"Measured: {measured['whole_us']} us of CPU per distribution ({measured['distributions']} "
        f"in {tasks:.0f} tasks), {bytes_[0]:.0f} bytes read and {bytes_[1]:.0f} kept of each, "
        f"{overhead['coordinator_cpu_ms_per_granule']} ms of the coordinator per granule. "
        f"Assumed: {mission}."
    )
    made = table(
        measured["whole_us"],
        overhead["coordinator_cpu_ms_per_granule"],
        *bytes_,
        measured["granules_per_task"],
        mission,
    )
    return f"{said}\n\n{made}"
