"""What is so of every velocity distribution of every mission: beams, products, declarations.

The datasets are those of the graph, so that a new instrument fails here until it is written down.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import xarray as xr

from sciqlop_missions import cluster, mms
from sciqlop_missions.sim import DISTRIBUTION as SIM
from sciqlop_pipe.datatypes import VDF
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.recipes.moments import moments
from tests.missions.cluster.test_codif import codif_file
from tests.missions.mms import test_particles_and_waves as hpca
from tests.missions.psp import test_span_vdf as span
from tests.missions.solar_orbiter import test_eas as eas
from tests.missions.solar_orbiter import test_pas as pas
from tests.missions.themis.files import esd_file
from tests.missions.themis.test_themis import beam as themis_beam
from tests.sources.archive_cdfs import FPI_THETA, cluster_hia, fpi_distribution

GRAPH = Graph.discover()
OURS = {d.name: d for d in GRAPH if not d.name.startswith("demo_probe")}
DISTRIBUTIONS = {d.name: d for d in OURS.values() if d.gives == VDF and d.is_raw}
STAMP = "20201119233430"
CSA = "__20201119_233430_20201119_233530_V01.cdf"
X = (1.0, 0.0, 0.0)


class Beam(NamedTuple):
    """A file in which all particles fly one way, and which way [in the frame of the dataset]."""

    path: Path
    towards: tuple[float, ...] = X


def within(phi: np.ndarray, latitude: np.ndarray, degrees: float = 24) -> np.ndarray:
    """Return which directions (angles in degrees) lie about +x."""
    return np.cos(np.deg2rad(latitude)) * np.cos(np.deg2rad(phi)) > np.cos(np.deg2rad(degrees))


def fpi_like(path: Path, **facts: Any) -> Path:
    """Write FPI files whose detectors look at -x: what they see flies along +x."""
    step = {"fast": 0.0, "brst": 0.54}[facts["mode"]]
    first = 5.625 if facts["mode"] == "fast" else 7.625
    f = np.zeros((2, 32, 16, 32))
    for k in range(2):
        looks = first - step * k + 11.25 * np.arange(32)
        # A detector at azimuth 180 on the equator counts what comes from there.
        f[k, within(looks[:, None] + 180, 90 - FPI_THETA), 12:18] = 1e-24
    return fpi_distribution(path, f, **facts)


def fpi(folder: Path, m: re.Match[str]) -> Beam:
    probe, sensor, mode = m.groups()
    name = f"mms{probe}_fpi_{mode}_l2_{sensor}-dist_{STAMP}_v3.4.0.cdf"
    return Beam(fpi_like(folder / name, probe=probe, sensor=sensor, mode=mode))


def of_hpca(folder: Path, m: re.Match[str]) -> Beam:
    probe, ion, mode = m.groups()
    name = f"mms{probe}_hpca_{mode}_l2_ion_{STAMP}_v4.1.0.cdf"
    return Beam(hpca.hpca_file(folder / name, hpca.beam("x"), ion=ion, probe=probe))


def hia(folder: Path, m: re.Match[str]) -> Beam:
    theta, phi = -78.75 + 22.5 * np.arange(8), 134.583 - 22.5 * np.arange(16)
    f = np.zeros((2, 8, 16, 31))
    f[:, within(phi, theta[:, None]), 10:15] = 1e3
    return Beam(cluster_hia(folder / f"C{m[1]}_CP_CIS-HIA_HS_MAG_IONS_PSD{CSA}", f, probe=m[1]))


def codif(folder: Path, m: re.Match[str]) -> Beam:
    theta, phi = -78.75 + 22.5 * np.arange(8), 11.25 + 22.5 * np.arange(16)
    f = np.zeros((2, 8, 16, 31))
    f[:, within(phi, theta[:, None]), 10:15] = 1e3
    return Beam(codif_file(folder, m[1], m[2].capitalize(), f))


def esa(folder: Path, m: re.Match[str]) -> Beam:
    path = folder / f"th{m[1]}_l2_esa_{m[2]}_20201119_v01.cdf"
    return Beam(esd_file(path, themis_beam(88, "x")))


def of_pas(folder: Path, m: re.Match[str]) -> Beam:
    """PAS sees what comes from the Sun: it cannot see +x. Off the axis, so that each sign counts."""
    towards = pas.flow()[0] / np.linalg.norm(pas.flow()[0])
    return Beam(pas.vdf_file(folder / pas.NAME, pas.wind()), tuple(towards))


def of_eas(folder: Path, m: re.Match[str]) -> Beam:
    return Beam(eas.eas_file(folder, eas.beam(0.0, 0.0), head=m[1]))


def of_span(folder: Path, m: re.Match[str]) -> Beam:
    """SPAN-I sees past the heat shield, what flies towards -x and +y."""
    towards = (-1.0, 0.6, 0.7)
    return Beam(span.vdf_file(folder / span.NAME, span.beam(towards)), towards)


def sim(folder: Path, m: re.Match[str]) -> Beam:
    """The simulated instrument is FPI's twin under other names."""
    fpi_file = fpi_like(folder / "twin.cdf", probe="1", sensor="dis", mode="fast")
    return Beam(renamed(fpi_file, folder / f"sim_dis_l2_dist_{STAMP}_v1.0.0.cdf"))


