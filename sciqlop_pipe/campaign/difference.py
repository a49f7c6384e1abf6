"""What a staged run would change: per dataset, per variable, and where it changes most."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from sqlalchemy import select

from ..errors import UsageError, near
from ..granule import Granule
from ..store import Store, schema
from ..store.granules import read_granule
from ..store.records import Current, Rows
from ..store.staging import stages

#: Granules of a dataset that are read, evenly spread, unless all are asked for.
SAMPLE = 200
WORST = 5


@dataclass(frozen=True, slots=True)
class Change:
    """How one variable differs over the records that both have.

    `values` were compared, `differing` differ (NaN against a number included, counted in `gaps`);
    `largest` is the largest absolute difference, `rms` that of the differences, `rms_before` that
    of the values before, all in `units` (NaN for what are no numbers).
    """

    variable: str
    units: str
    values: int
    differing: int
    gaps: int
    largest: float
    rms: float
    rms_before: float

    @property
    def relative(self) -> float:
        """Return rms of the differences over rms of the values; inf where all were zero."""
        if not self.rms_before:
            return math.inf if self.rms else 0.0
        return self.rms / self.rms_before


@dataclass(frozen=True, slots=True)
class GranuleDiff:
    """How one granule differs: numbers of records before and after, and what changed."""

    granule: Granule
    before: int
    after: int
    changes: tuple[Change, ...] = ()
    said: str = ""

    @property
    def score(self) -> float:
        """Return by how much it differs: the largest relative change, records and gaps counted."""
        lost = abs(self.after - self.before) / max(self.after, self.before, 1)
        parts = [c.relative for c in self.changes if math.isfinite(c.relative)]
        gaps = [c.gaps / c.values for c in self.changes if c.values]
        return max([lost, *parts, *gaps, 1.0 if self.said else 0.0])


@dataclass(frozen=True, slots=True)
class DatasetDiff:
    """How a dataset differs: granules staged, of these same, changed and new, and the worst."""

    dataset: str
    staged: int
    same: int
    changed: int
    new: int
    compared: int
    records_before: int
    records_after: int
    bytes_before: int
    bytes_after: int
    variables: tuple[Change, ...] = ()
    worst: tuple[GranuleDiff, ...] = field(default=())


def differences(store: Store, stage: str, sample: int = SAMPLE) -> Iterator[DatasetDiff]:
    """Yield, per dataset, how a staged run differs from what is current.

    Parameters
    ----------
    store : Store
        Holds both.
    stage : str
        Label of the staged run.
    sample : int
        Changed granules of a dataset that are read, evenly spread over time; 0 reads all.

    Raises
    ------
    UsageError
        When nothing is staged under the label.
    """
    there = stages(store.registry)
    if stage not in there:
        raise UsageError(f"nothing is staged as '{stage}'", str(store.root), near(stage, there))
    s = schema.staged
    with store.registry.db.read() as conn:
        query = select(s.c.dataset, s.c.start).where(s.c.stage == stage)
        rows = [(dataset, start) for dataset, start in conn.execute(query)]
    starts: dict[str, set[int]] = {}
    for dataset, start in rows:
        starts.setdefault(dataset, set()).add(start)
    for dataset in sorted(starts):
        yield _dataset(store, stage, dataset, starts[dataset], sample)


def _dataset(store: Store, stage: str, name: str, starts: set[int], sample: int) -> DatasetDiff:
    staged = [r for r in store.registry.current(name, stage=stage) if r.start in starts]
    have = Rows.of(store.registry.current(name))
    before = {row.uid: have.over(row.interval) for row in staged}
    new = [r for r in staged if not before[r.uid]]
    same = [r for r in staged if [b.content for b in before[r.uid]] == [r.content]]
    same_uids, new_uids = {r.uid for r in same}, {r.uid for r in new}
    changed = [r for r in staged if r.uid not in same_uids | new_uids]
    chosen = _spread(changed, sample)
    found = [_granule(store, before[r.uid], r) for r in chosen]
    replaced = list({b.uid: b for r in staged for b in before[r.uid]}.values())
    sizes = _sizes(store, [*(b.uid for b in replaced), *(r.uid for r in staged)])
    return DatasetDiff(
        name,
        len(staged),
        len(same),
        len(changed),
        len(new),
        len(chosen),
        sum(b.n for b in replaced),
        sum(r.n for r in staged),
        sum(sizes[b.uid] for b in replaced),
        sum(sizes[r.uid] for r in staged),
        _together(c for g in found for c in g.changes),
        tuple(sorted(found, key=lambda g: (-g.score, g.granule))[:WORST]),
    )


def _spread(rows: Sequence[Current], sample: int) -> list[Current]:
    if not sample or len(rows) <= sample:
        return list(rows)
    return [rows[i] for i in np.linspace(0, len(rows) - 1, sample).round().astype(int)]


def _sizes(store: Store, uids: Sequence[str]) -> dict[str, int]:
    g, found = schema.granule, dict[str, int]()
    with store.registry.db.read() as conn:
        for at in range(0, len(uids), 500):
            query = select(g.c.uid, g.c.nbytes).where(g.c.uid.in_(uids[at : at + 500]))
            found.update({uid: int(n) for uid, n in conn.execute(query)})
    return found


def _granule(store: Store, before: Sequence[Current], after: Current) -> GranuleDiff:
    n = sum(b.n for b in before)
    paths = [b.path for b in before if b.n] + [after.path] * bool(after.n)
    if any(p is None for p in paths):
        said = _events(store, [b.uid for b in before], after.uid) or "differs; it was not kept"
        return GranuleDiff(after.granule, n, after.n, (), said)
    old = [read_granule(store.root, b.path) for b in before if b.path]
    new = read_granule(store.root, after.path) if after.path else None
    if not old or new is None:
        return GranuleDiff(after.granule, n, after.n)
    if len(old) > 1:
        try:
            old = [xr.concat(old, "time", data_vars="minimal", coords="minimal", compat="override")]
        except (ValueError, TypeError) as error:
            return GranuleDiff(after.granule, n, after.n, (), f"the parts before differ ({error})")
    changes, said = compared(old[0], new)
    return GranuleDiff(after.granule, n, after.n, changes, said)


def compared(before: xr.Dataset, after: xr.Dataset) -> tuple[tuple[Change, ...], str]:
    """Return how the variables of two datasets differ at common times, and what cannot be told."""
    _, one, two = np.intersect1d(before["time"].values, after["time"].values, return_indices=True)
    changes, odd = [], []
    for name in sorted(map(str, {*before.variables, *after.variables} - {"time"})):
        if name not in before.variables or name not in after.variables:
            odd.append(f"{name} is {'new' if name in after.variables else 'gone'}")
            continue
        a, b = before.variables[name], after.variables[name]
        a = a.isel(time=one) if "time" in a.dims else a
        b = b.isel(time=two) if "time" in b.dims else b
        if a.dims != b.dims or a.shape != b.shape:
            odd.append(f"{name} was {_shape(a)}, is {_shape(b)}")
            continue
        change = _change(name, a, b)
        if change.differing:
            changes.append(change)
    return tuple(changes), "; ".join(odd)


def _shape(var: xr.Variable) -> str:
    return "(" + ", ".join(f"{d}: {s}" for d, s in zip(var.dims, var.shape, strict=True)) + ")"


def _change(name: str, before: xr.Variable, after: xr.Variable) -> Change:
    units = str(after.attrs.get("units", ""))
    a, b = np.asarray(before.values), np.asarray(after.values)
    if a.dtype.kind not in "fiub" or b.dtype.kind not in "fiub":
        differ = int((a != b).sum())
        return Change(name, units, a.size, differ, 0, math.nan, math.nan, math.nan)
    a, b = a.astype(float), b.astype(float)
    gaps = np.isnan(a) != np.isnan(b)
    both = ~np.isnan(a) & ~np.isnan(b)
    d, old = (b - a)[both], a[both]
    finite = np.isfinite(d)
    d, old = d[finite], old[finite]
    return Change(
        name,
        units,
        a.size,
        int((d != 0).sum() + gaps.sum() + (~finite).sum()),
        int(gaps.sum()),
        float(np.abs(d).max(initial=0.0)),
        _rms(d),
        _rms(old),
    )


def _rms(values: np.ndarray) -> float:
    """Return the rms; scaled by the largest, since squares of f in SI units underflow."""
    largest = float(np.abs(values).max(initial=0.0))
    return largest * float(np.sqrt(np.mean((values / largest) ** 2))) if largest else 0.0


def _together(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes of many granules as one per variable."""
    by_name: dict[str, list[Change]] = {}
    for change in changes:
        by_name.setdefault(change.variable, []).append(change)
    found = []
    for name, many in by_name.items():
        weights = np.array([c.values for c in many], float)
        mean = [
            float(np.sqrt(np.average(np.square([getattr(c, key) for c in many]), weights=weights)))
            if weights.sum()
            else math.nan
            for key in ("rms", "rms_before")
        ]
        found.append(
            Change(
                name, many[0].units, sum(c.values for c in many), sum(c.differing for c in many),
                sum(c.gaps for c in many), max(c.largest for c in many), mean[0], mean[1],
            )
        )  # fmt: skip
    return tuple(found)


def _events(store: Store, before: Sequence[str], after: str) -> str:
    """Return how many events stay, come and go; '' when there are none on either side."""
    e = schema.event
    with store.registry.db.read() as conn:
        old = {i for (i,) in conn.execute(select(e.c.id).where(e.c.uid.in_(before)))}
        new = {i for (i,) in conn.execute(select(e.c.id).where(e.c.uid == after))}
    if not old and not new:
        return ""
    return f"{len(old & new)} events stay, {len(new - old)} come, {len(old - new)} go"
