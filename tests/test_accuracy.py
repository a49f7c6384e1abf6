"""The accuracy table: what it measures on an instrument without files, and what is written down."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.cases import Case, plasmas_for
from benchmarks.accuracy.instruments import instruments
from benchmarks.accuracy.plasmas import BiKappa, truth
from benchmarks.accuracy.products import of_moments, of_spectrum
from benchmarks.accuracy.report import Result, page
from benchmarks.accuracy.scalars import of_fused, of_parts

DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_moments_and_spectra_of_a_list_of_directions_are_within_their_targets(tmp_path):
    known = {i.name: i for i in instruments(tmp_path)}
    esa = known["ESA-like 88"]
    case = Case(esa, "magnetosheath", plasmas_for(esa)["magnetosheath"])
    assert case.resolved
    for off in [*of_moments(case), *of_spectrum(case)]:
        assert off.target is None or off.percent < off.target, off


def test_a_cold_beam_in_wide_bins_is_not_called_resolved(tmp_path):
    for instrument in instruments(tmp_path):
        plasmas = plasmas_for(instrument)
        if "cold solar wind" in plasmas:
            assert not Case(instrument, "", plasmas["cold solar wind"]).resolved


def test_without_files_the_tables_are_rebuilt_and_the_page_says_so(tmp_path):
    found = {i.name: i for i in instruments(tmp_path)}
    assert found["FPI DIS 2020"].source == found["Cluster HIA"].source == "rebuilt, file absent"
    case = Case(found["Cluster HIA"], "it", plasmas_for(found["Cluster HIA"])["magnetosheath"])
    text = page([Result.of(case, [])], {"Cluster HIA": found["Cluster HIA"].source})
    assert "**Cluster HIA**: rebuilt, file absent" in text


def test_a_kappa_plasma_has_the_density_and_temperatures_it_was_given():
    plasma = BiKappa(3, (100, -50, 20), 200, 300, (0, 0, 1), kappa=5.0)
    true = truth(plasma, 1e-3, 1e6)
    assert true.density == pytest.approx(3, rel=1e-3)
    np.testing.assert_allclose(true.velocity, plasma.velocity, atol=0.1)
    np.testing.assert_allclose(np.diag(true.temperature_tensor), [300, 300, 200], rtol=5e-3)


MISSED = {
    (name, "n kept (FPI, ESA: Maxwellians)") for name in ("moved to bulk", "rebinned to field")
}
"""Known: 0.5 % is wanted, up to 1.1 % is found. The page says so."""


def test_what_is_written_down_misses_no_target_but_those_the_page_tells_of():
    results = json.loads((DOCS / "accuracy.json").read_text())["results"]
    missed = {
        (off["product"], off["quantity"])
        for result in results
        for off in result["offs"]
        if result["resolved"] and off["target"] is not None and off["percent"] > off["target"]
    }
    assert missed == MISSED
    instruments_there = {r["instrument"] for r in results}
    assert {"FPI DIS 2015", "FPI DIS 2020", "ESA-like 88", "ESA-like 176", "Cluster HIA",
            "PAS-like"} <= instruments_there  # fmt: skip


def test_every_number_written_down_is_a_number():
    results = json.loads((DOCS / "accuracy.json").read_text())["results"]
    bad = [off for result in results for off in result["offs"] if not np.isfinite(off["percent"])]
    assert not bad


def test_one_reading_and_cones_of_a_distribution_give_the_same_as_the_whole(tmp_path):
    hia = {i.name: i for i in instruments(tmp_path)}["Cluster HIA"]
    case = Case(hia, "magnetosheath", plasmas_for(hia)["magnetosheath"])
    found = {(o.product, o.quantity): o for m in (of_fused, of_parts) for o in m(case)}
    for off in found.values():
        assert off.target is None or off.percent <= off.target, off
    assert found["partial moments", "n of a cone"].percent < 3


def test_every_product_is_tried_on_every_table():
    results = json.loads((DOCS / "accuracy.json").read_text())["results"]
    by_table: dict[str, set[tuple[str, str]]] = {}
    for result in results:
        tried = {(off["product"], off["quantity"]) for off in result["offs"]}
        by_table.setdefault(result["instrument"], set()).update(tried)
    every = set.union(*by_table.values())
    assert all(tried == every for tried in by_table.values())
