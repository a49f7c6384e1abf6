"""From a World to an archive: files of every instrument, and the truth beside them."""

from __future__ import annotations

import json
import time as clocks
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import DAY, MINUTE, SECOND, Interval, datetime64, duration, iso

from .boundaries import Crossing, crossings
from .extras import write_extras
from .instrument import Spectrometer, clock, despun_axes, magnetometer, observe
from .orbit import ephemeris
from .physics import plasma
from .truth import FOLDER, write_crossings, write_plasma
from .vectors import rotate
from .wind import World
from .writer import (
    Compression,
    distribution_variables,
    ephemeris_variables,
    field_variables,
    write_file,
)

VERSION = 1
"""Raise it whenever the same World gives other numbers."""

RECORDS_PER_FILE = 627
"""47 min at 4.5 s: files begin and end anywhere within a granule."""

_FILE = RECORDS_PER_FILE * 9 * SECOND // 2
_OVERLAP = 50 * SECOND
"""Files of slower distributions are no longer: the mission declares a span of 48 min."""

_FIELD_STEP = SECOND // 16
_FIELD_FILE = 53 * MINUTE
_OVERLAP_RECORDS = 4  # distributions that a file repeats from the next one
_FIELD_OVERLAP = 20 * SECOND


@dataclass(frozen=True, slots=True)
class SimReport:
    """What a simulation has written, or found written by an earlier call (`reused`).

    `size` is that of all files, `f_size` that of the distributions in memory [bytes], without their
    errors; `seconds` that making them took.
    """

    out: Path
    interval: Interval
    files: tuple[Path, ...]
    distributions: int
    size: int
    f_size: int
    seconds: float
    crossings: tuple[Crossing, ...]
    reused: bool

    @property
    def rate(self) -> float:
        """Return the speed [MB/s] in distributions alone."""
        return self.f_size / 1e6 / max(self.seconds, 1e-9)

    def __str__(self) -> str:
        kinds = [c.kind for c in self.crossings]
        speed = f"{self.seconds:.1f} s, {self.rate:.0f} MB/s of f"
        return (
            f"{self.interval}: {self.distributions} distributions, {len(self.files)} files, "
            f"{self.size / 1e6:.0f} MB in {self.out} "
            f"({'found complete' if self.reused else speed}); true crossings: "
            f"{kinds.count('magnetopause')} magnetopause, {kinds.count('bow_shock')} bow shock"
        )


def simulate(
    out: Path,
    interval: Interval,
    seed: int = 1,
    *,
    cadence: str = "4.5s",
    motion: float = 0.35,
    compression: str = "none",
    extras: bool = False,
) -> SimReport:
    """Return the report of a simulated archive in `out`, made unless it is there already.

    Parameters
    ----------
    out : Path
        Folder; other intervals of the same simulation may be in it.
    interval : Interval
        Half-open; the records do not depend on how a longer interval is cut.
    seed : int
        Chooses solar wind, motion of the boundaries and noise.
    cadence : str
        Accumulation time of the distributions, "150ms" to "1min".
    motion : float
        Root mean square excursion of the magnetopause [RE]; 0 gives quiet boundaries.
    compression : str
        Of the files: "none" or "gzip1" to "gzip9".
    extras : bool
        Also a solar wind monitor, an electric field, a search coil, an attitude and three
        companions, see `extras`.

    Raises
    ------
    UsageError
        When the folder holds a simulation of other parameters.
    """
    accumulation = duration(cadence)
    if not duration("10ms") <= accumulation <= duration("5min"):
        raise UsageError(f"no distribution is made in {cadence}", todo="Choose 150ms to 1min")
    world, instrument = World(seed=seed, motion=motion), Spectrometer(accumulation)
    packed = Compression.named(compression)
    return write_archive(out, interval, world, instrument, packed, extras=extras)


def write_archive(
    out: Path,
    interval: Interval,
    world: World,
    instrument: Spectrometer,
    compression: Compression,
    *,
    extras: bool = False,
) -> SimReport:
    """Return the report of an archive of any World; `simulate` is the short way.

    Parameters
    ----------
    out : Path
        Folder.
    interval : Interval
        Half-open; distributions belong to it by the begin of their accumulation.
    world : World
        What is simulated.
    instrument : Spectrometer
        What sees the ions.
    compression : Compression
        Of the files.
    extras : bool
        As of `simulate`.

    Raises
    ------
    UsageError
        When the folder holds a simulation of other parameters.
    """
    started = clocks.perf_counter()
    book = _Book.opened(out, world, instrument, compression, extras)
    found = crossings(world, interval)
    entry = book.entry(interval)
    reused = entry is not None
    if entry is None:
        (out / FOLDER).mkdir(parents=True, exist_ok=True)
        sizes = dict(_write_all(out, interval, world, instrument, compression))
        if extras:
            pieces = stretches(interval, _FIELD_FILE, _FIELD_OVERLAP)
            sizes |= write_extras(out, interval, world, instrument, compression, pieces)
        write_crossings(out, interval, found)
        entry = {"start": iso(interval.start), "stop": iso(interval.stop), "files": sizes}
        book.add(entry)
    files = entry["files"]
    records = clock(interval.start, interval.stop, instrument.accumulation).size
    return SimReport(
        out,
        interval,
        tuple(out / name for name in sorted(files)),
        records,
        sum(files.values()),
        records * int(np.prod(instrument.shape)) * 4,
        clocks.perf_counter() - started,
        found,
        reused,
    )


