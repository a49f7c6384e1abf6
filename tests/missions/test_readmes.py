"""The examples in the READMEs of the missions work as they are written, offline, on real files."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sciqlop_pipe.cli.app import app
from tests.conftest import ROOT
from tests.missions import test_from_readers as made_up
from tests.missions.cluster.test_codif import codif_file
from tests.missions.double_star import files as double_star
from tests.missions.dscovr.files import field_file, proton_file
from tests.missions.mms import test_particles_and_waves as hpca
from tests.missions.mms.feeps_files import feeps_file, intensities
from tests.missions.mms.test_photoelectrons import backgrounds
from tests.missions.psp import test_span_vdf as span
from tests.missions.solar_orbiter import test_eas as eas
from tests.missions.solar_orbiter import test_pas as pas
from tests.missions.themis.files import esd_file, l2_file
from tests.missions.themis.test_themis import beam as themis_beam
from tests.sources.archive_cdfs import fgm

MISSIONS = sorted(p.parent.name for p in (ROOT / "missions").glob("*/README.md"))
DATA = "../shared/data/"


def commands(mission: str) -> list[str]:
    """Return the lines of the blocks that are to be typed."""
    text = (ROOT / "missions" / mission / "README.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def of_double_star(folder: Path) -> None:
    double_star.field_file(folder, np.full((60, 3), 5.0))
    double_star.moments_file(folder, np.full(60, 5.0), np.full((60, 3), -400.0))


def of_dscovr(folder: Path) -> None:
    field_file(folder, np.full((60, 3), 5, "f4"))
    proton_file(folder, np.full((60, 3), -400, "f4"))


def of_mms(folder: Path) -> None:
    backgrounds(folder)
    feeps_file(folder, intensities(40, 18), start=np.datetime64("2017-09-10T10:00", "ns"))
    start = np.datetime64("2017-09-10T09:59", "ns")
    fgm(folder / "mms1_fgm_srvy_l2_20170910_v5.1.0.cdf", np.full((4000, 3), 9.0), start=start)
    hpca.hpca_file(folder / hpca.NAME, hpca.beam("x"))
    made_up.eis_file(folder, np.ones((made_up.N, 6, 9), "f4"), made_up.ANGLES)


def of_themis(folder: Path) -> None:
    esd_file(folder / "tha_l2_esa_peif_20201119_v01.cdf", themis_beam(88, "x"))
    for product, word in (("peim", "mom"), ("peif", "esa"), ("ptiff", "gmom"), ("", "fgm")):
        l2_file(folder / f"tha_l2_{word}_20201119_v01.cdf", "a", product)
    l2_file(folder / "tha_l1_state_20201119_v02.cdf", "a", "")


def of_solar_orbiter(folder: Path) -> None:
    pas.vdf_file(folder / pas.NAME, pas.wind())
    pas.moments_file(folder / pas.MOMENTS, pas.flow())
    eas.eas_file(folder, eas.beam(0.0, 0.0))


def of_psp(folder: Path) -> None:
    span.vdf_file(folder / span.NAME, span.beam((-1, 0.6, 0.7)))


def of_cluster(folder: Path) -> None:
    codif_file(folder, "4", "H1", np.ones((2, 8, 16, 31)))
    made_up.staff_file(folder, np.ones((made_up.N, 27, 3)), np.ones((made_up.N, 27, 2)))
    flux = np.ones((made_up.N, 12, 44), "f4")
    made_up.peace_file(folder, flux, np.geomspace(26000, 5, 44))


WRITERS = {
    "cluster": of_cluster, "double_star": of_double_star, "dscovr": of_dscovr, "mms": of_mms,
    "psp": of_psp, "solar_orbiter": of_solar_orbiter, "themis": of_themis,
}  # fmt: skip


def made(mission: str, folder: Path) -> Path:
    """Return a folder with files like those of a mission's archive."""
    if not folder.exists():
        folder.mkdir()
        assert mission in WRITERS, (
            f"write files for {mission} here, or name real ones in its README"
        )
        WRITERS[mission](folder)
    return folder


@pytest.mark.parametrize("mission", MISSIONS)
def test_every_mission_shows_a_run(mission: str):
    runs = [c for c in commands(mission) if c.startswith("sciqlop-pipe run ")]
    assert runs
    assert all(" --store DIR" in c and "--archive" in c for c in runs)
    text = (ROOT / "missions" / mission / "README.md").read_text()
    assert text.count("sciqlop-pipe run ") == len(runs), "a run that no test types"


@pytest.mark.system
@pytest.mark.parametrize("mission", MISSIONS)
def test_what_a_readme_shows_runs_and_gives_records(mission: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(ROOT)
    for command in commands(mission):
        words = [w.replace("DIR", str(tmp_path / "dir")) for w in shlex.split(command)]
        if "FOLDER" in words:  # no real file is at hand
            words[words.index("FOLDER")] = str(made(mission, tmp_path / "made"))
        if any(w.startswith(DATA) and not Path(w).exists() for w in words):
            pytest.skip(f"{DATA} is absent")
        if words[:2] == ["python", "-m"]:
            monkeypatch.setattr(sys, "argv", words[2:])
            with pytest.raises(SystemExit) as end:
                runpy.run_module(words[2], run_name="__main__")
            assert not end.value.code
            continue
        # In this process: a cluster takes longer to start than most examples to run.
        said = CliRunner().invoke(app, [*words[1:], "--workers", "0", "--no-sync", "--offline"])
        assert said.exit_code == 0, said.output
        assert re.search(r"[1-9][\d,]* records", said.output), said.output
