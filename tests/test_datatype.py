"""A DataType says in words what is wrong with a dataset, and where."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe import datatypes
from sciqlop_pipe.datatype import DataType, MaybeType, Var
from sciqlop_pipe.datatypes import VDF, EnergySpectrum, Moments, VectorSeries
from sciqlop_pipe.errors import DataTypeError
from tests import builders

ALL = [t for t in vars(datatypes).values() if isinstance(t, DataType)]
Change = Callable[[xr.Dataset], xr.Dataset]


def said(datatype: DataType, ds: xr.Dataset) -> str:
    with pytest.raises(DataTypeError) as refusal:
        datatype.check(ds, "sim.ion.vdf/20300101T0000")
    return str(refusal.value)


def with_time(values: list[str]) -> Change:
    return lambda ds: ds.isel(time=slice(len(values))).assign_coords(
        time=np.array(values, "datetime64[ns]")
    )


def with_attr(name: str, attr: str, value: str | None) -> Change:
    def change(ds: xr.Dataset) -> xr.Dataset:
        ds = ds.copy()
        ds[name].attrs.pop(attr)
        if value is not None:
            ds[name].attrs[attr] = value
        return ds

    return change


def test_a_dataset_of_its_type_comes_back_unchanged() -> None:
    ds = builders.vector_series()
    assert VectorSeries.check(ds) is ds


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda ds: ds.drop_vars("time"), "there is no time coordinate"),
        (lambda ds: ds.assign_coords(time=ds["time"].values.astype("datetime64[s]").astype("i8")),
         "time is int64, expected datetime64"),
        (with_time(["2030-01-01", "NaT"]), "time holds NaT"),
        (with_time(["2030-01-01", "2030-01-01"]), "does not increase strictly at record 1"),
        (with_time(["2030-01-01", "2030-01-03", "2030-01-02"]), "at record 2 (2030-01-02"),
        (lambda ds: ds.drop_vars("vector"), "variable 'vector' is missing"),
        (lambda ds: ds.transpose(), "vector has dims (component, time), expected (time, component)"),
        (with_attr("vector", "units", None), "vector has no units"),
        (with_attr("vector", "long_name", None), "vector has no long_name"),
        (with_attr("vector", "frame", None), "vector is a vector without a frame"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(change: Change, words: str) -> None:
    text = said(VectorSeries, change(builders.vector_series()))
    assert "not a VectorSeries" in text
    assert words in text
    assert "sim.ion.vdf/20300101T0000" in text


def test_everything_that_is_wrong_is_said_at_once() -> None:
    ds = with_attr("velocity", "units", "m/s")(builders.moments().drop_vars("density"))
    ds.attrs.pop("species")
    text = said(Moments, ds)
    assert "attribute 'species' is missing" in text
    assert "variable 'density' is missing" in text
    assert "velocity is in 'm/s', expected 'km s^-1'" in text


def test_what_is_optional_may_be_absent_but_not_wrong() -> None:
    ds = builders.moments()
    Moments.check(ds.drop_vars("pressure"))
    assert "pressure is in 'Pa'" in said(Moments, with_attr("pressure", "units", "Pa")(ds))


def test_both_layouts_of_directions_are_distributions() -> None:
    VDF.check(builders.vdf())
    VDF.check(builders.vdf(directions=88))
    mixed = builders.vdf().rename(phi_bin="azimuth")
    assert "expected (time, phi_bin, theta_bin, energy_bin) or (time, direction" in said(VDF, mixed)


def test_a_table_may_or_may_not_change_with_time_but_has_its_axis() -> None:
    ds = builders.energy_spectrum()
    energy = ds["energy"]
    rows = energy.expand_dims(time=ds["time"]).assign_attrs(energy.attrs)
    EnergySpectrum.check(ds.assign(energy=rows))
    assert "energy has dims ()" in said(EnergySpectrum, ds.assign(energy=energy[0]))
    turned = rows.transpose("energy_bin", "time")
    assert "energy has dims (energy_bin, time)" in said(EnergySpectrum, ds.assign(energy=turned))


def test_a_dataset_without_records_may_be_of_its_type() -> None:
    VectorSeries.check(builders.vector_series().isel(time=slice(0)))


@pytest.mark.parametrize("datatype", ALL, ids=lambda t: t.name)
def test_a_type_survives_pickling_as_the_same_type(datatype: DataType) -> None:
    again = pickle.loads(pickle.dumps(datatype))
    assert again == datatype
    assert hash(again) == hash(datatype)


@pytest.mark.parametrize("datatype", ALL, ids=lambda t: t.name)
def test_a_type_describes_itself(datatype: DataType) -> None:
    assert datatype.description
    assert not datatype.main or datatype.main in {v.name for v in datatype.variables}


def test_names_of_types_are_unique() -> None:
    assert len({t.name for t in ALL}) == len(ALL)


def test_only_none_makes_a_type_optional() -> None:
    assert MaybeType(VDF) == VDF | None
    assert MaybeType(VDF) == None | VDF
    with pytest.raises(TypeError):
        VDF | VectorSeries


def test_any_ordered_subset_that_has_the_axis_fits() -> None:
    table = Var("phi", (("time", "phi_bin", "energy_bin"),), subset=True, along=("phi_bin",))
    assert table.fits(("phi_bin",))
    assert table.fits(("time", "phi_bin"))
    assert not table.fits(("energy_bin", "phi_bin"))
    assert not table.fits(("time", "energy_bin"))
    assert not table.fits(())
