"""Spectra over angles, cuts and other frames are declared for every distribution of every mission."""

from __future__ import annotations

import pytest

from sciqlop_pipe.datatypes import VDF
from sciqlop_pipe.graph import Graph

GRAPH = Graph.discover()
NAMES = {d.name for d in GRAPH}
# The plugin of the tests declares its products one by one.
MEASURED = [
    d for d in GRAPH if d.gives is VDF and d.is_raw and not d.name.startswith("demo_probe.")
]
ALWAYS = (
    "energy_spectrum_dpf", "energy_spectrum_f", "theta_spectrum", "phi_spectrum",
    "bulk_frame_spectrum", "vdf_bulk_frame",
)  # fmt: skip
WITH_FIELD = (
    "gyrophase_spectrum", "pitch_angle_spectrum", "pitch_angle_cuts", "pitch_angles_bulk_frame",
    "vdf_field_aligned", "vdf_field_aligned_bulk",
)  # fmt: skip


@pytest.mark.parametrize("vdf", MEASURED, ids=lambda d: d.name)
def test_every_distribution_is_followed_by_its_spectra_over_angles(vdf):
    base = vdf.name.rpartition(".")[0]
    if f"{base}.moments" not in NAMES:
        pytest.skip(f"{vdf.name} has no standard products")
    expected = ALWAYS + (WITH_FIELD if f"{base}.pitch_angles" in NAMES else ())
    assert [n for n in expected if f"{base}.{n}" not in NAMES] == []


def test_distributions_on_other_grids_are_not_kept():
    rest = ("vdf_gse", "vdf_bulk_frame", "vdf_field_aligned", "vdf_e64", "vdf_common_energies")
    made = [d for d in GRAPH if d.gives is VDF and d.name.rpartition(".")[2] in rest]
    assert {d.name.rpartition(".")[2] for d in made} == set(rest)
    assert [d.name for d in made if not d.transient] == []
