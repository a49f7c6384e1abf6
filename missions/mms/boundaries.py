"""Plasma state, regions and boundary crossings of MMS, from the fast ion moments."""

from __future__ import annotations

from sciqlop_pipe.detect.crossings import boundary_crossings
from sciqlop_pipe.detect.regions import region_labels
from sciqlop_pipe.model import Dataset, product
from sciqlop_pipe.recipes.plasma_state import plasma_state


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return the datasets of one spacecraft; without a magnetometer they do without B."""
    name, field = f"mms{probe}", f"mms{probe}.fgm.srvy.b_gse"
    state, labels = f"{name}.plasma_state", f"{name}.region_labels"
    return (
        product(state, plasma_state, moments=f"{name}.fpi.dis.fast.moms", b=field),
        product(labels, region_labels, state=state, model="regions"),
        product(
            f"{name}.boundary_crossings",
            boundary_crossings,
            labels=labels,
            state=state,
            b=field,
            granule="1d",
        ),
    )
