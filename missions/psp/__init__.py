"""Parker Solar Probe (PSP): the table of contents of the mission."""

from __future__ import annotations

from sciqlop_pipe.model import Mission

from . import connection, fields, span, span_vdf, spc

mission = Mission(
    "psp",
    (d for instrument in (fields, spc, span, span_vdf, connection) for d in instrument.datasets()),
    title="Parker Solar Probe",
    authors=(
        "N. J. Fox, N. E. Raouafi (mission); FIELDS: S. D. Bale; SWEAP: J. C. Kasper; "
        "SPC: A. W. Case; SPAN-I: R. Livi"
    ),
    citation=(
        "Fox et al. 2016, Space Sci. Rev. 204, 7, doi:10.1007/s11214-015-0211-6; "
        "Bale et al. 2016 (FIELDS), Space Sci. Rev. 204, 49, doi:10.1007/s11214-016-0244-5; "
        "Kasper et al. 2016 (SWEAP), Space Sci. Rev. 204, 131, doi:10.1007/s11214-015-0206-3; "
        "Case et al. 2020 (SPC), Astrophys. J. Suppl. 246, 43, doi:10.3847/1538-4365/ab5a7b; "
        "Livi et al. 2022 (SPAN-I), Astrophys. J. 938, 138, doi:10.3847/1538-4357/ac93f5"
    ),
    archives=("https://spdf.gsfc.nasa.gov/pub/data/psp/",),
)
