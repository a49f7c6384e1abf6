"""Real bursts become products, through the command a user types; numbers from the data themselves."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe.cli import main

Run = Callable[..., tuple[int, dict]]


@pytest.fixture
def run(
    tmp_path: Path,
    shared_data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run `sciqlop-pipe run ... --archive shared/mms --store tmp --json`."""

    def go(*words: str) -> tuple[int, dict]:
        fixed = ["--archive", str(shared_data / "mms"), "--store", str(tmp_path), "--workers", "0"]
        monkeypatch.setattr(sys, "argv", ["sciqlop-pipe", "run", *words, *fixed, "--json"])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), json.loads(capsys.readouterr().out)

    return go


def opened(store: Path, dataset: str) -> xr.Dataset:
    return xr.open_dataset(store, engine="sciqlop", dataset=dataset).load()


def test_a_burst_through_the_bow_shock(run: Run, tmp_path: Path) -> None:
    status, report = run(
        "mms1.fpi.dis.brst.moments", "mms1.fpi.dis.brst.energy_spectrum",
        "--start", "2020-11-19T23:34", "--stop", "2020-11-19T23:37",
    )  # fmt: skip
    assert status == 0 and report["rows"]["mms1.fpi.dis.brst.moments"]["records"] == 800
    m = opened(tmp_path, "mms1.fpi.dis.brst.moments")
    assert (
        m.sizes["time"]
        == opened(tmp_path, "mms1.fpi.dis.brst.energy_spectrum").sizes["time"]
        == 800
    )
    assert m.velocity.attrs["frame"] == "DBCS"

    upstream = m.sel(time=slice("2020-11-19T23:34:33", "2020-11-19T23:36:02.999"))
    assert float(upstream.density.mean()) == pytest.approx(10.3, abs=0.3)
    np.testing.assert_allclose(upstream.velocity.mean("time"), (-326, 30, -20), atol=5)

    n, t = m.density.values, m.time.values
    passes = t[np.argmax(n > 25)]
    assert abs(passes - np.datetime64("2020-11-19T23:36:13.5")) <= np.timedelta64(1, "s")
    assert 60 <= n.max() <= 68
    peak = t[np.argmax(n)]
    assert np.datetime64("2020-11-19T23:36:16.6") <= peak <= np.datetime64("2020-11-19T23:36:18.7")

    assert n[-1] == pytest.approx(37.7, rel=0.03)
    np.testing.assert_allclose(m.velocity.values[-1], (-259, 124, -29), atol=25)


def test_truncated_files_are_refused_then_salvaged(run: Run, tmp_path: Path) -> None:
    day = ("mms1.fpi.dis.fast.moms", "--start", "2015-12-01T02:00", "--stop", "2015-12-01T06:00")
    status, report = run(*day)
    assert status == 1 and report["rows"]["mms1.fpi.dis.fast.moms"] == {"refused": 2}
    assert all("bytes" in f["error"] and "--salvage" in f["error"] for f in report["failures"])

    status, report = run(*day, "--salvage")
    assert status == 0
    m = opened(tmp_path, "mms1.fpi.dis.fast.moms")
    assert m.sizes["time"] == 3200
    trace = m.temperature_tensor.values.trace(axis1=1, axis2=2) / 3
    np.testing.assert_allclose(m.temperature, trace, rtol=1e-5)

    from sciqlop_pipe.store import Store

    with Store.open(tmp_path, read_only=True) as store:
        for granule in store.registry.current("mms1.fpi.dis.fast.moms"):
            lost = json.loads(store.registry.row(granule.uid)["quality"])["lost"]
            assert any("temp" in word for word in lost)
    assert run(*day)[1]["planned"] == 0
