"""Field products of real bursts, by name, through the commands a user types."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.cli import main

Call = Callable[..., dict]


@pytest.fixture
def call(
    tmp_path: Path,
    shared_data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Call:
    """Run `sciqlop-pipe WORDS --store tmp --json`; `run` gets the real files of a mission."""

    def go(*words: str, mission: str = "mms") -> dict:
        folder = shared_data / mission
        if not folder.is_dir():
            pytest.skip(f"{folder} is absent")
        fixed = ["--store", str(tmp_path), "--json"]
        if words[0] == "run":
            fixed += ["--archive", str(folder), "--workers", "0"]
        monkeypatch.setattr(sys, "argv", ["sciqlop-pipe", *words, *fixed])
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code
        return json.loads(capsys.readouterr().out)

    return go


def opened(store: Path, dataset: str) -> xr.Dataset:
    return xr.open_dataset(store, engine="sciqlop", dataset=dataset).load()


def test_the_magnetopause_of_2015_10_16(call: Call, tmp_path: Path) -> None:
    b, ions = "mms1.fgm.brst.b_gse", "mms1.fpi.dis.brst"
    made = [f"{ions}.{n}" for n in ("de_hoffmann_teller", "plasma_parameters", "alfvenicity")]
    call("run", "mms1.fgm.brst.minimum_variance", "mms1.fgm.brst.b_sm", *made,
         "--start", "2015-10-16T13:05", "--stop", "2015-10-16T13:08")  # fmt: skip

    def span(start: str, stop: str) -> list[str]:
        return ["--start", f"2015-10-16T{start}", "--stop", f"2015-10-16T{stop}"]

    mva = call("analyse", "mva", b, *span("13:05:40", "13:06:09"))
    for axis, known in (("N", (0.736, 0.644, -0.208)), ("L", (0.367, -0.120, 0.923))):
        cosine = abs(np.dot(mva[f"{axis} (GSE)"], known)) / np.linalg.norm(known)
        assert np.degrees(np.arccos(min(cosine, 1.0))) < (5 if axis == "N" else 3)
    assert mva["lambda2/lambda3"] == pytest.approx(2.4, abs=0.1)
    assert mva["normal"].startswith("uncertain")

    ht = call("analyse", "ht", f"{ions}.moms_gse", b, *span("13:06:42", "13:06:58"))
    np.testing.assert_allclose(ht["V_HT (GSE) [km/s]"], (-180, 172, -150), atol=10)
    assert ht["correlation"] > 0.98
    assert ht["Walen slope"] == pytest.approx(-0.61, abs=0.05)
    failed = call("analyse", "ht", f"{ions}.moms_gse", b, *span("13:05:41", "13:06:05"))
    assert failed["Walen test"] == "failed"

    windows = opened(tmp_path, f"{ions}.de_hoffmann_teller")
    at = windows.sel(time="2015-10-16T13:06:50")
    np.testing.assert_allclose(at["velocity"], (-180, 172, -150), atol=25)
    beta = opened(tmp_path, f"{ions}.plasma_parameters")["beta"]
    assert 0.1 < float(beta.median()) < 10


def test_four_spacecraft_of_mms_in_the_magnetosheath(call: Call, tmp_path: Path) -> None:
    names = [f"mms.fgm.brst.{n}" for n in ("current", "nulls", "timing", "shape", "barycentre")]
    call("run", *names, "mms1.mec.brst.magnetic_location",
         "--start", "2016-12-09T09:00", "--stop", "2016-12-09T09:04")  # fmt: skip
    current = opened(tmp_path, names[0])
    assert current["time"].values[0] > np.datetime64("2016-12-09T09:00:54.636")
    assert float(current["ratio"].median()) == pytest.approx(0.12, abs=0.01)
    shape = opened(tmp_path, names[3])
    assert not shape["quality"].any() and 5 < float(shape["size"].mean()) < 6.5


def test_four_spacecraft_of_cluster(call: Call, tmp_path: Path) -> None:
    names = [f"cluster.fgm.spin.{n}" for n in ("current", "shape")]
    call("run", *names, "cluster1.fgm.spin.b_gsm",
         "--start", "2001-06-11", "--stop", "2001-06-12", mission="cluster")  # fmt: skip
    current, shape = (opened(tmp_path, n) for n in names)
    assert current.sizes["time"] > 850
    assert 500 < float(shape["size"].mean()) < 5000
    # Hundreds of kilometres: tens of nA m^-2 at most.
    assert float(np.abs(current["current"]).median()) < 50
    turned = opened(tmp_path, "cluster1.fgm.spin.b_gsm")["vector"]
    np.testing.assert_allclose(
        turned[:, 0], opened(tmp_path, "cluster1.fgm.spin.b_gse")["vector"][:, 0], atol=1e-3
    )


def test_where_the_wind_at_parker_solar_probe_comes_from(call: Call, tmp_path: Path) -> None:
    call("run", "psp.spc.solar_connection", "--start", "2020-01-01", "--stop", "2020-01-02",
         mission="psp")  # fmt: skip
    found = opened(tmp_path, "psp.spc.solar_connection")
    assert float(found["distance"][0]) == pytest.approx(100.1e6, rel=0.01)
    assert (np.abs(found["heliographic_latitude"]) < 5).all()
    assert ((found["speed"] > 200) & (found["speed"] < 800)).all()
