"""Aditya-L1: the table of contents of the mission."""

from __future__ import annotations

from sciqlop_pipe.model import Mission

from . import steps, swis

mission = Mission(
    "aditya_l1",
    (*swis.datasets(), *steps.datasets()),
    title="Aditya-L1 (experimental)",
    authors="ISRO (mission); ASPEX (SWIS, STEPS): Physical Research Laboratory, D. Chakrabarty",
    citation="Aditya-L1, ASPEX: data of the Indian Space Science Data Centre (ISSDC), ISRO",
    archives=("https://pradan.issdc.gov.in/al1/",),
)
