"""Cluster CODIF and spacecraft potential, from files made in the layout of the archive."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions.cluster import codif, mission
from sciqlop_pipe.errors import UnknownName
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.recipes.moments import moments
from tests.missions.claims import read
from tests.sources.archive_cdfs import FILL, START, Writer, times

STAMP = "20201119_230000_20201119_235959_V161018"
THETA = -78.75 + 22.5 * np.arange(8)
PHI = 11.25 + 22.5 * np.arange(16)


def codif_file(folder, probe, word, f):
    """Write f (n, 8 theta, 16 phi, 31 energies) in s^3/km^6, flow directions in ISR2."""
    name = f"{{}}__C{probe}_CP_CIS-CODIF_HS_{word}_PSD".format
    tag, n = name("time_tags"), len(f)
    out = Writer().time(tag, times(n, "12s"))
    out.add(name("duration"), np.full(n, 12.0, "f4"), DEPEND_0=tag, UNITS="s")
    energy = np.geomspace(40000, 25, 31).astype("f4")
    ratio = np.float32(np.sqrt(energy[0] / energy[1]))
    for quantity, values in (("theta", THETA), ("phi", PHI)):
        out.add(name(quantity), values.astype("f4"), fixed=True, UNITS="deg")
    for quantity, values in (("energy_table", energy), ("delta_plus_energy_table", energy * (ratio - 1)),
                             ("delta_minus_energy_table", energy * (1 - 1 / ratio))):  # fmt: skip
        out.add(name(quantity), values, fixed=True, UNITS="eV")
    depend = {f"DEPEND_{i}": name(v) for i, v in enumerate(("theta", "phi", "energy_table"), 1)}
    out.add(name("3d_ions"), f.astype("f4"), DEPEND_0=tag, UNITS="Particles s^3 km^-6",
            FILLVAL=FILL, **depend)  # fmt: skip
    return out.save(folder / f"C{probe}_CP_CIS-CODIF_HS_{word}_PSD__{STAMP}.cdf")


def test_codif_is_on_one_three_and_four_and_on_two_there_is_none():
    probes = {d.name[7] for d in mission.datasets if ".codif." in d.name}
    assert probes == set(codif.PROBES) == {"1", "3", "4"}


@pytest.mark.parametrize(
    ("name", "says"),
    [("cluster2.cis.codif.h1.moms", "CIS of Cluster 2 does not work"), ("cluster2.cis.*", "does not"),
     ("cluster4.cis.hia.moms", "HIA of Cluster 4 was not operated"),
     ("cluster1.cis.hia.mom", "nobody declares the dataset")],
)  # fmt: skip
def test_who_asks_for_what_a_spacecraft_does_not_have_is_told_why(name: str, says: str):
    with pytest.raises(UnknownName, match=says):
        Graph.discover().select([name])


@pytest.mark.parametrize(("axis", "component"), [("x", 0), ("y", 1), ("z", 2)])
@pytest.mark.parametrize(("ion", "word", "mass"), [("h1", "H1", 1.0), ("he1", "He1", 3.973), ("o1", "O1", 15.87)])  # fmt: skip
def test_a_beam_along_an_axis_comes_out_along_it(tmp_path, ion, word, mass, axis, component):
    theta, phi = np.deg2rad(THETA)[:, None], np.deg2rad(PHI)
    unit = {"x": np.cos(theta) * np.cos(phi), "y": np.cos(theta) * np.sin(phi),
            "z": np.sin(theta) + 0 * phi}[axis]  # fmt: skip
    f = np.zeros((2, 8, 16, 31))
    f[:, unit > np.cos(np.deg2rad(30)), 10:15] = 1e3
    ds = read(mission, f"cluster4.cis.codif.{ion}.hs.vdf", codif_file(tmp_path, "4", word, f))
    velocity = moments(ds)["velocity"].values[0]
    assert velocity[component] / np.linalg.norm(velocity) > 0.97
    assert ds.attrs["mass"] / 1.67262192595e-27 == pytest.approx(mass, rel=2e-3)
    assert ds["time"].values[0] == START + np.timedelta64(6, "s")


def test_moments_of_codif_are_in_gse_and_their_megakelvin_ev(tmp_path):
    name = "{}__C3_CP_CIS-CODIF_HS_O1_MOMENTS".format
    out = Writer().time(name("time_tags"), times(2, "4s"))
    for quantity, values, units in (("density", [1, 2], "particles cm^-3"), ("T", [10, 20], "MK"),
                                    ("velocity", np.ones((2, 3)), "km/s")):  # fmt: skip
        out.add(name(quantity), np.asarray(values, "f4"), DEPEND_0=name("time_tags"), UNITS=units)
    path = out.save(tmp_path / f"C3_CP_CIS-CODIF_HS_O1_MOMENTS__{STAMP}.cdf")
    ds = read(mission, "cluster3.cis.codif.o1.moms", path)
    np.testing.assert_allclose(ds["temperature"], [861.733, 1723.467], rtol=1e-5)
    assert ds.attrs["species"] == "O+"


@pytest.mark.parametrize("level", ["l2", "l3"])
def test_the_potential_of_the_spacecraft_is_minus_that_of_its_probes(tmp_path, level):
    product = f"EFW_{level.upper()}_P"
    out = Writer().time("time_tags", times(3, "4s"))
    out.add(f"Spacecraft_potential__C2_CP_{product}", np.array([-5, -12, -1e9], "f4"),
            DEPEND_0="time_tags", UNITS="V", FILLVAL=np.float32(-1e9))  # fmt: skip
    path = out.save(tmp_path / f"C2_CP_{product}__{STAMP}.cdf")
    ds = read(mission, f"cluster2.efw.{level}.sc_pot", path)
    np.testing.assert_array_equal(ds["value"], [5, 12, np.nan])
