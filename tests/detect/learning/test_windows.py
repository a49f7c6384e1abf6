from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sciqlop_pipe.detect import spectral
from sciqlop_pipe.detect.learning.windows import CLASSES, read_windows
from sciqlop_pipe.errors import UsageError
from tests.detect.learning.conftest import made

Write = Callable[..., Path]


def test_windows_are_read_with_their_passes(windows_file: Write):
    windows = read_windows([windows_file()])
    assert len(windows) == 36 and windows.length == 40
    assert len(np.unique(windows.group)) == 18 and windows.how == "group"


def test_passes_are_told_by_jumps_of_position_or_of_time(windows_file: Write):
    params = made(windows=1)["params"]
    params[:, :, 2] = 10 + 0.01 * np.arange(18)[:, None]
    params[7:, :, 2] += 5
    by_position = read_windows([windows_file(how={"windows": 1}, params=params, group=None)])
    assert (by_position.how, by_position.group.max()) == ("position", 1)
    time = np.arange(18) * 180_000_000_000
    time[9:] += 3600 * 10**9
    by_time = read_windows([windows_file(how={"windows": 1}, time=time, group=None)])
    assert (by_time.how, by_time.group.max()) == ("time", 1)


def test_what_stays_together_may_be_said(windows_file: Write):
    time = np.datetime64("2019-12-31T22:00", "ns") + np.arange(18) * np.timedelta64(15, "m")
    file = windows_file(how={"windows": 1}, time=time, group=None)
    for split, groups in (("", 18), ("pass", 18), ("day", 2), ("year", 2), ("block", 18)):
        windows = read_windows([file], split)
        assert (len(np.unique(windows.group)), windows.by) == (groups, split or "pass")
    np.testing.assert_array_equal(read_windows([file], "day").group, [0] * 8 + [1] * 10)
    # A day in two files is one; passes of two files are not.
    assert len(np.unique(read_windows([file, file], "day").group)) == 2
    assert len(np.unique(read_windows([file, file]).group)) == 36
    bare = windows_file("bare.npz", {"windows": 1}, group=None)
    with pytest.raises(UsageError, match="cannot be split by day: there is no `time`"):
        read_windows([bare], "day")
    with pytest.raises(UsageError, match="cannot be split by group: there is no `group`"):
        read_windows([bare], "group")
    with pytest.raises(UsageError, match="tell their groups in different ways"):
        read_windows([file, bare])
    assert read_windows([bare], "block").groups == "18 blocks"


def test_files_are_joined_and_their_passes_stay_apart(windows_file: Write):
    both = read_windows([windows_file("a.npz"), windows_file("b.npz", {"seed": 1})])
    assert len(both) == 72 and len(np.unique(both.group)) == 36


def test_labels_may_be_words(windows_file: Write):
    words = np.array(CLASSES)[made()["label"]]
    got = read_windows([windows_file(label=words)])
    np.testing.assert_array_equal(got.label, made()["label"])


def test_the_order_of_the_classes_in_a_file_decides(windows_file: Write):
    order = np.array(["lobe", "ps", "msp", "msh", "foreshock", "sw"])
    got = read_windows([windows_file(classes=order)])
    np.testing.assert_array_equal(got.label, 5 - made()["label"])


def test_fills_that_slipped_through_are_no_measurements(windows_file: Write):
    arrays = made()
    arrays["params"][0, :, 0] = -1e31
    arrays["flux"][1, :, 3] = 1e31
    windows = read_windows([windows_file(**arrays)])
    assert np.isnan(windows.field[0]).all() and np.isnan(windows.flux[1, :, 3]).all()
    known = np.isfinite(windows.matrix()).all(axis=(1, 2))
    assert not known[0] and known[1:].all()


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"params": None}, "there is no params; there are flux"),
        ({"label": np.zeros(5, int)}, "5 labels for 36 windows"),
        ({"label": np.full(36, 9)}, "label 9 is none of the classes"),
        ({"label": np.full(36, "cusp")}, "'cusp' is none of the classes"),
        ({"flux": np.zeros((36, 40, 12))}, "12 energies in flux, 32 known"),
        ({"params": np.full((36, 40, 3), 7.0)}, "a constant is no measurement"),
        ({"flux": np.zeros((36, 10, 32))}, "do not fit"),
    ],
)
def test_windows_that_make_no_sense_are_refused(
    windows_file: Write, arrays: dict[str, np.ndarray | None], says: str
):
    with pytest.raises(UsageError, match=says):
        read_windows([windows_file(**arrays)])


def test_a_pickle_is_not_read(tmp_path: Path):
    np.savez(tmp_path / "w.npz", flux=np.array([{"a": 1}], object))
    with pytest.raises(UsageError, match=r"not an \.npz of numbers"):
        read_windows([tmp_path / "w.npz"])


def test_density_and_temperature_of_a_maxwellian_come_out_of_its_spectrum(windows_file: Write):
    windows = read_windows([windows_file()])
    sheath = windows.matrix()[windows.label == 2].reshape(-1, len(spectral.NAMES))
    n = 10 ** sheath[:, spectral.NAMES.index("spectral_density")]
    b = windows.field[windows.label == 2].ravel()
    again = 10 ** sheath[:, spectral.NAMES.index("spectral_field")]
    np.testing.assert_allclose(again, b, rtol=1e-6)
    assert 15 < np.median(n) < 40


def test_scaling_moves_levels_and_leaves_shapes_and_fluctuations(windows_file: Write):
    windows = read_windows([windows_file()])
    apart = windows.matrix(2.0, 0.5) - windows.matrix()
    at = spectral.NAMES.index
    np.testing.assert_allclose(apart[..., at("spectral_density")], np.log10(2), atol=1e-6)
    np.testing.assert_allclose(apart[..., at("spectral_beta")], 3 * np.log10(2), atol=1e-6)
    for name in ("spectral_width", "spectral_entropy", *spectral.FLUCTUATIONS):
        np.testing.assert_allclose(apart[..., at(name)], 0, atol=1e-6)
