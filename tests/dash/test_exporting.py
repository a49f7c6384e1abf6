from __future__ import annotations

import io
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from sciqlop_pipe import datatypes
from sciqlop_pipe.dash.exporting import export, program
from sciqlop_pipe.dash.state import View
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import MINUTE, Interval, instant
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.publish.istp.decode import from_cdf
from sciqlop_pipe.sources.cdf import open_cdf
from tests import builders
from tests.putting import put

START = instant(builders.START)
MINUTES = Interval(START, START + 5 * MINUTE)
DAY = Interval.of("2020-11-19", "2020-11-20")
GRAPH = Graph.of([])
VIEW = View(("m.moments",), MINUTES)


@pytest.fixture
def filled(store):
    put(store, "m.moments", builders.moments(), datatypes.Moments, DAY)
    put(store, "m.spectrum", builders.energy_spectrum(), datatypes.EnergySpectrum, DAY)
    return store


def test_csv_has_a_row_per_record_and_units_in_its_heading(filled):
    name, data = export(filled, GRAPH, VIEW, "csv")
    table = pd.read_csv(io.BytesIO(data))
    ds = filled.read("m.moments", MINUTES.start, MINUTES.stop).load()
    assert name == "m.moments.csv"
    assert table["density [cm^-3]"].to_numpy() == pytest.approx(ds["density"].values)
    assert table["velocity_x [km s^-1]"].to_numpy() == pytest.approx(ds["velocity"].values[:, 0])
    assert (pd.to_datetime(table["time [UTC]"]).to_numpy() == ds["time"].values).all()


def test_netcdf_reads_back_as_it_was(filled, tmp_path):
    ds = filled.read("m.spectrum", MINUTES.start, MINUTES.stop).load()
    view = View(("m.spectrum",), MINUTES)
    (tmp_path / "it.nc").write_bytes(export(filled, GRAPH, view, "nc")[1])
    with xr.open_dataset(tmp_path / "it.nc") as back:
        assert back["spectrum"].values == pytest.approx(ds["spectrum"].values)
        assert back["spectrum"].attrs["units"] == ds["spectrum"].attrs["units"]
        assert (back["time"].values == ds["time"].values).all()


def test_a_cdf_of_a_view_is_the_istp_file_that_publishing_writes(filled, tmp_path):
    view = View(("m.spectrum",), MINUTES)
    ds = filled.read("m.spectrum", MINUTES.start, MINUTES.stop).load()
    name, data = export(filled, GRAPH, view, "cdf")
    (tmp_path / name).write_bytes(data)
    with open_cdf(tmp_path / name) as file:
        assert file.global_attrs["Logical_file_id"][0] == name.removesuffix(".cdf")
    back = from_cdf(tmp_path / name)
    xr.testing.assert_identical(back.drop_indexes("time"), ds.drop_indexes("time"))


def test_several_datasets_come_as_one_archive(filled):
    name, data = export(filled, GRAPH, View(("m.moments", "m.spectrum"), MINUTES), "csv")
    assert name.endswith(".zip")
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["m.moments.csv", "m.spectrum.csv"]


def test_too_much_for_one_download_is_refused(filled, monkeypatch):
    monkeypatch.setattr("sciqlop_pipe.dash.exporting.MOST", 100)
    with pytest.raises(UsageError, match="Zoom in"):
        export(filled, GRAPH, VIEW, "csv")


@pytest.mark.system
def test_the_python_of_a_view_runs_and_draws_it(filled, tmp_path):
    code = program(str(filled.root), "", VIEW) + "print(ds0.sizes['time'])\n"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) == filled.read("m.moments", MINUTES.start, MINUTES.stop).sizes["time"]
    assert (tmp_path / "view.png").stat().st_size > 10_000
    assert np.array_equal(VIEW.show, ("m.moments",))
