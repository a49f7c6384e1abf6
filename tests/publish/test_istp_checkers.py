"""What others say of our files: AstraLint, spacepy's ISTP checks, speasy's archive provider."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sciqlop_pipe.publish.istp.files import publish
from sciqlop_pipe.publish.istp.listing import describe
from tests.every_type import every
from tests.publish.test_istp_encode import written
from tests.serial import Bench
from tests.toy import DAY, toy_graph

pytestmark = pytest.mark.system

#: Warnings that are meant, with why.
MEANT = {
    "ISTP-GA-002": "no DOI, discipline or SPASE id is known of a product",
    "ISTP-VA-032": "units of fluxes per frequency need more than twenty letters",
    "ISTP-VA-007": "FIELDNAM is the variable's name, however long",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cdf")
    for name, datatype, ds in every():
        written(folder, name, datatype.name, ds)
    return folder


def test_astralint_finds_no_error_in_any_datatype(folder: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    tool = Path(sys.executable).with_name("astralint")
    words = ["lint", str(folder), "--suite", "ISTP", "--output", "json", "--dest", str(report)]
    done = subprocess.run([tool, *words], capture_output=True, text=True, check=False)
    found = json.loads(report.read_text())
    assert found["summary"]["errors"] == 0 and done.returncode == 0, done.stdout[-3000:]
    assert {f["file"] for f in found["findings"]} <= {p.name for p in folder.glob("*.cdf")}
    assert {f["reference"] for f in found["findings"] if f["severity"] == "WARNING"} == set(MEANT)


def test_astralint_would_have_found_an_error(folder: Path, tmp_path: Path) -> None:
    import pycdfpp

    cdf = pycdfpp.load(str(next(folder.glob("*moments_*.cdf"))))
    cdf["density"].attributes["VAR_TYPE"].set_value("nonsense")
    pycdfpp.save(cdf, str(tmp_path / "bad.cdf"))
    tool = Path(sys.executable).with_name("astralint")
    done = subprocess.run(
        [tool, "lint", str(tmp_path / "bad.cdf"), "--suite", "ISTP"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1


def test_spacepy_agrees_but_for_the_display_of_vectors(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACEPY", str(tmp_path))
    pycdf = pytest.importorskip("spacepy.pycdf", reason="spacepy comes with the extra 'peers'")
    from spacepy.pycdf import istp

    said = []
    for path in sorted(folder.glob("*.cdf")):
        with pycdf.CDF(str(path)) as file:
            said += istp.FileChecks.all(file)
            said += [e for name in file for e in istp.VariableChecks.all(file[name])]
    # It wants lines of several components called stack plots; ISTP's guidelines do not.
    assert [e for e in said if "Multi dim variable with time_series display type" not in e] == []


SPEASY = """
import json, sys, speasy as spz
v = spz.get_data("archive/pipe/toy/toy_pipe_double/value", "2030-01-01", "2030-01-02")
print(json.dumps([v.values.shape, float(v.values.sum()), v.unit, str(v.time[0])]))
"""


def test_speasy_reads_the_tree_through_the_description_we_write(bench: Bench) -> None:
    bench.files(0, 1)
    bench.run("toy.double")
    root = bench.folder / "cdf"
    for _ in range(2):
        with bench.store() as store:
            list(publish(store, toy_graph(), "toy.double", DAY, root))
            describe(store, toy_graph(), root)
            want = store.read("toy.double").load()
        if want.sizes["time"] == 120:
            bench.file(2)  # a second version: speasy has to take that one
            bench.run("toy.double")
    home = str(bench.folder / "home")
    where = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), home)
    where |= {
        "SPEASY_ARCHIVE_EXTRA_INVENTORY_LOOKUP_DIRS": str(root),
        "SPEASY_CORE_DISABLED_PROVIDERS": "amda,csa,cda,ssc,uiowaephtool,cdpp3dview",
        "SPEASY_PROXY_ENABLED": "false",
        "SPEASY_CACHE_PATH": f"{home}/cache",
        "SPEASY_INDEX_PATH": f"{home}/index",
    }
    done = subprocess.run(
        [sys.executable, "-c", SPEASY],
        env=os.environ | where,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    shape, total, unit, first = json.loads(done.stdout.splitlines()[-1])
    assert shape == [180, 1] and unit == "nT" and first.startswith("2030-01-01T00:00:00")
    assert total == pytest.approx(float(want["value"].sum()))
