"""Real products: store to CDF to store, nothing lost."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sciqlop_pipe import datatypes
from sciqlop_pipe.cli import main
from sciqlop_pipe.publish.istp.decode import from_cdf
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.granules import new_uid, read_granule, write_granule
from sciqlop_pipe.store.layout import content_hash

pytestmark = pytest.mark.system

REAL = [
    ("mms1.fpi.dis.brst.vdf", "2020-11-19T23:34", "2020-11-19T23:37", datatypes.VDF),
    ("mms1.fpi.dis.brst.moments", "2020-11-19T23:34", "2020-11-19T23:37", datatypes.Moments),
    ("mms1.fgm.brst.b_gse", "2015-10-16T13:05", "2015-10-16T13:08", datatypes.VectorSeries),
    (
        "mms1.fpi.dis.brst.energy_spectrum",
        "2020-11-19T23:34",
        "2020-11-19T23:37",
        datatypes.EnergySpectrum,
    ),
]


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["sciqlop-pipe", *words])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code


@pytest.mark.parametrize(("dataset", "start", "stop", "datatype"), REAL)
def test_store_to_cdf_to_store_loses_nothing(
    dataset: str, start: str, stop: str, datatype: datatypes.common.DataType,
    tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    here = ["--store", str(tmp_path / "one"), "--start", start, "--stop", stop]
    call(
        monkeypatch, "run", dataset, *here, "--archive", str(shared_data / "mms"), "--workers", "0"
    )
    call(monkeypatch, "publish", "cdf", dataset, *here, "--dir", str(tmp_path / "cdf"))
    (path,) = [p for p in (tmp_path / "cdf").rglob("*.cdf") if p.parent.name != "masters"]
    back = from_cdf(path)
    with Store.open(tmp_path / "one", read_only=True) as one:
        (row,) = [r for r in one.registry.current(dataset) if r.n]
        with Store.open(tmp_path / "two", create=True) as two:
            again = write_granule(
                two.root, row.granule, new_uid(row.fingerprint), datatype.check(back), datatype, {}
            )
            assert content_hash(read_granule(two.root, again.path)) == row.content
