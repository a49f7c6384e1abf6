"""The generic adapters of series, on files whose layout the tests choose."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from sciqlop_pipe.datatypes import EnergySpectrum, Moments, Position, ScalarSeries, VectorSeries
from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.cdf import open_cdf
from sciqlop_pipe.sources.conventions import Deltas, Quality, unit_factor
from sciqlop_pipe.sources.series import (
    MomentsAdapter,
    PositionAdapter,
    ScalarAdapter,
    SpectrumAdapter,
    VectorAdapter,
)
from sciqlop_pipe.sources.species import ELECTRON, PROTON
from tests.sources.archive_cdfs import FILL, START, Writer, times

N = 4
FLAGS = Flags("flags", (Flag(1, "saturated", "saturated"),), masking=2)


def start(**attrs):
    return Writer().time("Epoch", times(N, "1s"), **attrs)


def read(datatype, adapter, path):
    with open_cdf(path) as cdf:
        return datatype.check(adapter(cdf), str(path))


def test_the_first_three_of_four_columns_are_the_vector(tmp_path):
    four = np.arange(N * 4, dtype=np.float32).reshape(N, 4)
    path = start().add("b", four, DEPEND_0="Epoch", UNITS="nT", CATDESC="B plus total")
    ds = read(VectorSeries, VectorAdapter("b", "nT", "GSE"), path.save(tmp_path / "a.cdf"))
    np.testing.assert_array_equal(ds["vector"], four[:, :3])
    assert list(ds["component"].values) == ["x", "y", "z"]
    assert ds["vector"].attrs == {"units": "nT", "long_name": "B plus total", "frame": "GSE"}


def test_columns_may_be_chosen(tmp_path):
    four = np.arange(N * 4, dtype=np.float32).reshape(N, 4)
    path = start().add("b", four, DEPEND_0="Epoch", UNITS="T").save(tmp_path / "a.cdf")
    ds = read(VectorSeries, VectorAdapter("b", "nT", "RTN", columns=(1, 2, 3)), path)
    np.testing.assert_allclose(ds["vector"], four[:, 1:] * 1e9)


def test_a_vector_of_two_columns_is_refused(tmp_path):
    path = start().add("b", np.zeros((N, 2)), DEPEND_0="Epoch", UNITS="nT").save(tmp_path / "a.cdf")
    with pytest.raises(SourceError, match=r"b has shape \(4, 2\)"):
        read(VectorSeries, VectorAdapter("b", "nT", "GSE"), path)


def test_a_masking_flag_takes_its_record_away_and_another_does_not(tmp_path):
    out = start().add("b", np.ones((N, 3)), DEPEND_0="Epoch", UNITS="nT")
    out.add("flag", np.array([0, 2, 4, 0], np.uint32), DEPEND_0="Epoch")
    path = out.save(tmp_path / "a.cdf")
    ds = read(VectorSeries, VectorAdapter("b", "nT", "GSE", quality=Quality("flag", FLAGS)), path)
    assert list(np.isnan(ds["vector"]).any("component").values) == [False, True, False, False]
    assert [FLAGS.names(int(w)) for w in ds["quality"]] == [(), ("saturated",), ("bit2",), ()]


def test_fill_values_become_nan(tmp_path):
    values = np.array([1, FILL, 3, 4], np.float32)
    path = start().add("n", values, DEPEND_0="Epoch", UNITS="m-3", FILLVAL=FILL)
    adapter = ScalarAdapter("n", "cm^-3", "density")
    ds = read(ScalarSeries, adapter, path.save(tmp_path / "a.cdf"))
    np.testing.assert_allclose(ds["value"], np.array([1, np.nan, 3, 4]) * 1e-6)


def test_a_unit_left_out_by_the_archive_can_be_declared(tmp_path):
    path = start().add("n", np.ones(N), DEPEND_0="Epoch").save(tmp_path / "a.cdf")
    with pytest.raises(SourceError, match="unit '' cannot be read as V"):
        read(ScalarSeries, ScalarAdapter("n", "V"), path)
    ds = read(ScalarSeries, ScalarAdapter("n", "V", declared="V"), path)
    assert (ds["value"] == 1).all()


def test_a_series_without_its_time_variable_is_refused(tmp_path):
    path = start().add("n", np.ones(N), UNITS="V").save(tmp_path / "a.cdf")
    with pytest.raises(SourceError, match="n has no DEPEND_0"):
        read(ScalarSeries, ScalarAdapter("n", "V"), path)


def test_the_deltas_of_the_file_say_where_the_centre_is(tmp_path):
    out = start(DELTA_PLUS_VAR="plus", DELTA_MINUS_VAR="minus")
    out.add("plus", np.float32(0.15), fixed=True, UNITS="s")
    out.add("minus", np.float32(0), fixed=True, UNITS="s")
    path = out.add("n", np.ones(N), DEPEND_0="Epoch", UNITS="V").save(tmp_path / "a.cdf")
    adapter = ScalarAdapter("n", "V", time_tag=Deltas())
    ds = read(ScalarSeries, adapter, path)
    assert ds["time"].values[0] - START == np.timedelta64(75, "ms")
    with open_cdf(path) as cdf:
        first, last = adapter.extent(cdf)
    assert (last - first) == 3_000_000_000


def test_deltas_may_differ_by_record_and_unit(tmp_path):
    out = start(DELTA_PLUS_VAR="plus", DELTA_MINUS_VAR="minus")
    out.add("plus", np.array([0, 10, 20, 30], np.float32), DEPEND_0="Epoch", UNITS="ms")
    out.add("minus", np.array([10, 10, 10, 10], np.float32), DEPEND_0="Epoch", UNITS="ms")
    path = out.add("n", np.ones(N), DEPEND_0="Epoch", UNITS="V").save(tmp_path / "a.cdf")
    ds = read(ScalarSeries, ScalarAdapter("n", "V", time_tag=Deltas()), path)
    shift = (ds["time"].values - times(N, "1s")) / np.timedelta64(1, "ms")
    np.testing.assert_allclose(shift, [-5, 0, 5, 10])


def test_position_and_velocity_come_in_kilometres(tmp_path):
    out = start().add("r", np.full((N, 3), 7e6), DEPEND_0="Epoch", UNITS="m")
    out.add("v", np.full((N, 3), 2e3), DEPEND_0="Epoch", UNITS="m/s")
    ds = read(Position, PositionAdapter("r", "GSE", "v"), out.save(tmp_path / "a.cdf"))
    np.testing.assert_allclose(ds["position"], 7e3)
    np.testing.assert_allclose(ds["velocity"], 2)


def test_a_spectrum_in_kev_per_kev_keeps_its_numbers(tmp_path):
    out = start().add("e", np.geomspace(1e-2, 1, 5), fixed=True, UNITS="keV")
    out.add("s", np.full((N, 5), 3e6), DEPEND_0="Epoch", UNITS="keV/(cm^2 s sr keV)")
    path = out.save(tmp_path / "a.cdf")
    ds = read(EnergySpectrum, SpectrumAdapter("s", "e", PROTON, "omni"), path)
    assert (ds["spectrum"] == 3e6).all()
    np.testing.assert_allclose(ds["energy"], np.geomspace(10, 1000, 5))


def moments_file(tmp_path, **left_out):
    tensor = np.diag([90.0, 30.0, 30.0]).astype(np.float32)
    out = start()
    for name, values, units in [
        ("n", np.full(N, 5.0, np.float32), "cm^-3"),
        ("v", np.full((N, 3), -300.0, np.float32), "km/s"),
        ("t", np.tile(tensor, (N, 1, 1)), "eV"),
        ("p", np.tile(tensor, (N, 1, 1)), "nPa"),
        ("par", np.full(N, 90.0, np.float32), "eV"),
        ("perp", np.full(N, 30.0, np.float32), "eV"),
        ("q", np.full((N, 3), 0.1, np.float32), "mW/m^2"),
    ]:
        if name not in left_out:
            out.add(name, values, DEPEND_0="Epoch", UNITS=units, FILLVAL=FILL)
    return out.save(tmp_path / "a.cdf")


MOMENTS = MomentsAdapter(
    "n", "v", ELECTRON, "DBCS", temperature_tensor="t", pressure="p", temperature_parallel="par",
    temperature_perpendicular="perp", heat_flux="q",
)  # fmt: skip


class Salvaged:
    """An open file, as if its last variables had been cut off."""

    def __init__(self, cdf, lost):
        self._cdf, self.lost = cdf, lost

    def has(self, name):
        return name not in self.lost and self._cdf.has(name)

    def __getattr__(self, name):
        return getattr(self._cdf, name)


def test_the_scalar_temperature_is_a_third_of_the_trace(tmp_path):
    ds = read(Moments, MOMENTS, moments_file(tmp_path))
    np.testing.assert_allclose(ds["temperature"], 50)
    assert ds.attrs == {"species": "e-"}
    assert {ds[v].attrs["frame"] for v in ("velocity", "pressure", "heat_flux")} == {"DBCS"}


def test_what_salvage_lost_is_named_and_the_rest_is_read(tmp_path):
    with open_cdf(moments_file(tmp_path)) as cdf:
        ds = Moments.check(MOMENTS(Salvaged(cdf, ("par", "perp"))))
    assert ds.attrs["lost"] == "par, perp"
    np.testing.assert_allclose(ds["temperature"], 50)
    assert np.isnan(ds["temperature_parallel"]).all()
    assert ds["temperature_parallel"].attrs["units"] == "eV"


def test_a_salvaged_file_looks_like_a_whole_one(tmp_path):
    with open_cdf(moments_file(tmp_path)) as cdf:
        whole, cut = MOMENTS(cdf), MOMENTS(Salvaged(cdf, ("par", "p", "t", "q")))
    assert {k: (v.dims, v.dtype, v.shape) for k, v in whole.items()} == {
        k: (v.dims, v.dtype, v.shape) for k, v in cut.items()
    }
    assert np.isnan(cut["temperature"]).all()


def test_moments_without_velocity_are_refused_even_salvaged(tmp_path):
    path = moments_file(tmp_path)
    with pytest.raises(SourceError, match="lost variable v"), open_cdf(path) as cdf:
        MOMENTS(Salvaged(cdf, ("v", "par")))


def test_a_variable_the_archive_never_wrote_is_refused(tmp_path):
    path = moments_file(tmp_path, par=True)
    with pytest.raises(SourceError, match="no variable par"), open_cdf(path) as cdf:
        MOMENTS(cdf)


def test_flags_mask_every_moment_of_a_record(tmp_path):
    path = moments_file(tmp_path)
    masked = Flags("flags", (), masking=1)
    with open_cdf(path) as cdf:
        flagged = Salvaged(cdf, ())
        flagged.raw = lambda name: np.array([0, 1, 0, 0], np.uint32)
        flagged.attrs = lambda name: {} if name == "flag" else cdf.attrs(name)
        flagged.has = lambda name: name == "flag" or cdf.has(name)
        adapter = pickle.loads(pickle.dumps(MOMENTS))
        ds = type(adapter)(
            **{f: getattr(adapter, f) for f in adapter.__dataclass_fields__}
            | {"quality": Quality("flag", masked)}
        )(flagged)
    for name in ("density", "velocity", "temperature", "pressure"):
        away = np.isnan(ds[name].values.reshape(N, -1)).any(axis=1)
        assert list(away) == [False, True, False, False], name


@pytest.mark.parametrize(
    ("found", "wanted", "factor"),
    [
        ("K", "eV", 8.617333262e-5),
        ("#/cc", "cm^-3", 1),
        ("1/cm^3", "cm^-3", 1),
        ("rad", "deg", 57.29577951),
        (" km / s ", "km s^-1", 1),
        ("eV cm^-2 s^-1 sr^-1 eV^-1", "eV cm^-2 s^-1 sr^-1 eV^-1", 1),
    ],
)
def test_units_are_known_however_they_are_written(found, wanted, factor):
    assert unit_factor(found, wanted) == pytest.approx(factor)


def test_the_case_of_a_unit_matters():
    with pytest.raises(SourceError, match="unit 'MW/m2'"):
        unit_factor("MW/m2", "mW m^-2")
