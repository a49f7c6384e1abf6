"""DSCOVR Faraday cup: protons, 1 min."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Moments
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter
from sciqlop_pipe.sources.species import PROTON

FILES = "dscovr_h1_fc_{start:%Y%m%d}_v{version}.cdf"
VARIABLES = ("Np", "V_GSE", "THERMAL_TEMP")


def protons() -> MomentsAdapter:
    """Return the adapter for density, velocity (GSE) and temperature."""
    density, velocity, temperature = VARIABLES
    return MomentsAdapter(density, velocity, PROTON, "GSE", temperature=temperature)


def datasets() -> tuple[Dataset, ...]:
    """Return everything of the Faraday cup."""
    source = FileSource(FILES, protons(), remote=on_cdaweb("DSCOVR_H1_FC", *VARIABLES))
    return (
        raw("dscovr.fc.1min.moms", Moments, source, granule="1d",
            cadence="1min", description="protons: density, velocity (GSE), temperature, 1 min"),
    )  # fmt: skip
