"""Missions declare what their datasets are called on servers, and each of these doors opens."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pycdfpp
import pytest

from sciqlop_missions import ace, cluster, mms, omni, psp, solar_orbiter, themis, wind
from sciqlop_missions.ace import mfi
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.sources.access import Access
from sciqlop_pipe.sources.doors import Wanted, open_doors
from sciqlop_pipe.sources.fetch import fetch
from sciqlop_pipe.sources.files import LocalFile
from sciqlop_pipe.sources.http import Patience
from sciqlop_pipe.sources.remote import Archived, Hapi, Variables
from sciqlop_pipe.sources.speasy import ALL
from tests.sources.providers import bytes_of
from tests.sources.web import page, serving

MISSIONS = [m.mission for m in (ace, cluster, mms, omni, psp, solar_orbiter, themis, wind)]
DAY = Interval.of("2023-01-02", "2023-01-03")


@pytest.mark.parametrize("mission", MISSIONS, ids=lambda m: m.name)
def test_a_mission_declares_its_doors(mission):
    sources = [d.source for d in mission.datasets if d.source is not None]
    declared = [r for s in sources for r in getattr(s, "remote", ())]
    assert declared
    for remote in declared:
        products = (
            [remote.product] if isinstance(remote, Archived) else
            list(remote.products) if isinstance(remote, Variables) else [f"cda/{remote.dataset}"]
        )  # fmt: skip
        assert all(p.split("/")[0] in ALL and " " not in p for p in products)
        if isinstance(remote, Hapi):
            assert remote.parameters


def ace_day(path: Path, b: np.ndarray, flags: np.ndarray, times: np.ndarray) -> Path:
    """Write what the adapter reads of a file of ACE MFI."""
    cdf = pycdfpp.CDF()
    cdf.add_variable("Epoch", times, pycdfpp.DataType.CDF_EPOCH)
    about = {"DEPEND_0": "Epoch", "UNITS": "nT", "FILLVAL": [np.float32(-1e31)]}
    cdf.add_variable("BGSEc", b, attributes=about)
    cdf.add_variable("Q_FLAG", flags, attributes={"DEPEND_0": "Epoch", "FILLVAL": [-2147483648]})
    assert pycdfpp.save(cdf, str(path))
    return path


def test_a_hapi_server_gives_what_the_file_gives(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    n = 50
    ms = np.datetime64("2023-01-02", "ms") + np.arange(n) * np.timedelta64(16_000, "ms")
    rng = np.random.default_rng(5)
    b = rng.normal(0, 5, (n, 3)).astype("f4")
    b[7] = -1e31
    flags = rng.integers(0, 3, n).astype("i4")
    day = ace_day(tmp_path / "ac_h0_mfi_20230102_v07.cdf", b, flags, ms.astype("M8[ns]"))
    source = next(d.source for d in ace.mission.datasets if d.name == "ace.mfi.16s.b_gse")
    with source.open(day) as cdf:
        truth = source.adapter(cdf)

    (hapi,) = (r for r in source.remote if isinstance(r, Hapi))
    assert (hapi.dataset, hapi.parameters) == ("AC_H0_MFI", ("BGSEc", "Q_FLAG"))
    header = {
        "HAPI": "3.2", "status": {"code": 1200, "message": "OK"}, "startDate": "1997-09-02Z",
        "stopDate": "2030-01-01Z", "parameters": [
            {"name": "Time", "type": "isotime", "length": 24, "units": "UTC", "fill": None},
            {"name": "BGSEc", "type": "double", "units": "nT", "fill": "-1e31", "size": [3]},
            {"name": "Q_FLAG", "type": "integer", "units": None, "fill": "-2147483648"},
        ],
    }  # fmt: skip
    rows = np.zeros(n, [("t", "S24"), ("b", "<f8", 3), ("q", "<i4")])
    rows["t"], rows["b"], rows["q"] = np.char.add(ms.astype("U23"), "Z"), b, flags
    text = "".join(f"#{line}\n" for line in json.dumps(header, indent=1).split("\n"))
    access = Access(patience=Patience(tries=2, pause_seconds=0.01))
    with serving(tmp_path / "nothing") as web:
        info = "/hapi/info?id=AC_H0_MFI&parameters=BGSEc,Q_FLAG"
        web.faults[info] = [page(json.dumps(header), "application/json")] * 3
        web.faults["/hapi/data?*"] = [bytes_of(text.encode() + rows.tobytes())] * 3
        listing = open_doors([f"hapi+{web.address}hapi"], [Wanted(source, (DAY,))], access)
        # A record that begins before midnight is centred behind it: the day before comes too.
        before, piece = source.candidates(listing)
        assert before.stop == piece.start
        local = LocalFile(piece, fetch(piece, tmp_path / "task", access), "sha256:0")
        found = source.read([local], DAY, salvage=False).ds
    assert found is not None
    assert np.array_equal(found["time"], truth["time"])
    np.testing.assert_allclose(found["vector"], truth["vector"], rtol=1e-6)
    assert np.array_equal(found["quality"], truth["quality"])
    assert np.isnan(found["vector"].values[7]).all()
    assert found["quality"].attrs == truth["quality"].attrs
    assert mfi.FLAGS.masking == 1 << 2