def stretches(interval: Interval, length: int, overlap: int) -> Iterator[Interval]:
    """Yield what each file of an instrument holds: pieces of absolute time, cut by the interval.

    Parameters
    ----------
    interval : Interval
        What is simulated.
    length : int
        Time from one file to the next [ns].
    overlap : int
        How far a file reaches into the next one [ns].
    """
    for start in range(interval.start // length * length, interval.stop, length):
        stop = min(start + length + overlap, interval.stop)
        yield Interval(max(start, interval.start), stop)


def _write_all(
    out: Path, interval: Interval, world: World, instrument: Spectrometer, compression: Compression
) -> Iterator[tuple[str, int]]:
    """Write every file and yield its name below `out` and its size."""
    step = instrument.accumulation
    length, overlap = min(RECORDS_PER_FILE * step, _FILE), min(_OVERLAP_RECORDS * step, _OVERLAP)
    for piece in stretches(interval, length, overlap):
        start = clock(piece.start, piece.stop, step)
        if not start.size:
            continue
        centre = start + step // 2
        truth = plasma(world, centre)
        maps = observe(instrument, world.seed, start, truth)
        name = f"dis/sim_dis_l2_dist_{_stamp(start)}_v1.0.0.cdf"
        variables = distribution_variables(maps, instrument)
        yield name, write_file(out / name, variables, "Simulated ion distributions", compression)
        write_plasma(out, truth, despun_axes(instrument))

    axes = despun_axes(instrument)
    for piece in stretches(interval, _FIELD_FILE, _FIELD_OVERLAP):
        time = clock(piece.start, piece.stop, _FIELD_STEP)
        if not time.size:
            continue
        gse = magnetometer(world.seed, time, plasma(world, time).magnetic_field)
        name = f"fgm/sim_fgm_l2_{_stamp(time)}_v1.0.0.cdf"
        variables = field_variables(time, gse, rotate(axes, gse))
        yield name, write_file(out / name, variables, "Simulated magnetic field", compression)

    for piece in stretches(interval, DAY, 0):
        first = -(-piece.start // MINUTE) * MINUTE
        time = np.arange(first, piece.stop, MINUTE, dtype=np.int64)
        if not time.size:
            continue
        name = f"mec/sim_mec_l2_{_stamp(time)}_v1.0.0.cdf"
        variables = ephemeris_variables(time, *ephemeris(world.orbit, time))
        yield name, write_file(out / name, variables, "Simulated ephemeris", compression)


def _stamp(time: np.ndarray) -> str:
    return "".join(c for c in np.datetime_as_string(datetime64(time[0]), "s") if c.isdigit())


@dataclass(frozen=True, slots=True)
class _Book:
    """`truth/simulation.json`: the parameters of the archive, and which intervals are complete."""

    path: Path
    parameters: dict[str, Any]
    runs: tuple[dict[str, Any], ...]

    @classmethod
    def opened(
        cls,
        out: Path,
        world: World,
        instrument: Spectrometer,
        compression: Compression,
        extras: bool,
    ) -> _Book:
        """Return the book of a folder, empty when there is none; refuse another simulation's."""
        path = out / FOLDER / "simulation.json"
        wanted = {"version": VERSION, "world": asdict(world), "spectrometer": asdict(instrument),
                  "compression": asdict(compression)}  # fmt: skip
        if extras:
            wanted["extras"] = True
        if not path.exists():
            return cls(path, wanted, ())
        known = json.loads(path.read_text())
        different = [k for k, v in wanted.items() if known["parameters"].get(k) != v]
        if different:
            raise UsageError(
                f"the folder holds another simulation (other {', '.join(different)})",
                str(out),
                "Choose an empty folder, or remove this one",
            )
        return cls(path, wanted, tuple(known["runs"]))

    def entry(self, interval: Interval) -> dict[str, Any] | None:
        """Return the record of an interval whose files are all there, or None."""
        out = self.path.parent.parent
        for run in self.runs:
            if (run["start"], run["stop"]) == (iso(interval.start), iso(interval.stop)):
                paths = {out / name: size for name, size in run["files"].items()}
                if all(p.is_file() and p.stat().st_size == size for p, size in paths.items()):
                    return run
        return None

    def add(self, entry: dict[str, Any]) -> None:
        """Write the book with one more interval."""
        same = (entry["start"], entry["stop"])
        runs = [r for r in self.runs if (r["start"], r["stop"]) != same]
        text = json.dumps({"parameters": self.parameters, "runs": [*runs, entry]}, indent=1)
        draft = self.path.with_suffix(".draft")
        draft.write_text(text + "\n")
        draft.replace(self.path)
