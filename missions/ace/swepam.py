"""ACE Solar Wind Electron, Proton and Alpha Monitor (SWEPAM): protons, 64 s."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Moments
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.conventions import begin
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter
from sciqlop_pipe.sources.species import PROTON
from sciqlop_pipe.sources.view import Seen

FILES = "ac_h0_swe_{start:%Y%m%d}_v{version}.cdf"
FRAMES = {"moms": "gse", "moms_gsm": "gsm"}


def moments(frame: str) -> Seen:
    """Return the adapter for density, velocity and radial temperature, velocity in one frame."""
    adapter = MomentsAdapter(
        density="Np",
        velocity=f"V_{frame.upper()}",
        temperature="Tpr",
        species=PROTON,
        frame=frame.upper(),
        time_tag=begin("64s"),
    )
    return Seen(adapter, restated=(("Np", (("UNITS", "cm-3"),)), ("Tpr", (("UNITS", "K"),))))


def datasets() -> tuple[Dataset, ...]:
    """Return everything of SWEPAM."""
    return tuple(
        raw(
            f"ace.swepam.64s.{name}",
            Moments,
            FileSource(
                FILES,
                moments(frame),
                remote=on_cdaweb("AC_H0_SWE", "Np", f"V_{frame.upper()}", "Tpr"),
            ),
            granule="1d",
            cadence="64s",
            description=f"protons: density, velocity ({frame.upper()}), radial temperature, 64 s",
        )
        for name, frame in FRAMES.items()
    )
