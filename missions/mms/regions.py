"""The six plasma regions of MMS, from the archive's fast ion spectra and moments."""

from __future__ import annotations

from sciqlop_pipe.detect.plasma_regions import plasma_regions, region_stretches
from sciqlop_pipe.model import Dataset, product


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return labels and stretches of one spacecraft; without a magnetometer they do without B."""
    return (
        product(
            f"mms{probe}.plasma_regions", plasma_regions,
            spectrum=f"mms{probe}.fpi.dis.fast.archive_spectrum",
            state=f"mms{probe}.plasma_state", model="plasma_regions",
        ),
        product(
            f"mms{probe}.region_stretches", region_stretches,
            labels=f"mms{probe}.plasma_regions", granule="1d",
        ),
    )  # fmt: skip
