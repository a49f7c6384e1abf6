"""Ions near the Earth bring their plasma state, regions and crossings with them."""

from __future__ import annotations

from sciqlop_pipe.datatypes import VDF, VectorSeries
from sciqlop_pipe.detect.products import boundary_products, ion_products
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.model import Mission, raw
from sciqlop_pipe.standard import particle_products
from tests.toy import ToySource


def test_one_line_takes_a_distribution_to_its_boundaries():
    graph = Graph.of(
        [
            Mission(
                "toy",
                [
                    raw("toy.ion.vdf", VDF, ToySource(), granule="1h"),
                    raw("toy.b", VectorSeries, ToySource(), granule="1h"),
                    *ion_products("toy.ion.vdf", b="toy.b", v_max=1500.0),
                ],
            )
        ]
    )
    assert graph["toy.ion.boundary_crossings"].gives.name == "Events"
    assert dict(graph["toy.ion.plasma_state"].inputs) == {
        "moments": "toy.ion.moments",
        "b": "toy.b",
    }
    assert dict(graph["toy.ion.reduced_1d"].params)["v_max"] == 1500.0
    assert graph["toy.ion.plasma_state.overview_1h"].gives.name == "Overview"


def test_the_boundaries_may_be_seen_in_another_field_than_the_particles():
    made = {d.name: d for d in ion_products("toy.ion.vdf", b="toy.b_inst", field="toy.b_gse")}
    assert dict(made["toy.ion.pitch_angles"].inputs)["b"] == "toy.b_inst"
    assert dict(made["toy.ion.plasma_state"].inputs)["b"] == "toy.b_gse"
    assert dict(made["toy.ion.boundary_crossings"].inputs)["b"] == "toy.b_gse"


def test_without_a_magnetometer_the_boundaries_do_without():
    made = boundary_products("toy", moments="toy.moms")
    assert all("b" not in dict(d.inputs) for d in made)
    names = {d.name for d in ion_products("toy.ion.vdf")}
    assert names - {d.name for d in particle_products("toy.ion.vdf")} == {
        "toy.ion.plasma_state",
        "toy.ion.region_labels",
        "toy.ion.boundary_crossings",
        "toy.ion.magnetosheath_jets_local",
        "toy.ion.magnetopause_flows",
        "toy.ion.bursty_bulk_flows",
        "toy.ion.unusual_plasma",
    }
