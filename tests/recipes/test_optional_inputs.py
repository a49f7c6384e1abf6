"""An input that is there one hour and not the next must not tear a series in two.

Granules are one series where their variables, dims and shapes are the same. So what an optional
input adds is NaN without it, not absent.
"""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.recipe import Recipe
from sciqlop_pipe.recipes.cartesian import cartesian
from sciqlop_pipe.recipes.energy_flux import energy_flux
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.non_maxwellianity import non_maxwellianity
from sciqlop_pipe.recipes.plasma_parameters import plasma_parameters
from sciqlop_pipe.recipes.plasma_state import plasma_state
from sciqlop_pipe.recipes.polarization import wave_polarization
from sciqlop_pipe.recipes.reduced import reduced_1d
from sciqlop_pipe.recipes.solar_connection import solar_connection
from sciqlop_pipe.recipes.wave_spectra import power_spectrum, wavelet_spectrum
from sciqlop_pipe.store.layout import layout_of
from tests import fields
from tests.analytic import BiMaxwellian, fpi_look, vdf
from tests.fields import clock, position, vector

N = 64
RNG = np.random.default_rng(3)
B = vector(RNG.normal((5.0, 3.0, 1.0), 1.0, (N, 3)))
IONS = fields.moments(5.0, RNG.normal(-300.0, 20.0, (N, 3)))
ELECTRONS = fields.moments(5.0, np.zeros((N, 3)), species="e-")
PLACE = position(np.full((4, 3), 7e4))
STEP = {"samples": 16, "step": "20s", "reach": "20s"}


def distributions() -> xr.Dataset:
    ds = vdf([BiMaxwellian(5, (-250, 80, 40), 400, 600, (3.0, -8.0, 15.0))] * 4,
             np.geomspace(20.0, 20000.0, 12), fpi_look(8, 4), nodes=1)  # fmt: skip
    return ds.assign_coords(time=clock(4, 1.0, 0.5))


def pressed() -> xr.Dataset:
    about = {"units": "nPa", "long_name": "P", "frame": "GSE"}
    p = (("time", "component", "component_2"), np.tile(np.eye(3), (N, 1, 1)), about)
    return IONS.assign(pressure=p).assign_attrs(frame="GSE")


def in_dbcs() -> xr.Dataset:
    return vector(B["vector"].values, frame="DBCS")


def potential() -> xr.Dataset:
    about = {"units": "V", "long_name": "potential"}
    return xr.Dataset({"value": ("time", np.full(N, 5.0), about)}, {"time": clock(N, 1.0)})


# Planes and slices are left out: without a field they are other planes, and a series of their own.
# Recipe: inputs that it needs, those that may be absent, params.
CASES = {
    power_spectrum: ({"wave": B}, {"b": B, "moments": IONS}, STEP),
    wavelet_spectrum: ({"wave": B}, {"b": B, "moments": IONS}, {"f_min": 0.2, "f_max": 0.4}),
    wave_polarization: ({"wave": B}, {"b": B}, STEP),
    energy_flux: ({"moments": pressed()}, {"b": B}, {}),
    plasma_parameters: ({"moments": IONS, "b": B}, {"electrons": ELECTRONS}, {}),
    plasma_state: ({"moments": IONS}, {"b": B}, {}),
    solar_connection: ({"position": PLACE}, {"plasma": IONS, "b": B}, {}),
    non_maxwellianity: ({"vdf": distributions()}, {"b": in_dbcs()}, {}),
    cartesian: ({"vdf": distributions()}, {"b": in_dbcs()}, {}),
    reduced_1d: ({"vdf": distributions()}, {"b": in_dbcs()}, {}),
    moments: ({"vdf": distributions()}, {"sc_pot": potential()}, {}),
}


@pytest.mark.parametrize("recipe", CASES, ids=lambda r: r.name)
def test_an_absent_input_leaves_the_layout_as_it_is(recipe: Recipe) -> None:
    needed, optional, params = CASES[recipe]
    whole = layout_of(recipe(**needed, **optional, **params))
    for name in optional:
        rest = {k: v for k, v in optional.items() if k != name}
        found = layout_of(recipe(**needed, **rest, **params))
        assert {v.name for v in found.variables} == {v.name for v in whole.variables}, name
        assert found.signature == whole.signature, name
    bare = layout_of(recipe(**needed, **params))
    assert bare.signature == whole.signature
