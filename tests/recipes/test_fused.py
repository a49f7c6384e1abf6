from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.errors import DataTypeError
from sciqlop_pipe.recipes.fused import BLOCK, fused
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.pitch import pitch_angle_distribution
from sciqlop_pipe.recipes.spectra import energy_spectrum
from tests.analytic import BiMaxwellian, field, flattened, fpi_look, vdf

SHEATH = BiMaxwellian(5, (-250, 80, 40), 400, 600, (3.0, -8.0, 15.0))
TABLE = np.geomspace(20.0, 20000.0, 10)


def records(n: int) -> xr.Dataset:
    """Spinning azimuths, holes, an empty record and one that is not measured."""
    one = vdf(SHEATH, TABLE, fpi_look(6, 4), nodes=1)
    ds = one.isel(time=np.zeros(n, int)).assign_coords(
        time=one["time"].values + np.arange(n) * np.timedelta64(1, "s")
    )
    rng = np.random.default_rng(2)
    ds["f"] = ds["f"] * rng.gamma(2.0, size=ds["f"].shape).astype(np.float32)
    ds["f"].values[rng.random(ds["f"].shape) < 0.01] = np.nan
    ds["f"].values[3], ds["f"].values[4] = 0, np.nan
    spin = xr.DataArray(1.7 * np.arange(n), dims="time")
    ds["phi"] = (spin + ds["phi"]).assign_attrs(one["phi"].attrs)
    return ds


@pytest.mark.parametrize("layout", ["grid", "list"])
def test_fused_products_are_those_of_the_recipes_to_the_last_bit(layout):
    ds = records(2 * BLOCK + 3)
    ds = flattened(ds) if layout == "list" else ds
    b = field(ds, (3.0, -8.0, 15.0))
    volts = xr.Dataset(
        {"value": ("time", np.linspace(1.0, 9.0, ds.sizes["time"]))}, {"time": ds["time"]}
    )
    found = fused(ds, b, volts, energy_min=50.0, bins=9)
    xr.testing.assert_identical(found.moments, moments(ds, volts, energy_min=50.0))
    xr.testing.assert_identical(found.energy_spectrum, energy_spectrum(ds))
    xr.testing.assert_identical(found.pitch_angles, pitch_angle_distribution(ds, b, bins=9))


def test_without_a_field_there_are_no_pitch_angles_and_a_foreign_frame_is_refused():
    ds = records(6)
    assert fused(ds).pitch_angles is None
    with pytest.raises(DataTypeError, match="GSE"):
        fused(ds, field(ds, (0.0, 0.0, 1.0), frame="GSE"))
