from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciqlop_pipe.constants import ELEMENTARY_CHARGE, PROTON_MASS
from sciqlop_pipe.kernels.energies import geometric_edges, speed_weights

TABLE = np.geomspace(10.0, 30000.0, 32)


def weights(lower, upper, shift=0.0, usable=None):
    usable = np.ones_like(lower, bool) if usable is None else usable
    w, share = speed_weights(lower[None], upper[None], np.array([shift]), usable[None], PROTON_MASS)
    return w[0].astype(float), share[0].astype(float)


def test_edges_lie_halfway_in_log_energy_and_tile():
    lower, upper = geometric_edges(TABLE)
    assert lower[1:] == pytest.approx(upper[:-1])
    assert np.sqrt(lower * upper) == pytest.approx(TABLE)


def test_edges_do_not_depend_on_the_order_of_the_table():
    lower, upper = geometric_edges(TABLE)
    assert np.array(geometric_edges(TABLE[::-1])) == pytest.approx(
        np.array([lower[::-1], upper[::-1]])
    )


def test_tables_of_several_records_have_edges_of_their_own():
    lower, upper = geometric_edges(np.stack([TABLE, 1.1 * TABLE]))
    assert lower[1] == pytest.approx(1.1 * lower[0])
    assert upper[1] == pytest.approx(1.1 * upper[0])


def test_an_unused_channel_has_no_edges_and_leaves_its_neighbours_alone():
    table = TABLE.copy()
    table[[5, 31]] = np.nan, 0.0
    lower, upper = geometric_edges(table)
    whole = geometric_edges(TABLE)
    used = np.isfinite(table) & (table > 0)
    assert np.isnan(lower[~used]).all()
    assert np.isnan(upper[~used]).all()
    assert lower[used] == pytest.approx(whole[0][used])
    assert upper[used] == pytest.approx(whole[1][used])


@given(
    st.floats(0.1, 1.0), st.floats(20.0, 2000.0), st.sampled_from([0.0, 5.0, -3.0]), st.booleans()
)
def test_sums_over_bin_means_are_the_moments_of_a_smooth_function(step, peak, shift, descending):
    # A bump in ln E, wider than a bin: exp(-(ln E/peak)^2 / 2), as a function of the energy at
    # infinity, averaged over each bin with v^2 dv.
    log = np.arange(np.log(8.0), np.log(1e6), min(step, 0.4))
    lower, upper = np.exp(log[:-1]), np.exp(log[1:])
    k = np.sqrt(2 * ELEMENTARY_CHARGE / PROTON_MASS) * 1e-6
    x, g = np.polynomial.legendre.leggauss(12)

    def integral(order, low, high):
        v = k * np.sqrt(np.stack([low, high]) + shift)
        nodes = 0.5 * (v[1] - v[0]) * x[:, None] + 0.5 * (v[1] + v[0])
        bump = np.exp(-0.5 * (np.log(((nodes / k) ** 2 - shift) / peak) / 0.8) ** 2)
        return (g[:, None] * nodes ** (2 + order) * bump).sum(0) * 0.5 * (v[1] - v[0])

    volume = (k**3 / 3) * ((upper + shift) ** 1.5 - (lower + shift) ** 1.5)
    mean = integral(0, lower, upper) / volume
    if descending:
        lower, upper, mean = lower[::-1], upper[::-1], mean[::-1]
    w, _ = weights(lower, upper, shift)
    for order in range(4):
        assert (w[order] * mean).sum() * 1e-12 == pytest.approx(
            integral(order, lower, upper).sum(), rel=3e-4
        )


def test_weights_of_order_zero_are_exact_volumes():
    lower, upper = geometric_edges(TABLE)
    w, _ = weights(lower, upper)
    speed = np.sqrt(2 * ELEMENTARY_CHARGE / PROTON_MASS * np.array([lower[0], upper[-1]])) * 1e-6
    assert w[0].sum() == pytest.approx(1e12 * (speed[1] ** 3 - speed[0] ** 3) / 3, rel=1e-6)


def test_what_lies_below_zero_at_infinity_is_cut_off():
    lower, upper = geometric_edges(TABLE)
    w, share = weights(lower, upper, shift=-TABLE[2])
    assert not w[:, :2].any()
    assert not share[:2].any()
    straddling = (2 * ELEMENTARY_CHARGE / PROTON_MASS * (upper[2] - TABLE[2])) ** 1.5 / 3 * 1e-6
    assert w[0, 2] == pytest.approx(straddling, rel=1e-5)
    assert (np.diff(w[1:, 2:], axis=1) > 0).all()


def test_a_first_bin_from_zero_energy_has_finite_weights():
    lower, upper = geometric_edges(TABLE)
    lower[0] = 0.0
    w, share = weights(lower, upper)
    assert np.isfinite(w).all()
    assert share.sum() == pytest.approx(1)


def test_share_counts_only_the_bins_in_use():
    lower, upper = geometric_edges(TABLE)
    use = np.arange(32) >= 12
    _, share = weights(lower, upper, usable=use)
    assert share.sum() == pytest.approx(1)
    assert share[use] == pytest.approx(1 / 20)
    assert not share[~use].any()


def test_an_unknown_potential_gives_no_weights():
    w, share = weights(*geometric_edges(TABLE), shift=np.nan)
    assert not w.any()
    assert not share.any()
