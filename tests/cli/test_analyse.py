"""Analyses of one interval, as they are typed, on a store whose shock, frame and layer are known."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sciqlop_pipe.cli import main
from sciqlop_pipe.datatypes import Moments, VectorSeries
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.store import Store
from tests.fields import moments, vector
from tests.ledger import commit, kept
from tests.shocks import passage

Call = Callable[..., tuple[int, str, str]]
HOUR = Interval.of("2020-01-01T12:00", "2020-01-01T13:00")
SIDES = ("--upstream", "2020-01-01T12:00/2020-01-01T12:07:00",
         "--downstream", "2020-01-01T12:08:00/2020-01-01T12:15:00")  # fmt: skip


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """A store with a shock (`shock`), a moving frame (`ht`) and a layer of known axes (`layer`)."""
    m, b, _ = passage()
    rng = np.random.default_rng(2)
    field = rng.normal(size=(200, 3)) * [3.0, 8.0, 20.0]  # variances along x, y and z
    still = rng.normal(size=(200, 3)) * 10
    flow = np.array([-300.0, 50, 20]) + 4 * still
    held = {
        "shock.ion.moments": (m, Moments), "shock.b": (b, VectorSeries),
        "layer.b": (vector(field), VectorSeries),
        "ht.ion.moments": (moments(5.0, flow), Moments), "ht.b": (vector(still), VectorSeries),
    }  # fmt: skip
    with Store.open(tmp_path / "store", create=True, durable=False) as store:
        commit(store, *(kept(store, n, HOUR, ds, gives) for n, (ds, gives) in held.items()))
    return tmp_path / "store"


@pytest.fixture
def call(held: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Type `sciqlop-pipe analyse WORDS --store STORE`: status, output, message."""

    def go(*words: str) -> tuple[int, str, str]:
        argv = ["sciqlop-pipe", "analyse", *words, "--store", str(held)]
        monkeypatch.setattr(sys, "argv", argv)
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return go


def span(start: str, stop: str) -> tuple[str, ...]:
    return "--start", f"2020-01-01T12:{start}", "--stop", f"2020-01-01T12:{stop}"


def test_a_shock_has_the_normal_speed_and_mach_number_it_was_made_with(call: Call) -> None:
    status, out, _ = call("shock", "shock.ion.moments", "shock.b", *SIDES, "--json")
    found = json.loads(out)
    _, _, normal = passage()
    assert status == 0
    for method in ("magnetic_coplanarity", "mixed_1", "mixed_2", "mixed_3"):
        one = found[method]
        assert np.dot(one["normal"], normal) > np.cos(np.radians(3)), method
        assert one["theta_bn [deg]"] == pytest.approx(50, abs=3)
        assert one["speed [km/s]"] == pytest.approx(-30, abs=8)
        assert one["alfven_mach"] == pytest.approx(4, rel=0.1)
    # Velocity coplanarity holds for high Mach numbers only, variance for what ripples little.
    assert np.dot(found["velocity_coplanarity"]["normal"], normal) > np.cos(np.radians(15))
    assert found["compression"] > 2
    assert found["flags"] == []


def test_a_normal_of_ones_own_is_judged_like_the_others(call: Call) -> None:
    """Of timing, say, or of a model: either way along it, of any length."""
    _, _, normal = passage()
    text = ",".join(f"{-5 * x:.9g}" for x in normal)
    words = ("shock", "shock.ion.moments", "shock.b", *SIDES, f"--normal={text}")
    given = json.loads(call(*words, "--json")[1])["given"]
    np.testing.assert_allclose(given["normal"], normal, atol=1e-3)
    assert given["theta_bn [deg]"] == pytest.approx(50, abs=1)
    assert given["speed [km/s]"] == pytest.approx(-30, abs=3)
    status, _, err = call("shock", "shock.ion.moments", "shock.b", *SIDES, "--normal", "1,2")
    assert status == 2 and "not a direction" in err


def test_tables_have_their_units(call: Call) -> None:
    words = ("ht", "ht.ion.moments", "ht.b", *span("00", "05"), "--accumulation", "1s")
    assert "V_HT (GSE) [km/s]" in call(*words)[1]
    assert "variances [nT^2]" in call("mva", "layer.b", *span("00", "05"))[1]
    assert "theta_bn [deg] 5" in call("shock", "shock.ion.moments", "shock.b", *SIDES)[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mva", "ht.ion.moments"), "ht.ion.moments is Moments, not VectorSeries"),
        (("ht", "ht.b", "ht.ion.moments"), "ht.b is VectorSeries, not Moments"),
        (("mva", "layer.bb"), "Did you mean layer.b"),
    ],
)
def test_what_cannot_be_analysed_is_named(call: Call, words: tuple[str, ...], said: str) -> None:
    status, _, err = call(*words, *span("00", "05"))
    assert status == 2 and said in err


def test_sides_that_are_swapped_are_flagged(call: Call) -> None:
    swapped = (SIDES[0], SIDES[3], SIDES[2], SIDES[1])
    there, back = (json.loads(call("shock", "shock.ion.moments", "shock.b", *s, "--json")[1])
                   for s in (SIDES, swapped))  # fmt: skip
    assert back["compression"] == pytest.approx(1 / there["compression"], rel=0.01)
    assert (there["flags"], back["flags"]) == ([], ["not_compressed", "too_slow"])


def test_the_axes_of_a_layer_are_those_of_its_variances(call: Call) -> None:
    status, out, _ = call("mva", "layer.b", *span("00", "05"), "--json")
    found = json.loads(out)
    assert status == 0
    for axis, known in (("L (GSE)", 2), ("M (GSE)", 1), ("N (GSE)", 0)):
        assert abs(found[axis][known]) > 0.99, axis
    assert found["normal"] == "certain"
    assert found["records"] == 200


