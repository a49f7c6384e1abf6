"""Solar Orbiter: the table of contents of the mission."""

from __future__ import annotations

from sciqlop_pipe.detect.detectors import solar_wind_events
from sciqlop_pipe.model import Mission
from sciqlop_pipe.standard import field_products, plasma_products, wave_products

from . import eas, epd, mag, pas, rpw

FIELD, IONS = "solar_orbiter.mag.normal.b_rtn", "solar_orbiter.swa.pas.moms"

mission = Mission(
    "solar_orbiter",
    (
        *pas.datasets(),
        *eas.datasets(),
        *mag.datasets(),
        *epd.datasets(),
        *rpw.datasets(),
        *field_products(
            FIELD,
            frames=(),
            window="10min",
            step="5min",
            average="10min",
            scaling=("30min", "10min", "1s"),
        ),
        # 8 Hz: frames of 32 s, seven in a step.
        *wave_products(
            "solar_orbiter.mag.normal",
            FIELD,
            b=FIELD,
            moments=IONS,
            samples=256,
            step="2min",
            reach="2min",
            octaves=(0.05, 3.0),
        ),
        *plasma_products(
            IONS, b=FIELD, accumulation="1s", reach="10s", window="10min", step="5min", shocks=False
        ),
        *solar_wind_events("solar_orbiter", moments=IONS, b=FIELD, fast_moments=IONS, fast_b=FIELD),
    ),
    title="Solar Orbiter",
    authors="D. Müller (mission); SWA: C. J. Owen, P. Louarn; MAG: T. S. Horbury; "
    "EPD: J. Rodriguez-Pacheco; RPW: M. Maksimovic",
    citation=(
        "Müller et al. 2020, Astron. Astrophys. 642, A1, doi:10.1051/0004-6361/202038467; "
        "Owen et al. 2020 (SWA), Astron. Astrophys. 642, A16, doi:10.1051/0004-6361/201937259; "
        "Horbury et al. 2020 (MAG), Astron. Astrophys. 642, A9, doi:10.1051/0004-6361/201937257; "
        "Rodriguez-Pacheco et al. 2020 (EPD), Astron. Astrophys. 642, A7, "
        "doi:10.1051/0004-6361/201935287; "
        "Maksimovic et al. 2020 (RPW), Astron. Astrophys. 642, A12, doi:10.1051/0004-6361/201936214"
    ),
    archives=("https://soar.esac.esa.int/", "https://spdf.gsfc.nasa.gov/pub/data/solar-orbiter/"),
)
