from __future__ import annotations

from pathlib import Path

import cdflib
import numpy as np
import pycdfpp
import pyistp
import pytest
import xarray as xr

from sciqlop_pipe.errors import PipeError, SourceError
from sciqlop_pipe.publish.istp.decode import from_cdf
from sciqlop_pipe.publish.istp.encode import to_cdf
from sciqlop_pipe.publish.istp.facts import Facts, Names, Provenance
from sciqlop_pipe.publish.istp.units import si_conversion
from sciqlop_pipe.store.layout import content_hash
from tests import builders
from tests.every_type import every

MADE = Provenance(
    "c0ffee", 1_600_000_000_000_000_000, ("recipe@1 X@1",), ("f",), ("file a.cdf 12",)
)


def written(folder: Path, name: str, datatype: str, ds: xr.Dataset) -> Path:
    facts = Facts(f"craft.tool.{name.lower()}", datatype, "A title", "What it is",
                  citation="A. Nyone (2020), doi 10.1000/xyz123")  # fmt: skip
    file_id = f"{facts.names.logical_source}_20201119_v1.0.0"
    path = folder / f"{file_id}.cdf"
    path.write_bytes(to_cdf(ds, facts, MADE, file_id, "1.0.0"))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, xr.Dataset]:
    folder = tmp_path_factory.mktemp("cdf")
    return {written(folder, name, d.name, ds): ds for name, d, ds in every()}


def test_every_datatype_comes_back_as_it_was(files: dict[Path, xr.Dataset]) -> None:
    assert len(files) > 45
    for path, ds in files.items():
        assert content_hash(from_cdf(path)) == content_hash(ds), path.name


def test_three_other_readers_see_the_same_numbers(files: dict[Path, xr.Dataset]) -> None:
    for path, ds in files.items():
        fast, plain, loader = pycdfpp.load(str(path)), cdflib.CDF(path), pyistp.load(str(path))
        for name in map(str, ds.data_vars):
            array = ds[name]
            if array.dtype.kind != "f":
                continue
            want = np.where(np.isnan(array.values), array.dtype.type(-1e31), array.values)
            np.testing.assert_array_equal(np.squeeze(fast[name].values), np.squeeze(want))
            np.testing.assert_array_equal(np.squeeze(plain.varget(name)), np.squeeze(want))
        for name in loader.data_variables():
            seen = loader.data_variable(name)
            assert seen is not None, (path.name, name)
            np.testing.assert_array_equal(pycdfpp.to_datetime64(fast["Epoch"]), ds["time"].values)
            assert seen.values.shape == ds[name].shape
            if ds[name].ndim > 1 and ds[name].dims[1] == "energy_bin" and "energy" in ds:
                np.testing.assert_array_equal(np.squeeze(seen.axes[1].values), ds["energy"].values)


def test_axes_that_change_with_time_are_pointed_to(tmp_path: Path) -> None:
    ds = builders.vdf(energy=np.geomspace(10, 1e4, 16) * np.array([[1.0], [1.1], [1.2]]))
    file = pycdfpp.load(str(written(tmp_path, "vdf", "VDF", ds)))
    f = {k: v.value for k, v in file["f"].attributes.items()}
    assert [f[f"DEPEND_{i}"] for i in range(4)] == ["Epoch", "phi", "theta", "energy"]
    assert file["energy"].attributes["DEPEND_0"].value == "Epoch"
    assert "DEPEND_0" not in file["phi"].attributes
    assert f["SI_CONVERSION"] == "1>s^3 m^-6" and f["DISPLAY_TYPE"] == "spectrogram"


def test_a_file_says_where_it_comes_from(tmp_path: Path) -> None:
    found = pycdfpp.load(str(written(tmp_path, "b", "VectorSeries", builders.vector_series())))
    said = {name: list(a) for name, a in found.attributes.items()}
    assert said["Logical_source"] == ["craft_tool_b"] and said["Data_version"] == ["1.0.0"]
    assert said["Parents"] == ["file a.cdf 12"] and said["Pipe_content"] == ["c0ffee"]
    assert said["HTTP_LINK"] == ["https://doi.org/10.1000/xyz123"]
    assert said["Instrument_type"] == ["Magnetic Fields (space)"]
    labels = found["vector"].attributes["LABL_PTR_1"].value
    assert [str(w).strip() for w in np.ravel(found[labels].values_encoded)] == [
        "vector x GSE", "vector y GSE", "vector z GSE",
    ]  # fmt: skip


def test_limits_include_every_value_and_never_the_fill(files: dict[Path, xr.Dataset]) -> None:
    for path in files:
        file = pycdfpp.load(str(path))
        for name, variable in file.items():
            attrs = {k: v.value for k, v in variable.attributes.items()}
            if attrs["VAR_TYPE"] == "metadata" or name == "Epoch":
                continue
            values = np.asarray(variable.values)
            good = values[values != attrs["FILLVAL"][0]]
            low, high = attrs["VALIDMIN"][0], attrs["VALIDMAX"][0]
            assert (good >= low).all() and (good <= high).all(), (path.name, name)
            assert not low <= attrs["FILLVAL"][0] <= high


def test_a_value_that_means_no_value_is_refused(tmp_path: Path) -> None:
    ds = builders.scalar_series(value=-1e31)
    with pytest.raises(PipeError, match="means 'no value'"):
        written(tmp_path, "x", "ScalarSeries", ds)


def test_a_leap_second_does_not_shift_times(tmp_path: Path) -> None:
    at = np.datetime64("2016-12-31T23:59:58.999999999", "ns") + np.arange(3) * np.timedelta64(
        1, "s"
    )
    ds = builders.scalar_series(time=at)
    assert (from_cdf(written(tmp_path, "x", "ScalarSeries", ds)).time.values == at).all()


def test_a_damaged_file_and_a_stranger_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "x", "ScalarSeries", builders.scalar_series())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(SourceError, match="damaged"):
        from_cdf(path)
    stranger = tmp_path / "other.cdf"
    cdf = pycdfpp.CDF()
    cdf.checksum = pycdfpp.Checksum.md5_checksum
    cdf.add_variable("a", np.arange(3.0))
    pycdfpp.save(cdf, str(stranger))
    with pytest.raises(SourceError, match="not published by SciQLOP Pipe"):
        from_cdf(stranger)


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ("km s^-1", "1000>m s^-1"),
        ("nT", "1e-09>T"),
        ("cm^-3", "1000000>m^-3"),
        ("eV", "1.60217663e-19>J"),
        ("1", "1>1"),
        ("eV cm^-2 s^-1 sr^-1 eV^-1", "10000>m^-2 s^-1 sr^-1"),
        ("furlong", ""),
    ],
)
def test_units_in_si(units: str, said: str) -> None:
    assert si_conversion(units) == said


def test_names_follow_the_scheme() -> None:
    names = {
        n: Names.of(n).logical_source for n in ("mms1.fpi.dis.brst.energy_spectrum", "mms1.state")
    }
    assert list(names.values()) == ["mms1_fpi-dis-brst_energy-spectrum", "mms1_pipe_state"]
