"""Every field, wave and multi-spacecraft recipe is a dataset of MMS, of Cluster and of sim."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

import pytest

from sciqlop_pipe.fingerprint import fingerprint
from sciqlop_pipe.granule import Granule, Interval, duration
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Dataset
from sciqlop_pipe.recipe import Recipe
from sciqlop_pipe.recipes.geomagnetic import FORECASTS, MODEL
from sciqlop_pipe.recipes.polarization import FEW
from sciqlop_pipe.standard import fields, waves
from tests.conftest import ROOT

MISSIONS = ("mms", "cluster", "sim")
# By what they are about; the order is that of the reference.
RECIPES = {
    "frames": ("in_frame", "position_in_frame", "in_mean_field", "minimum_variance",
               "de_hoffmann_teller", "rotate_vector", "rotate_moments"),
    "spectra": ("power_spectrum", "wavelet_spectrum", "merged_field"),
    "polarization": ("wave_polarization", "wave_poynting_flux"),
    "plasma": ("plasma_parameters", "exb_drift", "electric_field_in_plasma", "convection_field",
               "particle_current", "energy_conversion", "alfvenicity", "elsasser", "pvi",
               "structure_functions"),
    "shocks": ("shock_passages",),
    "four spacecraft": ("curlometer", "field_gradient", "timing", "barycentre",
                        "tetrahedron_shape", "magnetic_nulls"),
    "upstream": ("upstream_conditions", "solar_connection", "magnetic_location"),
}  # fmt: skip
EVERY = [name for names in RECIPES.values() for name in names]
# Of no dataset, and why: axes like L, M, N are those of one interval ("analyse mva", product()).
BY_HAND = ("vector_in_axes",)
# Vectors of two inputs are multiplied: they must be in one frame.
ONE_FRAME = {"exb_drift", "electric_field_in_plasma", "convection_field", "particle_current",
             "energy_conversion", "de_hoffmann_teller", "alfvenicity", "elsasser",
             "in_mean_field", "shock_passages", "curlometer", "field_gradient", "timing",
             "barycentre", "tetrahedron_shape", "wave_polarization", "wave_poynting_flux",
             "merged_field", "pressure_strain"}  # fmt: skip


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph.discover()


def products(graph: Graph, mission: str) -> dict[str, list[str]]:
    """Names of the datasets of a mission by their recipe."""
    found: dict[str, list[str]] = {}
    for name, dataset in graph.nodes.items():
        if dataset.recipe is not None and re.fullmatch(rf"{mission}\d?", name.partition(".")[0]):
            found.setdefault(dataset.recipe.name, []).append(name)
    return found


@pytest.mark.parametrize("mission", MISSIONS)
def test_every_recipe_is_reachable_by_name(graph: Graph, mission: str) -> None:
    found = products(graph, mission)
    assert [name for name in EVERY if name not in found] == []


@pytest.mark.parametrize("mission", ["wind", "ace", "psp", "solar_orbiter"])
def test_fields_and_plasmas_of_the_solar_wind_have_theirs_too(graph: Graph, mission: str) -> None:
    found = products(graph, mission)
    wanted = ("in_mean_field", "minimum_variance", "pvi", "structure_functions",
              "plasma_parameters", "de_hoffmann_teller", "alfvenicity", "elsasser")  # fmt: skip
    assert [name for name in wanted if name not in found] == []


def test_lags_of_structure_functions_are_no_shorter_than_samples_and_fit_their_window(
    graph: Graph,
) -> None:
    """ACE, every 16 s, had lags from 1 s on; spin averages of Cluster windows for half of theirs."""
    for name, dataset in graph.nodes.items():
        if dataset.recipe is None or dataset.recipe.name != "structure_functions":
            continue
        given = {p.name: p.default for p in dataset.recipe.params} | dict(dataset.params)
        shortest = duration(given["shortest"])
        assert shortest << (given["lags"] - 1) <= duration(given["window"]) // 4, name
        cadence = graph[dict(dataset.inputs)["b"]].cadence
        assert not cadence or shortest >= duration(cadence), name


@pytest.mark.parametrize(
    ("base", "rate"),
    [
        ("mms1.fgm.srvy", 16), ("mms1.fgm.brst", 128), ("mms1.scm.scb", 8192),
        ("cluster1.staff.cwf", 25), ("cluster2.efw.burst", 4500), ("sim.fgm", 16),
        ("solar_orbiter.mag.normal", 8), ("psp.fields.mag.full", 9.2),
    ],
)  # fmt: skip
def test_polarization_averages_enough_frames_not_to_be_flagged(
    graph: Graph, base: str, rate: float
) -> None:
    given = dict(graph[f"{base}.wave_polarization"].params)
    frames = duration(given["step"]) * 1e-9 * rate / (given["samples"] / 2)
    assert frames >= FEW, f"{frames:.1f} frames begin in a step"


@pytest.mark.parametrize("mission", MISSIONS)
def test_the_frames_that_follow_from_time_are_reachable_by_name(graph: Graph, mission: str) -> None:
    found = products(graph, mission)
    made = {dict(graph[n].params)["frame"] for n in found["in_frame"]}
    held = {n.rpartition("_")[2].upper() for n in graph.nodes if n.startswith(f"{mission}")}
    assert {"GSM", "SM", "GEO"} <= made | held
    of_positions = {dict(graph[n].params)["frame"] for n in found["position_in_frame"]}
    assert of_positions == {"GSM", "SM", "GEO", "MAG", "J2000", "HEEQ"}


def test_no_recipe_that_missions_bind_is_missing_from_this_table() -> None:
    bound = {r.name for module in (fields, waves) for r in vars(module).values()
             if isinstance(r, Recipe)}  # fmt: skip
    assert bound - set(EVERY) == set()
    assert not set(BY_HAND) & set(EVERY)


def frame(graph: Graph, name: str) -> str:
    """Frame of a dataset as far as declarations tell it, '' where they do not."""
    dataset: Dataset = graph[name]
    if dataset.recipe is None:
        adapter = getattr(dataset.source, "adapter", None)
        while adapter is not None and not hasattr(adapter, "frame"):
            adapter = getattr(adapter, "adapter", None)
        return getattr(adapter, "frame", "")
    if dataset.recipe.name in ("in_frame", "position_in_frame"):
        return str(dict(dataset.params)["frame"])
    if dataset.recipe.name.startswith("rotate_"):
        return name.rpartition("_")[2].upper()
    return next((f for _, i in dataset.inputs if (f := frame(graph, i))), "")


def test_what_is_multiplied_is_in_one_frame(graph: Graph) -> None:
    """A product of two frames is refused when it is made; nobody should have to find out then."""
    mixed = {}
    for name, dataset in graph.nodes.items():
        if dataset.recipe is None or dataset.recipe.name not in ONE_FRAME:
            continue
        found = {frame(graph, i) for _, i in dataset.inputs} - {""}
        # FGM's DMPA says it will do for DBCS.
        if len({"DBCS" if f == "DMPA" else f for f in found}) > 1:
            mixed[name] = found
    assert mixed == {}


def test_the_table_of_the_dipole_is_part_of_what_a_dataset_is_made_from(graph: Graph) -> None:
    """Another table is another fingerprint: what was turned with the old one is stale."""
    turned = [d for d in graph.nodes.values() if d.recipe is not None
              and "geomagnetic_model" in {p.name for p in d.recipe.params}]  # fmt: skip
    assert len(turned) > 100
    assert {dict(d.params).get("geomagnetic_model") for d in turned} == {MODEL, FORECASTS}
    one = graph["mms1.fgm.brst.b_sm"]
    granule = Granule(one.name, Interval.of("2016-12-09", "2016-12-10"))
    other = replace(one, params=tuple(dict(one.params, geomagnetic_model=MODEL).items()))
    assert fingerprint(one, granule, []) != fingerprint(other, granule, [])


def test_every_recipe_states_its_equation_and_its_source(graph: Graph) -> None:
    """They are what docs/reference.md is made of."""
    recipes = {d.recipe.name: d.recipe for d in graph.nodes.values() if d.recipe is not None}
    bare = []
    for name in EVERY:
        # Python 3.13 takes the indentation of docstrings off by itself.
        words, _, rest = (inspect.getdoc(recipes[name].fn) or "").partition("Parameters")
        if not re.search(r"^ {4}\S", words, re.MULTILINE) or "References" not in rest:
            bare.append(name)
    assert bare == []


def test_every_recipe_has_a_picture_in_the_gallery(graph: Graph) -> None:
    page = (ROOT / "docs" / "gallery.md").read_text()
    shown = re.findall(r"^### `(.*)`$", page, re.MULTILINE)
    made = {graph[n].recipe.name for n in shown if n in graph.nodes and graph[n].recipe}
    assert [name for name in EVERY if name not in made] == []
    for name in shown:
        assert (ROOT / "docs" / "images" / "gallery" / f"{name}.png").exists(), name
