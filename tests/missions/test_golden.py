"""The numbers of version 1 of the adapters that have no real CDF file, and of the text tables.

When one of these fails, raise `version` of the source that moved, with the numbers here.
"""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions import mms, omni, psp, solar_orbiter, themis
from tests.missions.claims import read, real
from tests.missions.mms import test_particles_and_waves as hpca
from tests.missions.psp import test_span_vdf as span
from tests.missions.solar_orbiter import test_pas as pas
from tests.missions.themis.files import esd_file
from tests.missions.themis.test_themis import beam

TABLE = "themis/thb_20080413_0130_1030_GSM_v4_onboard.dat"
YEAR = "icme/omni2_hourly/omni2_2019.dat.gz"

OF_FILES = {
    (themis, "themisb.events.b_gsm", TABLE): {"vector": 27393.0905},
    (themis, "themisb.events.moms", TABLE): {
        "density": 42928.8309, "velocity": -2873477.94, "temperature": 4065115.76
    },
    (omni, "omni.omni2.1h.b_gsm", YEAR): {"vector": -3030.0},
    (omni, "omni.omni2.1h.plasma", YEAR): {
        "density": 55287.8, "velocity": -3523009.07, "temperature": 50605.353
    },
    (omni, "omni.omni2.1h.dst", YEAR): {"value": -70786.0},
}  # fmt: skip

ESD = {
    "f": 1.50325543e-10, "energy": 106022.851, "phi": 15840, "theta": 7920, "phi_width": 2880,
    "theta_width": 1980, "solid_angle": 12.5663707, "quality": 0,
}  # fmt: skip
HPCA = {
    "f": 1.6e-06, "energy": 254600.636, "phi": 5803200, "theta": 1440, "phi_width": 11.25,
    "theta_width": 22.5, "solid_angle": 0.78539817,
}  # fmt: skip
PAS = {
    "f": 5.40360972e-09, "energy": 418633.938, "energy_lower": 408609.178,
    "energy_upper": 428904.644, "phi": 1881, "theta": 77760, "phi_width": 6, "theta_width": 5,
    "solid_angle": 0.0801459765, "quality": 8,
}  # fmt: skip
SPAN = {
    "f": 7.85784108e-08, "energy": 130794.676, "phi": 1080, "theta": 23025.0001, "phi_width": 90,
    "theta_width": 3566.99993, "solid_angle": 2.58366248,
}  # fmt: skip


def moved(ds, expected) -> dict:
    """Return the variables whose sum is not the known one."""
    sums = {name: float(np.nansum(ds[name].values.astype(float))) for name in ds.data_vars}
    known = {name: pytest.approx(value, rel=1e-6) for name, value in expected.items()}
    return {n: s for n, s in sums.items() if n not in known or s != known[n]} | {
        n: None for n in known if n not in sums
    }


@pytest.mark.parametrize(("which", "expected"), OF_FILES.items())
def test_the_numbers_of_real_tables(shared_data, which, expected):
    module, name, path = which
    assert moved(read(module.mission, name, real(shared_data, path)), expected) == {}


def test_the_numbers_of_distributions_made_in_the_archives_layouts(tmp_path):
    ds = read(themis.mission, "themisa.esa.peif.vdf",
              esd_file(tmp_path / "tha_l2_esa_peif_20201119_v01.cdf", beam(88, "x")))  # fmt: skip
    assert moved(ds, ESD) == {}
    ds = read(mms.mission, "mms1.hpca.oplus.srvy.vdf",
              hpca.hpca_file(tmp_path / hpca.NAME, hpca.beam("x"), ion="oplus"))  # fmt: skip
    assert moved(ds, HPCA) == {}
    ds = read(solar_orbiter.mission, "solar_orbiter.swa.pas.vdf_unchecked",
              pas.vdf_file(tmp_path / pas.NAME, pas.wind()))  # fmt: skip
    assert moved(ds, PAS) == {}
    ds = read(psp.mission, "psp.spi.sf00.vdf",
              span.vdf_file(tmp_path / span.NAME, span.beam((-1, 0.35, 0))))  # fmt: skip
    assert moved(ds, SPAN) == {}