def renamed(path: Path, to: Path) -> Path:
    """Write an FPI file with the names of the simulated mission."""
    import pycdfpp

    old, new = pycdfpp.load(str(path)), pycdfpp.CDF()
    for name, variable in old.items():
        word = re.sub(r"mms1_dis_(\w+)_fast", r"sim_dis_\1", name)
        known = {
            k: a.value if hasattr(a, "value") else a[0] for k, a in variable.attributes.items()
        }
        known = {k: re.sub(r"mms1_dis_(\w+)_fast", r"sim_dis_\1", v) if isinstance(v, str) else v
                 for k, v in known.items()}  # fmt: skip
        new.add_variable(word, values=variable.values, data_type=variable.type,
                         is_nrv=variable.is_nrv, attributes=known)  # fmt: skip
    assert pycdfpp.save(new, str(to))
    return to


WRITERS: dict[str, Callable[[Path, re.Match[str]], Beam]] = {
    r"mms(\d)\.fpi\.(dis|des)\.(fast|brst)\.vdf": fpi,
    r"mms(\d)\.hpca\.(\w+)\.(srvy|brst)\.vdf": of_hpca,
    r"cluster(\d)\.cis\.hia\.hs_mag\.vdf": hia,
    r"cluster(\d)\.cis\.codif\.(\w+)\.hs\.vdf": codif,
    r"themis(\w)\.esa\.(\w+)\.vdf": esa,
    r"solar_orbiter\.swa\.pas\.vdf_unchecked": of_pas,
    r"solar_orbiter\.swa\.eas(\d)\.vdf_head": of_eas,
    r"psp\.spi\.sf00\.vdf": of_span,
    r"sim\.ion\.vdf": sim,
}


def beam_of(name: str, folder: Path) -> Beam:
    """Return the file of a beam for a dataset; one writer knows it."""
    (found,) = [(w, m) for form, w in WRITERS.items() if (m := re.fullmatch(form, name))]
    writer, match = found
    return writer(folder, match)


def off(vdf: xr.Dataset, towards: tuple[float, ...]) -> float:
    """Return the largest angle [deg] between the flow of the records and a direction."""
    v = moments(vdf)["velocity"].values
    cosine = v @ towards / np.linalg.norm(v, axis=1) / np.linalg.norm(towards)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).max())


