"""Shocks whose truth is known: both sides of the Rankine-Hugoniot relations, and a way through."""

from __future__ import annotations

import numpy as np

from sciqlop_pipe.recipes.shocks import Side
from tests.fields import clock, moments, vector

MU0, PROTON, E = 1.25663706127e-6, 1.67262192595e-27, 1.602176634e-19
GAMMA = 5 / 3


def rankine_hugoniot(
    mach=4.0, theta=50.0, beta=0.8, speed=-30.0, density=5.0, strength=6.0, seed=1
):
    """Both sides of a fast shock whose normal (towards upstream) and speed are known.

    Mass, normal B, momentum along and across, tangential E and energy are conserved in the frame
    of the shock; the compression is found by bisection on the energy.
    """
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    n, t = turn[0], turn[1]
    rho = density * 1e6 * PROTON
    b, th = strength * 1e-9, np.radians(theta)
    bn, bt = b * np.cos(th), b * np.sin(th)
    va = b / np.sqrt(MU0 * rho)
    p = beta * b**2 / (2 * MU0)
    vn = mach * va  # into the shock

    def down(r):
        # Tangential momentum and electric field, upstream flow along the normal.
        btd = bt * r * (vn**2 - bn**2 / (MU0 * rho)) / (vn**2 - r * bn**2 / (MU0 * rho))
        vtd = bn * (btd - bt) / (MU0 * rho * vn)
        pd = p + rho * vn**2 * (1 - 1 / r) + (bt**2 - btd**2) / (2 * MU0)
        left = vn * (rho * vn**2 / 2 + GAMMA / (GAMMA - 1) * p + bt**2 / MU0)
        right = (
            vn
            / r
            * (rho * r * ((vn / r) ** 2 + vtd**2) / 2 + GAMMA / (GAMMA - 1) * pd + btd**2 / MU0)
            - bn * btd * vtd / MU0
        )
        return btd, vtd, pd, left - right

    grid = np.linspace(1.05, 3.99, 3000)
    change = np.array([down(r)[3] for r in grid])
    k = np.flatnonzero(np.sign(change[1:]) != np.sign(change[:-1]))[-1]
    lo, hi = grid[k], grid[k + 1]
    for _ in range(80):
        mid = 0.5 * (lo + hi)
        lo, hi = (mid, hi) if np.sign(down(mid)[3]) == np.sign(down(lo)[3]) else (lo, mid)
    r = 0.5 * (lo + hi)
    btd, vtd, pd, _ = down(r)
    # The normal points upstream, the flow against it; the shock moves along it.
    sides = []
    for rr, b_t, v_t, pressure in ((1.0, bt, 0.0, p), (r, btd, vtd, pd)):
        v = -(vn / rr) * n + v_t * t * -1 * -1 + speed * 1e3 * n
        field = -bn * n + b_t * t
        temperature = pressure / (density * rr * 1e6) / E
        sides.append(Side(field * 1e9, density * rr, v * 1e-3, temperature, PROTON))
    return sides[0], sides[1], n


def passage(inbound=True, noise=0.02, seconds=900):
    """Moments every 3 s and a field every 0.5 s through a shock in the middle."""
    up, down, n = rankine_hugoniot()
    rng = np.random.default_rng(5)

    def profile(time, a, b):
        x = (time - time[0]) / np.timedelta64(1, "s") - seconds / 2
        part = 0.5 * (1 + np.tanh((x if inbound else -x) / 3))
        part = part.reshape(-1, *(1,) * np.ndim(a))
        values = a + part * (np.asarray(b) - a)
        return values * (1 + noise * rng.normal(size=values.shape))

    t, tb = clock(seconds // 3, 3), clock(2 * seconds, 0.5)
    m = moments(profile(t, up.density, down.density), profile(t, up.velocity, down.velocity),
                profile(t, up.temperature, down.temperature), t)  # fmt: skip
    return m, vector(profile(tb, up.b, down.b), tb), n
