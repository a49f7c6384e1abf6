from __future__ import annotations

import numpy as np
import pytest

from sciqlop_pipe.kernels.waveforms import even_runs, regular_frames, smoothed

SECOND = 1_000_000_000


def frames(time: np.ndarray, measured: np.ndarray | None = None, samples: int = 8) -> list[int]:
    """First samples of the frames of a series cut into steps of a second."""
    measured = np.ones(time.size, bool) if measured is None else measured
    first, _, _ = regular_frames(time, measured, samples, SECOND, 10 * SECOND, 0.02)
    return first.tolist()


def ticks(count: int, rate: int = 16) -> np.ndarray:
    """Times of evenly spaced samples [ns]."""
    return np.arange(count) * (SECOND // rate)


def test_frames_overlap_by_half_and_begin_anew_in_every_step():
    time = np.delete(ticks(48), 16)  # the second step lacks its first sample
    assert frames(time) == [0, 4, 8, 16, 20, 24, 28, 31, 35, 39]


def test_a_frame_holds_no_gap():
    time = ticks(32)
    time[20:] += SECOND // 32
    assert all(not (f < 20 <= f + 7) for f in frames(time))
    assert frames(time)


def test_a_frame_holds_no_fill():
    measured = np.ones(32, bool)
    measured[11] = False
    assert all(not (f <= 11 <= f + 7) for f in frames(ticks(32), measured))


def test_a_frame_has_the_same_components_throughout():
    bits = np.where(np.arange(32) < 12, 7, 3)
    assert all(f + 7 < 12 or f >= 12 for f in frames(ticks(32), bits))


def test_no_samples_have_no_frames():
    assert frames(ticks(0)) == []
    assert frames(ticks(5)) == []


def test_runs_end_at_gaps_fill_and_changes_of_rate():
    time = np.r_[ticks(6), ticks(6)[-1] + 2 * SECOND + ticks(6), 4 * SECOND + ticks(6, 8)]
    measured = np.ones(time.size, bool)
    measured[3] = False
    run = even_runs(time, measured, 0.02)
    assert run[3] == -1
    assert len(set(run[[1, 5, 8, 15]])) == 4
    assert run[4] == run[5] and len(set(run[7:12])) == 1 and len(set(run[13:])) == 1


@pytest.mark.parametrize("x", [0.25, 0.72, 1.5])
def test_smoothing_has_the_response_of_a_raised_cosine(x):
    rate, half = 512, SECOND // 4
    time = ticks(2048, rate)
    f = x / 0.5  # cycles per second: the whole width is 0.5 s
    signal = np.cos(2 * np.pi * f * time / SECOND)[:, None]
    found = smoothed(time, signal, half, SECOND // 100)[256:-256]
    expected = np.sin(np.pi * x) / (np.pi * x * (1 - x**2))
    assert found == pytest.approx(expected * signal[256:-256], abs=2e-3)


def test_smoothing_reaches_over_no_gap_and_beyond_no_end():
    time = ticks(512, 128)
    time[256:] += SECOND
    known = np.isfinite(smoothed(time, np.ones((512, 1)), SECOND // 4, SECOND // 50)[:, 0])
    assert not known[:29].any() and not known[227:285].any() and not known[-29:].any()
    assert known[32:224].all() and known[288:480].all()
