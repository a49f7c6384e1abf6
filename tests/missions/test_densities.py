"""Densities of which no file was at hand: files made with the names that public readers use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sciqlop_missions import cluster, solar_orbiter
from tests.missions.claims import read
from tests.sources.archive_cdfs import FILL, Writer, times

WHISPER = "C1_CP_WHI_ELECTRON_DENSITY__20201119_233430_20201119_233530_V01.cdf"
PEACE = "C1_CP_PEA_MOMENTS__20201119_233430_20201119_233530_V01.cdf"


@pytest.mark.parametrize(
    ("mission", "name", "variable", "file"),
    [
        (cluster, "cluster1.whisper.density", "Electron_Density__C1_CP_WHI_ELECTRON_DENSITY",
         WHISPER),
        (cluster, "cluster1.peace.density", "Data_Density__C1_CP_PEA_MOMENTS", PEACE),
        (solar_orbiter, "solar_orbiter.rpw.bia.density", "DENSITY",
         "solo_L3_rpw-bia-density_20201119_V02.cdf"),
        (solar_orbiter, "solar_orbiter.rpw.bia.density_10s", "DENSITY",
         "solo_L3_rpw-bia-density-10-seconds-cdag_20201119_V02.cdf"),
    ],
)  # fmt: skip
def test_a_density_comes_out_as_it_went_in(tmp_path: Path, mission, name, variable, file):
    n = np.random.default_rng(1).gamma(2, 5, 20).astype("f4")
    n[4] = FILL
    out = Writer()
    out.time("time_tags", times(20, "2s"))
    out.add(variable, n, DEPEND_0="time_tags", UNITS="cm^-3", FILLVAL=FILL)
    ds = read(mission.mission, name, out.save(tmp_path / file))
    assert np.isnan(ds["value"].values[4])
    assert np.array_equal(np.delete(ds["value"].values, 4), np.delete(n, 4))
