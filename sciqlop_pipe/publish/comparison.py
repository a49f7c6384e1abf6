"""Pictures of a granule before and after: what is current, what is staged, and the difference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from ..campaign.difference import GranuleDiff
from ..errors import UnknownName
from ..store import Store
from .panels import Panel
from .picture import draw


def draw_difference(store: Store, stage: str, diff: GranuleDiff, output: Path) -> None:
    """Write a picture of one granule: current above, staged below it, and what changes.

    Parameters
    ----------
    store : Store
        Holds both.
    stage : str
        Label of the staged run.
    diff : GranuleDiff
        The granule, and how its variables differ.
    output : Path
        The PNG file.

    Raises
    ------
    PipeError
        When there is nothing to draw, or the file cannot be written.
    """
    name, where = diff.granule.dataset, diff.granule.interval
    rows = store.registry.current(name, where, stage=stage)
    kind = rows[-1].code.split()[-1].split("@")[0]
    panels, both = [], []
    for label, seen in (("current", ""), (f"staged as {stage}", stage)):
        try:
            ds = store.read(name, where.start, where.stop, stage=seen).load()
        except UnknownName:
            continue
        both.append(ds)
        panels.append(Panel(f"{name}, {label}", kind, ds))
    if len(both) == 2 and (less := _less(both[0], both[1], diff)) is not None:
        panels.append(Panel(f"{name}, staged - current", "Any", less))
    source = f"store {store.root.resolve().name}"
    draw(panels, where, output, f"{diff.granule}: current and staged", source=source)


def _less(before: xr.Dataset, after: xr.Dataset, diff: GranuleDiff) -> xr.Dataset | None:
    """Return the differences of the variables that change most, at common times."""
    time, one, two = np.intersect1d(
        before["time"].values, after["time"].values, return_indices=True
    )
    chosen = [
        c.variable for c in sorted(diff.changes, key=lambda c: -c.relative)
        if c.variable in after.data_vars and "time" in after[c.variable].dims
        and after[c.variable].dtype.kind == "f"
    ][:2]  # fmt: skip
    if not chosen or not time.size:
        return None
    old, new = before.isel(time=one), after.isel(time=two)
    found = new[chosen].copy()
    for name in chosen:
        attrs = new[name].attrs
        words = f"change of {attrs.get('long_name', name)}"
        values = (new[name].dims, new[name].values - old[name].values, attrs | {"long_name": words})
        found[name] = values
    return found
