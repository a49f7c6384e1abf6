"""Cluster: the table of contents of the mission."""

from __future__ import annotations

from sciqlop_pipe.model import Mission

from . import (
    attitude,
    cis,
    codif,
    density,
    efw,
    ephemeris,
    fgm,
    peace,
    potential,
    staff,
    tetrahedron,
    waves,
)

PROBES = ("1", "2", "3", "4")
INSTRUMENTS = (cis, codif, fgm, efw, potential, density, peace, staff, ephemeris, attitude, waves)

mission = Mission(
    "cluster",
    (
        *(d for probe in PROBES for instrument in INSTRUMENTS for d in instrument.datasets(probe)),
        *tetrahedron.datasets(),
    ),
    title="Cluster",
    authors=(
        "C. P. Escoubet (mission); CIS: H. Reme, I. Dandouras; FGM: A. Balogh, C. M. Carr; "
        "EFW: G. Gustafsson, M. Andre; WHISPER: P. M. E. Decreau; "
        "PEACE: A. D. Johnstone, A. Fazakerley; STAFF: N. Cornilleau-Wehrlin, P. Canu"
    ),
    citation=(
        "Escoubet et al. 2001, Ann. Geophys. 19, 1197, doi:10.5194/angeo-19-1197-2001; "
        "Reme et al. 2001 (CIS), Ann. Geophys. 19, 1303, doi:10.5194/angeo-19-1303-2001; "
        "Balogh et al. 2001 (FGM), Ann. Geophys. 19, 1207, doi:10.5194/angeo-19-1207-2001; "
        "Gustafsson et al. 2001 (EFW), Ann. Geophys. 19, 1219, doi:10.5194/angeo-19-1219-2001; "
        "Decreau et al. 2001 (WHISPER), Ann. Geophys. 19, 1241, doi:10.5194/angeo-19-1241-2001; "
        "Johnstone et al. 1997 (PEACE), Space Sci. Rev. 79, 351, doi:10.1023/A:1004938001388; "
        "Cornilleau-Wehrlin et al. 2003 (STAFF), Ann. Geophys. 21, 437, "
        "doi:10.5194/angeo-21-437-2003"
    ),
    absent=(
        (
            "cluster2.cis.*",
            "CIS of Cluster 2 does not work; HIA is on 1 and 3, CODIF on 1, 3 and 4",
        ),
        ("cluster4.cis.hia.*", "HIA of Cluster 4 was not operated; it is on 1 and 3"),
    ),
    archives=(
        "https://csa.esac.esa.int/",
        "https://spdf.gsfc.nasa.gov/pub/data/cluster/",
    ),
)
