"""What every raw dataset of every mission declares: its time tag, its particles, its flags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from sciqlop_pipe.graph import Graph
from sciqlop_pipe.quality import FLAGS_MISSING, Flags
from sciqlop_pipe.sources.conventions import Deltas, Shift
from sciqlop_pipe.sources.species import Species
from tests.conftest import ROOT

GRAPH = Graph.discover()
RAW = {d.name: d for d in GRAPH if d.is_raw and not d.name.startswith("demo_probe")}
PARTICLES = {"VDF", "Moments", "EnergySpectrum", "PitchAngleFlux", "PartialMoments", "FeepsEyes"}

# Adapters that are written for one instrument, and what they take its time tags for.
OWN_TIMES = {
    "FluxAdapter": "begin, by the accumulation of each record (EPD)",
    "HalfSpinAdapter": "begin of each sweep, by DELTA_PLUS_VAR; the middle of half a spin",
    "HeadAdapter": "centre (EAS)",
    "PartialAdapter": "begin, by DELTA_PLUS_VAR",
    "SpanAdapter": "middle of the sample",
    "StepsAdapter": "begin of 10 min",
    "EsdAdapter": "halfway between `time` and `end_time` of the record",
    "EyesAdapter": "taken for the centre (README)",
    "PhaseAdapter": "that of des-moms: begin, by DELTA_PLUS_VAR",
}
# Those of them that say whose particles they read when they are called, by their parameters.
OWN_SPECIES = {"HalfSpinAdapter", "PartialAdapter", "SpanAdapter"}


def parts(thing: Any) -> Iterator[Any]:
    """Yield a declaration and everything that it is declared with."""
    yield thing
    if isinstance(thing, tuple):
        for one in thing:
            yield from parts(one)
    elif is_dataclass(thing):
        for field in fields(thing):
            yield from parts(getattr(thing, field.name))


def of(dataset: Any) -> list[Any]:
    return list(parts(dataset.source.adapter))


def test_every_raw_dataset_says_what_its_time_tag_means():
    silent = []
    for name, dataset in RAW.items():
        declared = of(dataset)
        known = any(hasattr(p, "centre") or hasattr(p, "time_tag") for p in declared)
        known |= any(isinstance(p, Shift | Deltas) for p in declared)
        known |= any(type(p).__name__ in OWN_TIMES for p in declared)
        if not known:
            silent.append((name, type(dataset.source.adapter).__name__))
    assert silent == []


@pytest.mark.parametrize(
    "readme", sorted((ROOT / "missions").glob("*/README.md")), ids=lambda p: p.parent.name
)
def test_the_readme_of_a_mission_says_what_its_time_tags_mean(readme: Path):
    text = readme.read_text()
    assert re.search(r"time tag", text, re.IGNORECASE)
    assert re.search(r"begin|centre|start|middle", text)


def test_every_dataset_of_particles_says_whose_they_are():
    silent = []
    for name, dataset in RAW.items():
        if dataset.gives.name not in PARTICLES:
            continue
        found = {p for p in of(dataset) if isinstance(p, Species)}
        said = any(hasattr(p, "species") or type(p).__name__ in OWN_SPECIES for p in of(dataset))
        if len(found) != 1 and not said:
            silent.append(name)
        for one in found:
            assert one.mass > 9e-31
            assert (one.charge < 0) == (one.name == "e-")
    assert silent == []


def test_every_distribution_says_whether_its_energies_are_per_charge():
    """HPCA and ESA, CODIF and PAS measure energy per charge; FPI's team gives energies."""
    kinds = {}
    for name, dataset in RAW.items():
        if dataset.gives.name == "VDF":
            found = [p.energy_kind for p in of(dataset) if hasattr(p, "energy_kind")]
            kinds[name] = found[0] if found else "said by the adapter itself"
    assert kinds
    assert {k for n, k in kinds.items() if ".fpi." in n} == {"energy"}
    assert {k for n, k in kinds.items() if "codif" in n or ".pas." in n} == {"energy_per_charge"}


def every_flags() -> dict[str, Flags]:
    """Return each flag word that a raw dataset declares, by title."""
    return {
        p.title: p for dataset in RAW.values() for p in of(dataset) if isinstance(p, Flags)
    }  # fmt: skip


@pytest.mark.parametrize("flags", every_flags().values(), ids=lambda f: f.title)
def test_a_flag_word_is_documented_bit_by_bit_and_only_documented_bits_mask(flags: Flags):
    bits = [f.bit for f in flags.flags]
    assert len(bits) == len(set(bits))
    assert all(0 <= b < FLAGS_MISSING for b in bits)
    names = [f.name for f in flags.flags]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-zA-Z0-9_]+", n) for n in names)
    assert all(f.meaning for f in flags.flags)
    assert flags.source, "where is it documented?"
    whole = (1 << FLAGS_MISSING) - 1  # "non-zero = blank out the data"
    documented = sum(1 << b for b in bits)
    assert flags.masking == whole or flags.masking & ~documented == 0


def test_files_cut_by_the_beginning_of_records_are_read_on_behind_their_end():
    second = 1_000_000_000
    late = {
        "ace.mfi.16s.b_gse": 8 * second,
        "wind.swe.moms": 46 * second,
        "solar_orbiter.epd.ept_sun.ion": 120 * second,
        "mms1.fgm.srvy.b_gse": 0,
        "cluster1.cis.hia.hs_mag.vdf": 0,  # in its extent already
    }
    assert {name: GRAPH[name].source.late for name in late} == late
