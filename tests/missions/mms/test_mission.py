"""MMS: the table of contents of the mission, and the file names it claims."""

from __future__ import annotations

import pickle
import re

import pytest

from sciqlop_missions.mms import mission

DATASETS = {d.name: d for d in mission.datasets}


def claiming(filename):
    """Return the raw datasets whose pattern fits a file name."""
    return {
        d.name
        for d in mission.datasets
        if d.source is not None and any(p.match(filename) for p in d.source.patterns)
    }


def test_four_spacecraft_offer_the_same():
    by_probe = [{n[5:] for n in DATASETS if n.startswith(f"mms{p}.")} for p in "1234"]
    assert by_probe[0] == by_probe[1] == by_probe[2] == by_probe[3]
    of_all_four = [n for n in DATASETS if not re.match(r"mms[1-4]\.", n)]
    assert len(mission.datasets) == 4 * len(by_probe[0]) + len(of_all_four) == len(DATASETS)


def test_names_say_mission_instrument_mode_and_quantity():
    assert all(re.fullmatch(r"mms[1-4]?(\.[a-z0-9_]+){1,5}", name) for name in DATASETS)


def test_every_dataset_says_what_it_is():
    assert all(d.description for d in mission.datasets)
    assert mission.citation
    assert mission.authors


def test_products_stand_on_datasets_of_the_type_their_recipe_takes():
    products = [d for d in mission.datasets if not d.is_raw]
    assert len(products) > 4 * 2 * 2 * 6
    for product in products:
        for argument, name in product.inputs:
            if name.startswith("mms"):
                assert DATASETS[name].gives == product.argument(argument).datatype


@pytest.mark.parametrize(
    ("filename", "names"),
    [
        (
            "mms1_fpi_brst_l2_dis-dist_20201119233433_v3.3.0.cdf",
            {"mms1.fpi.dis.brst.vdf"},
        ),
        (
            "mms3_fpi_fast_l2_des-moms_20151201000000_v3.3.0.cdf",
            {"mms3.fpi.des.fast.moms", "mms3.fpi.des.fast.archive_spectrum"},
        ),
        (
            "mms1_fgm_brst_l2_20151016130524.cdf",
            {"mms1.fgm.brst.b_gse", "mms1.fgm.brst.b_gsm", "mms1.fgm.brst.b_dmpa"},
        ),
        (
            "mms2_fgm_srvy_l2_20151215_v4.18.0.cdf",
            {"mms2.fgm.srvy.b_gse", "mms2.fgm.srvy.b_gsm", "mms2.fgm.srvy.b_dmpa"},
        ),
        ("mms4_mec_srvy_l2_epht89d_20151201_v2.1.0.cdf", {"mms4.mec.srvy.position_gse"}),
        ("mms1_mec_brst_l2_epht89q_20161209090055_v2.2.0.cdf", {"mms1.mec.brst.position_gse"}),
        (
            "mms1_fpi_fast_l2_dis-partmoms_20171215000000_v3.3.0.cdf",
            {"mms1.fpi.dis.fast.partmoms"},
        ),
        ("mms1_edp_fast_l2_scpot_20151201000000_v2.4.0.cdf", {"mms1.edp.fast.sc_pot"}),
        ("mms1_aspoc_srvy_l2_20151201_v2.0.0.cdf", set()),
    ],
)
def test_files_are_claimed_by_name(filename, names):
    found = claiming(filename)
    assert names <= found
    assert bool(found) == bool(names)
    assert {n.split(".")[1] for n in found} <= {filename.split("_")[1]}


def test_every_real_file_belongs_to_a_dataset(shared_data):
    files = sorted((shared_data / "mms").glob("*/*.cdf"))
    if not files:
        pytest.skip(f"no CDF files in {shared_data}/mms")
    assert [f.name for f in files if not claiming(f.name)] == []


def test_a_dataset_travels_to_another_process():
    for dataset in DATASETS.values():
        assert pickle.loads(pickle.dumps(dataset)) == dataset


def test_a_record_centred_after_its_files_two_hours_is_still_found():
    source = DATASETS["mms1.fpi.dis.fast.moms"].source
    two_hours = 2 * 3600 * 10**9
    assert source is not None
    assert source.version >= 1
    (pattern,) = source.patterns
    match = pattern.match("mms1_fpi_fast_l2_dis-moms_20151017060000_v3.4.0.cdf")
    assert match is not None

    class File:
        start, stop = match.start, None

    assert source.extent(File).stop > match.start + two_hours + 2_250_000_000