def test_every_distribution_of_the_graph_is_known_here():
    unknown = [n for n in DISTRIBUTIONS if sum(bool(re.fullmatch(f, n)) for f in WRITERS) != 1]
    assert unknown == [], "write a file with a beam for these"
    unused = [f for f in WRITERS if not any(re.fullmatch(f, n) for n in DISTRIBUTIONS)]
    assert unused == []
    assert len(DISTRIBUTIONS) >= 90


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_beam_comes_out_as_it_flew_and_the_dataset_says_whose_it_is(name: str, tmp_path: Path):
    beam, dataset = beam_of(name, tmp_path), DISTRIBUTIONS[name]
    assert any(p.match(beam.path.name) for p in dataset.source.patterns)
    with dataset.source.open(beam.path) as cdf:
        ds = VDF.check(dataset.source.adapter(cdf), name)
        first, last = dataset.source.adapter.extent(cdf)
    assert off(ds, beam.towards) < 6
    assert [first, last] == list(ds["time"].values[[0, -1]].astype(np.int64))
    assert ds.attrs["energy_kind"] in ("energy", "energy_per_charge")
    assert 9e-31 < ds.attrs["mass"] < 3e-26
    assert abs(ds.attrs["charge"]) in (1, 2)
    assert (ds.attrs["species"] == "e-") == (ds.attrs["charge"] < 0) == (ds.attrs["mass"] < 1e-29)
    assert ds.attrs["frame"]


def test_look_directions_that_are_not_turned_over_would_be_found(tmp_path: Path):
    """The negative control: FPI's unflipped, HIA's flipped; both blow the other way."""
    for dataset, adapter in (
        (DISTRIBUTIONS["mms1.fpi.dis.brst.vdf"], mms.fpi.distribution("1", "dis", "brst")),
        (DISTRIBUTIONS["sim.ion.vdf"], SIM),
        (DISTRIBUTIONS["cluster1.cis.hia.hs_mag.vdf"], cluster.cis.distribution("1")),
    ):
        wrong = {"look": "flow", "flow": "look"}[adapter.directions]
        beam = beam_of(dataset.name, tmp_path)
        with dataset.source.open(beam.path) as cdf:
            right = off(adapter(cdf), X)
        with dataset.source.open(beam.path) as cdf:
            turned = off(dataclasses.replace(adapter, directions=wrong)(cdf), X)
        assert right < 6
        assert turned > 174


# --- products follow from the DataType -----------------------------------------------------------

STANDARD = {
    "moments": "Moments", "energy_spectrum": "EnergySpectrum", "pitch_angles": "PitchAngle",
    "field_aligned": "FieldAligned", "reduced_1d": "Reduced1D", "reduced_2d": "Reduced2D",
}  # fmt: skip


def offered() -> dict[str, str]:
    """Return for each raw distribution the one whose products are offered.

    That of PAS is checked against the ground moments first, those of EAS are turned into SRF.
    """
    known = {
        "solar_orbiter.swa.pas.vdf_unchecked": "solar_orbiter.swa.pas.vdf",
        "solar_orbiter.swa.eas1.vdf_head": "solar_orbiter.swa.eas1.vdf",
        "solar_orbiter.swa.eas2.vdf_head": "solar_orbiter.swa.eas2.vdf",
    }
    return {name: known.get(name, name) for name in DISTRIBUTIONS}


@pytest.mark.parametrize("name", offered().values())
def test_every_distribution_has_the_standard_products(name: str):
    base = name.rpartition(".")[0]
    for product, gives in STANDARD.items():
        assert f"{base}.{product}" in OURS
        assert OURS[f"{base}.{product}"].gives.name == gives
        assert name in made_of(f"{base}.{product}")


ELECTRONS_OR_HEAVY = r"mms\d\.(fpi\.des|hpca\.(heplusplus|heplus|oplus))|.*codif\.(he1|o1)|themis\w\.esa\.pee|solar_orbiter\.swa\.eas"


@pytest.mark.parametrize(
    "name", [n for n in offered().values() if not re.match(ELECTRONS_OR_HEAVY, n)]
)
def test_every_distribution_of_protons_has_a_plasma_state_and_detection(name: str):
    base = name.rpartition(".")[0]
    assert [n for n in of_type("PlasmaState") if name in made_of(n)], "no plasma state"
    found = [n for n in of_type("Labels", "Events") if f"{base}.moments" in made_of(n)]
    assert found, "no detection"


@functools.cache
def made_of(name: str) -> frozenset[str]:
    """Return what a dataset is made of, and what that is made of."""
    inputs = [source for _, source in GRAPH[name].inputs]
    return frozenset(inputs).union(*map(made_of, inputs))


def of_type(*types: str) -> list[str]:
    """Return the datasets of some types."""
    return [n for n, d in OURS.items() if d.gives.name in types]