def test_the_frame_that_moves_with_a_pattern_is_found(call: Call) -> None:
    words = ("ht", "ht.ion.moments", "ht.b", *span("00", "05"), "--accumulation", "1s")
    status, out, _ = call(*words, "--json")
    found = json.loads(out)
    assert status == 0
    np.testing.assert_allclose(found["V_HT (GSE) [km/s]"], (-300, 50, 20), atol=0.1)
    assert found["correlation"] == pytest.approx(1)
    assert found["frame"] == "good"
    # V' = 4 B is 0.41 Alfven speeds (5 protons per cm^3): too slow for a rotational discontinuity.
    assert found["Walen slope"] == pytest.approx(4 / 9.755, abs=0.01)
    assert found["Walen test"] == "failed"


PICTURES = {
    "mva": ("mva", "layer.b", *span("00", "05")),
    "ht": ("ht", "ht.ion.moments", "ht.b", *span("00", "05"), "--accumulation", "1s"),
    "shock": ("shock", "shock.ion.moments", "shock.b", *SIDES),
}


@pytest.mark.parametrize("which", PICTURES)
def test_every_analysis_draws_a_picture_that_has_something_on_it(
    call: Call, tmp_path: Path, which: str
) -> None:
    from matplotlib.image import imread

    picture = tmp_path / f"{which}.png"
    status, out, err = call(*PICTURES[which], "-o", str(picture))
    assert status == 0, err
    assert f"wrote {picture}" in out.replace("\n", "")
    pixels = imread(picture)
    assert pixels.shape[1] >= 1000 and len(np.unique(pixels[..., 0])) > 20
    refused, _, err = call(*PICTURES[which], "-o", str(tmp_path / "picture.pdf"))
    assert refused == 2 and "ending in .png" in err and not (tmp_path / "picture.pdf").exists()


@pytest.mark.parametrize("which", PICTURES)
def test_the_help_of_every_analysis_has_an_example(call: Call, which: str) -> None:
    status, out, _ = call(which, "--help")
    assert status == 0
    assert f"sciqlop-pipe analyse {which}" in " ".join(out.split())


def test_sides_may_touch_but_not_overlap(call: Call) -> None:
    """Between sides that touch there is no field for minimum variance, and null says so."""
    touching = (*SIDES[:1], "2020-01-01T12:00/2020-01-01T12:07:00", "--downstream",
                "2020-01-01T12:07:00/2020-01-01T12:15:00")  # fmt: skip
    status, out, _ = call("shock", "shock.ion.moments", "shock.b", *touching, "--json")
    assert status == 0
    assert json.loads(out)["minimum_variance"]["normal"] == [None] * 3
    over = (*SIDES[:1], "2020-01-01T12:00/2020-01-01T12:10:00", *SIDES[2:])
    status, _, err = call("shock", "shock.ion.moments", "shock.b", *over)
    assert status == 2 and "overlap" in err


def test_a_field_that_keeps_its_direction_has_no_frame_and_json_says_null(
    call: Call, held: Path, tmp_path: Path
) -> None:
    with Store.open(held, durable=False) as store:
        commit(store, kept(store, "even.b", HOUR, vector(np.tile([3.0, 4, 0], (200, 1))),
                           VectorSeries))  # fmt: skip
    words = ("ht", "ht.ion.moments", "even.b", *span("00", "03"), "--accumulation", "1s")
    status, out, _ = call(*words, "--json")
    found = json.loads(out)
    assert status == 0 and found["frame"] == "poor" and found["Walen test"] == "failed"
    assert found["V_HT (GSE) [km/s]"] == [None] * 3
    status, _, err = call(*words, "-o", str(tmp_path / "ht.png"))
    assert status == 2 and "keeps its direction" in err


def test_a_field_in_another_frame_is_refused_with_both_names(call: Call, held: Path) -> None:
    with Store.open(held, durable=False) as store:
        other = vector(np.random.default_rng(1).normal(size=(200, 3)), frame="DSL")
        commit(store, kept(store, "dsl.b", HOUR, other, VectorSeries))
    for words in (("ht", "ht.ion.moments", "dsl.b", *span("00", "03")),
                  ("shock", "shock.ion.moments", "dsl.b", *SIDES)):  # fmt: skip
        status, _, err = call(*words)
        assert status == 2 and "DSL" in err and "GSE" in err


def test_without_json_the_same_numbers_are_a_table(call: Call) -> None:
    status, out, _ = call("shock", "shock.ion.moments", "shock.b", *SIDES)
    assert status == 0
    for word in ("mixed_3", "theta_bn", "compression", "minimum_variance"):
        assert word in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("shock", "shock.ion.moments", "shock.b", "--upstream", "12:00", *SIDES[2:]),
         "not START/STOP"),
        (("mva", "layer.b", *span("30", "40")), "no record"),
        (("mva", "layer.c", *span("00", "05")), "nothing of 'layer.c'. Did you mean layer.b"),
        (("mva", "layer.b", *span("00:00", "00:03")), "records"),
        (("ht", "ht.ion.moments", "shock.b", "--start", "2020-01-01", "--stop", "2020-01-01"),
         "at or before it starts"),
    ],
)  # fmt: skip
def test_bad_requests_are_one_clear_message(
    call: Call, words: tuple[str, ...], message: str
) -> None:
    status, out, err = call(*words)
    assert status not in (0, None)
    assert message in out + err
    assert "Traceback" not in err
