from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.errors import DataTypeError, UsageError
from sciqlop_pipe.interactive import Session, look
from sciqlop_pipe.publish.sciqlop_vdf import StoreSource, batch_of
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.reduced import reduced_2d
from sciqlop_pipe.recipes.spectra import energy_spectrum
from tests.analytic import BiMaxwellian, field, flattened, fpi_look, vdf

B = (3.0, -8.0, 15.0)
SHEATH = BiMaxwellian(5, (-250, 80, 40), 400, 600, B)


@pytest.fixture
def held():
    """A place that answers `read` as a store does."""
    ds = vdf([SHEATH] * 4, np.geomspace(20.0, 20000.0, 8), fpi_look(12, 6), nodes=1)
    have = {"a.vdf": ds, "a.b": field(ds, B), "a.moments": moments(ds)}

    def read(name, start=None, stop=None):
        return have[name].sel(time=slice(start, stop)) if start is not None else have[name]

    return SimpleNamespace(read=read, vdf=ds)


def test_a_look_is_the_mean_of_what_the_recipes_give(held):
    seen = Session(held, "a.vdf", "a.b").look("2020-11-19T23:34:32", "2020-11-19T23:34:34", bins=20)
    every = reduced_2d(held.vdf, held.read("a.b"), bins=20)
    assert seen.count == 4
    assert seen.planes["f"].values[0] == pytest.approx(every["f"].values.mean(0), rel=1e-5)
    assert seen.cuts["f"].shape == (1, 3, 20)
    assert seen.pitch_angles is not None
    assert float(seen.moments["density"][0]) == float(moments(held.vdf)["density"][0])


def test_a_look_at_one_time_takes_the_nearest_distribution(held):
    seen = look(held, "a.vdf", "2020-11-19T23:34:33.16", bins=10, sliced=True)
    assert seen.count == 1
    assert seen.pitch_angles is None
    with pytest.raises(UsageError, match="no distribution"):
        look(held, "a.vdf", "2021-01-01", "2021-01-02")


def test_the_viewer_gets_the_shapes_of_its_contract(held):
    source = StoreSource(held, "a.vdf", "a.b", "a.moments")
    start = held.vdf["time"].values[0].astype(int) / 1e9
    batch = source.get(start - 1, start + 10)
    assert batch.f.shape == (4, 12, 6, 8)
    assert batch.energy.shape == (4, 8)
    assert (batch.theta.shape, batch.phi.shape) == ((4, 6), (4, 12))
    assert batch.b == pytest.approx(np.tile(B, (4, 1)))
    assert batch.v_bulk.shape == (4, 3)
    assert batch.f[0] == pytest.approx(1e18 * held.vdf["f"].values[0])
    assert batch.mass_amu == pytest.approx(1.00728, rel=1e-4)
    assert (batch.charge, batch.native_frame, len(batch)) == (1, "DBCS", 4)
    assert batch.time_s[0] == pytest.approx(start)
    assert source.cadence() == pytest.approx(0.15)
    with pytest.raises(DataTypeError, match="grid"):
        batch_of(flattened(held.vdf))


def test_a_look_has_the_spectrum_of_every_distribution(held):
    seen = look(held, "a.vdf", "2020-11-19T23:34:32", "2020-11-19T23:34:34", bins=10)
    xr.testing.assert_identical(seen.spectrum, energy_spectrum(held.vdf))
    xr.testing.assert_identical(seen.moments, moments(held.vdf))


def test_beside_a_distribution_nothing_is_made_up_in_gaps_or_beyond_the_ends():
    ds = vdf([SHEATH] * 4, np.geomspace(20.0, 20000.0, 8), fpi_look(12, 6), nodes=1)
    start = ds["time"].values[0]
    ds = ds.assign_coords(time=start + np.array([0, 30, 60, 90]) * np.timedelta64(1, "s"))
    b = field(ds, B).isel(time=[0, 1, 2])
    b = b.assign_coords(time=start + np.array([29, 31, 80]) * np.timedelta64(1, "s"))
    found = batch_of(ds, b=b).b
    assert found[1] == pytest.approx(B)
    assert np.isnan(found[[0, 2, 3]]).all()
    assert np.isfinite(batch_of(ds, b=b, reach="1min").b[[1, 2]]).all()
