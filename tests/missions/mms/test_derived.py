from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from sciqlop_missions.mms import mission
from sciqlop_missions.mms.derived import from_first_energy
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.recipes.moments import moments
from tests.analytic import FPI_2015, BiMaxwellian, fpi_look, vdf

SHEATH = BiMaxwellian(5, (-250, 80, 40), 400, 600)


def test_ion_moments_start_where_the_partial_moments_say():
    ds = vdf([SHEATH] * 3, FPI_2015, fpi_look(8, 4), nodes=1)
    about = {"units": "1", "long_name": "index"}
    partial = xr.Dataset(
        {"first_energy": (("time",), np.array([0, 11], np.int32), about)},
        {"time": ds["time"].values[[0, 2]] + np.timedelta64(1, "ms")},
    )
    found = from_first_energy(ds, partial)
    assert found["first_energy"].values.tolist() == [0, 0, 11]
    cut = moments(ds, energy_min=float(FPI_2015[11]) * 0.99)["density"].values[2]
    assert moments(found)["density"].values[2] == pytest.approx(cut, rel=1e-6)
    assert moments(found)["density"].values[0] == pytest.approx(
        moments(ds)["density"].values[0], rel=1e-6
    )


def test_without_partial_moments_all_energies_count():
    ds = vdf(SHEATH, FPI_2015, fpi_look(8, 4), nodes=1)
    found = from_first_energy(ds)
    assert "first_energy" not in found
    assert found.attrs["first_energy"] == "absent"


def test_pressure_strain_and_density_are_reachable_by_name():
    names = {d.name for d in mission.datasets}
    assert {"mms.fpi.dis.brst.pressure_strain", "mms1.edp.fast.density",
            "mms4.fpi.dis.fast.moments_trusted", "mms1.fpi.des.brst.bi_kappa"} <= names  # fmt: skip
    assert not [b for b in Graph.discover().broken if "mms" in str(b)]
