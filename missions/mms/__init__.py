"""Magnetospheric Multiscale (MMS): the table of contents of the mission."""

from __future__ import annotations

from sciqlop_pipe.model import Mission

from . import (
    boundaries,
    derived,
    edp,
    eis,
    feeps,
    fgm,
    fpi,
    fpi_partial,
    hpca,
    mec,
    photoelectrons,
    plasma,
    regions,
    scm,
    tetrahedron,
    waves,
)

PROBES = ("1", "2", "3", "4")
INSTRUMENTS = (
    fpi,
    fpi_partial,
    photoelectrons,
    hpca,
    eis,
    feeps,
    fgm,
    edp,
    scm,
    mec,
    boundaries,
    regions,
    waves,
    plasma,
)

mission = Mission(
    "mms",
    (
        *(d for probe in PROBES for instrument in INSTRUMENTS for d in instrument.datasets(probe)),
        *tetrahedron.datasets(),
        *derived.datasets(),
    ),
    title="Magnetospheric Multiscale",
    authors=(
        "J. L. Burch (mission); FPI: B. L. Giles, C. J. Pollock; FIELDS: R. B. Torbert; "
        "FGM: C. T. Russell, W. Magnes; EDP: P.-A. Lindqvist, R. E. Ergun; SCM: O. Le Contel; "
        "HPCA: D. T. Young, S. A. Fuselier; EIS: B. H. Mauk; FEEPS: J. B. Blake, D. L. Turner; "
        "MEC: M. G. Henderson, S. K. Morley"
    ),
    citation=(
        "Burch et al. 2016, Space Sci. Rev. 199, 5, doi:10.1007/s11214-015-0164-9; "
        "Pollock et al. 2016 (FPI), Space Sci. Rev. 199, 331, doi:10.1007/s11214-016-0245-4; "
        "Torbert et al. 2016 (FIELDS), Space Sci. Rev. 199, 105, doi:10.1007/s11214-014-0109-8; "
        "Russell et al. 2016 (FGM), Space Sci. Rev. 199, 189, doi:10.1007/s11214-014-0057-3; "
        "Lindqvist et al. 2016 (EDP), Space Sci. Rev. 199, 137, doi:10.1007/s11214-014-0116-9; "
        "Le Contel et al. 2016 (SCM), Space Sci. Rev. 199, 257, doi:10.1007/s11214-014-0096-9; "
        "Young et al. 2016 (HPCA), Space Sci. Rev. 199, 407, doi:10.1007/s11214-014-0119-6; "
        "Mauk et al. 2016 (EIS), Space Sci. Rev. 199, 471, doi:10.1007/s11214-014-0055-5; "
        "Blake et al. 2016 (FEEPS), Space Sci. Rev. 199, 309, doi:10.1007/s11214-015-0163-x"
    ),
    archives=(
        "https://lasp.colorado.edu/mms/sdc/public/",
        "https://spdf.gsfc.nasa.gov/pub/data/mms/",
    ),
)
