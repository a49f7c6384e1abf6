"""Detectors find their inputs by name and type; what is missing is said where people look."""

from __future__ import annotations

import json

import pytest

import sciqlop_pipe.cli.running as running
from sciqlop_pipe.cli.tree import lost, search
from sciqlop_pipe.detect.detectors import (
    NEAR_EARTH,
    SOLAR_WIND,
    detector_products,
    near_earth_events,
    solar_wind_events,
)
from sciqlop_pipe.detect.products import ion_products
from sciqlop_pipe.graph import Graph

EVERY = (*SOLAR_WIND, *NEAR_EARTH)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph.discover()


def made(products) -> set[str]:
    return {d.name.rpartition(".")[2] for d in products}


def test_a_detector_is_declared_where_its_required_inputs_are():
    assert "magnetosheath_jets" in made(near_earth_events("x", moments="x.m", upstream="wind"))
    assert "magnetosheath_jets" not in made(near_earth_events("x", moments="x.m"))
    assert "magnetosheath_jets_local" in made(ion_products("x.vdf"))
    assert "magnetosheath_jets" in made(ion_products("x.vdf", upstream="wind"))
    assert "interplanetary_shocks" in made(solar_wind_events("x", moments="x.m", b="x.b"))
    assert made(solar_wind_events("x", moments="x.m")) == {"high_speed_streams"}
    assert detector_products("x", EVERY) == ()


def test_every_detector_has_a_paper_and_says_what_an_optional_input_is_for():
    for recipe in EVERY:
        assert recipe.gives.name == "Events", recipe.name
        assert "References\n" in (recipe.fn.__doc__ or ""), recipe.name
        for taken in recipe.takes:
            assert taken.required or taken.without, (recipe.name, taken.name)


def test_every_detector_is_bound_for_some_mission(graph):
    bound = {d.recipe.name for d in graph if d.recipe}
    assert {r.name for r in EVERY} <= bound


def test_missions_in_the_wind_have_shocks_and_those_near_the_earth_jets(graph):
    names = {d.name for d in graph}
    for mission in ("wind", "ace", "omni", "psp.spc", "solar_orbiter"):
        assert f"{mission}.interplanetary_shocks" in names
    for mission in ("mms1", "mms4", "themisa", "themise.events", "sim"):
        assert f"{mission}.magnetosheath_jets_local" in names
    for mission in ("mms2", "themisb"):
        assert f"{mission}.magnetosheath_jets" in names


def test_the_tree_says_what_a_detector_does_without(graph, capsys, monkeypatch):
    of_tables = lost(graph["themisa.events.magnetosheath_jets"])
    assert set(of_tables) == {"spectrum", "position"}
    assert lost(graph["mms1.magnetosheath_jets"]) == {}
    monkeypatch.setattr(running.Graph, "discover", classmethod(lambda cls: graph))
    search(["themisa.events.magnetosheath_jets"], every=False, json=False)
    assert "without position: jets of the flanks are let through" in " ".join(
        capsys.readouterr().out.split()
    )
    search(["mms1.magnetosheath_jets"], every=False, json=True)
    rows = json.loads(capsys.readouterr().out)["datasets"]
    row = next(r for r in rows if r["name"] == "mms1.magnetosheath_jets")
    assert row["lost"] == {}
    assert row["without"]["position"] == "jets of the flanks are let through"
