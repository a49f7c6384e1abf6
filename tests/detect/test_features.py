from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.detect.features import FEATURES, feature_matrix, informative
from sciqlop_pipe.errors import UnknownName

NAMES = tuple(f.name for f in FEATURES)


def state(**values: float | list[float]) -> xr.Dataset:
    given = {"density": 5.0, "speed": 400.0, "temperature": 10.0, "core_temperature": 9.0,
             "magnetic_field": 5.0} | values  # fmt: skip
    return xr.Dataset({k: ("time", np.atleast_1d(np.asarray(v, float))) for k, v in given.items()})


def one(name: str, **values: float) -> float:
    return float(feature_matrix(state(**values), [name])[0, 0])


def test_beta_is_that_of_the_textbook():
    # n T / (B^2 / 2 mu0): 5 cm^-3 at 10 eV in 5 nT
    expected = 5e6 * 10 * 1.602176634e-19 * 2 * 1.25663706127e-6 / 25e-18
    assert np.isclose(10 ** one("log_beta"), expected)


def test_the_mach_like_number_is_total_over_thermal_energy():
    per_ion = 1.67262192595e-27 * (400e3) ** 2 / 1.602176634e-19
    assert np.isclose(10 ** one("log_mach"), (1.5 * 10 + per_ion / 2) / (1.5 * 10))


def test_plasma_at_rest_has_a_mach_like_number_of_one():
    assert abs(one("log_mach", speed=1.0, temperature=3000.0)) < 1e-5


@pytest.mark.parametrize(
    "dead",
    [
        {"temperature": 0.0, "speed": 2400.0},
        {"density": 0.0},
        {"density": -0.1},
        {"speed": 1200.0},
        {"temperature": float("nan")},
    ],
)
def test_dead_records_carry_no_information(dead: dict[str, float]):
    assert not informative(state(**dead))[0]
    assert np.isnan(feature_matrix(state(**dead), NAMES)).all()


def test_an_unknown_field_leaves_the_other_features_alone():
    for lacking in (state(magnetic_field=np.nan), state().drop_vars("magnetic_field")):
        row = dict(zip(NAMES, feature_matrix(lacking, NAMES)[0], strict=True))
        assert {k for k, v in row.items() if np.isnan(v)} == {"log_field", "log_beta"}


def test_an_unknown_feature_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownName, match="log_density"):
        feature_matrix(state(), ["log_densty"])
