"""OMNI, the solar wind near the Earth of many spacecraft: the table of contents."""

from __future__ import annotations

from sciqlop_pipe.detect.detectors import detector_products, solar_wind_events
from sciqlop_pipe.detect.flows import high_speed_streams
from sciqlop_pipe.model import Mission

from . import coho, hourly, hro

mission = Mission(
    "omni",
    (
        *hro.datasets(),
        *hourly.datasets(),
        *coho.datasets(),
        # At the nose of the bow shock: times are those of arrival there.
        *solar_wind_events("omni", moments="omni.hro.1min.plasma", b="omni.hro.1min.b_gse"),
        *detector_products("omni.omni2.1h", (high_speed_streams,), moments="omni.omni2.1h.plasma"),
    ),
    title="OMNI",
    authors="J. H. King, N. E. Papitashvili (SPDF)",
    citation=("King and Papitashvili 2005, J. Geophys. Res. 110, A02104, doi:10.1029/2004JA010649"),
    archives=("https://spdf.gsfc.nasa.gov/pub/data/omni/",),
)
