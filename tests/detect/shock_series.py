"""Solar wind with Rankine-Hugoniot shocks in it, and turbulence of a known size."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.signal import lfilter

from tests.fields import START, clock, moments, vector
from tests.recipes.test_shocks import rankine_hugoniot

ALFVEN = 21.8  # B [nT] / sqrt(n [cm^-3]) to V_A [km/s]


def red(rng: np.random.Generator, n: int, seconds: float, columns: int, memory: float = 600.0):
    """Return fluctuations of variance 1 that remember themselves for ten minutes, (n, columns)."""
    a = np.exp(-seconds / memory)
    x = lfilter([np.sqrt(1 - a**2)], [1, -a], rng.normal(size=(n + 500, columns)), axis=0)[500:]
    return 0.9 * x + 0.44 * rng.normal(size=x.shape)


def sides(mach: float, theta: float, beta: float, forward: bool, seed: int):
    """Return both sides of a shock in the frame of the Sun: the wind ahead blows radially."""
    rng = np.random.default_rng(seed)
    up, down, n = rankine_hugoniot(mach, theta, beta, speed=0.0, seed=seed)
    tilt = np.radians(rng.uniform(0, 40)), rng.uniform(0, 2 * np.pi)
    wanted = np.array([np.cos(tilt[0]), np.sin(tilt[0]) * np.cos(tilt[1]),
                       np.sin(tilt[0]) * np.sin(tilt[1])])  # fmt: skip
    wanted *= -1 if forward else 1  # the normal points upstream: away from the Sun, or to it
    turn = _turn(n, wanted)
    ahead = np.array([-400.0 if forward else -600.0, 0, 0])
    boost = ahead - turn @ up.velocity
    states = [(s.density, turn @ s.velocity + boost, s.temperature, turn @ s.b) for s in (up, down)]
    return states, wanted, float(boost @ wanted)


def _turn(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the rotation that takes one unit vector to another."""
    v, c = np.cross(a, b), a @ b
    if c < -0.999999:
        axis = np.cross(a, [1.0, 0, 0] if abs(a[0]) < 0.9 else [0, 1.0, 0])
        axis /= np.linalg.norm(axis)
        return 2 * np.outer(axis, axis) - np.eye(3)
    k = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + k + k @ k / (1 + c)


def wind(
    shocks, *, hours: float = 4.0, noise: float = 0.1, plasma: float = 60.0, field: float = 3.0,
    ramp: float = 2.0, seed: int = 0, quiet=(5.0, (-400.0, 0.0, 0.0), 10.0, (3.0, -3.0, 1.0)),
) -> tuple[xr.Dataset, xr.Dataset]:  # fmt: skip
    """Return moments and a field through shocks, each a pair (seconds from the start, states).

    Between shocks the plasma slowly goes back to the first state of the next one.
    """
    rng = np.random.default_rng(seed)
    t_m = np.arange(0, hours * 3600, plasma)
    t_b = np.arange(0, hours * 3600, field)

    def profile(t: np.ndarray, k: int) -> np.ndarray:
        out = np.broadcast_to(np.asarray(quiet[k], float), (t.size, np.size(quiet[k]))).copy()
        for when, states in shocks:
            first, second = (np.atleast_1d(np.asarray(s[k], float)) for s in states)
            x = ((t - when) / 3600)[:, None]
            part = 0.5 * (1 + np.tanh((t - when) / ramp))[:, None]
            # Half an hour on both sides belongs to the shock, the way there takes an hour.
            near = np.clip(2.0 - np.abs(x) / 0.5, 0, 1)
            out += near * (first + part * (second - first) - out)
        return out

    alfven = noise * np.linalg.norm(quiet[3]) / np.sqrt(quiet[0]) * ALFVEN
    n, v, t, b = (profile(x, k) for k, x in enumerate((t_m, t_m, t_m, t_b)))
    n = n[:, 0] * np.exp(noise * red(rng, t_m.size, plasma, 1)[:, 0])
    v = v + alfven * red(rng, t_m.size, plasma, 3)
    t = t[:, 0] * np.exp(noise * red(rng, t_m.size, plasma, 1)[:, 0])
    b = b + noise * np.linalg.norm(b, axis=1, keepdims=True) * red(rng, t_b.size, field, 3)
    return (moments(n, v, t, clock(t_m.size, plasma)), vector(b, clock(t_b.size, field)))


def order(states, forward: bool):
    """Return the states in the order in which they are met."""
    return tuple(states) if forward else tuple(reversed(states))


def seconds(time: str) -> float:
    return float((np.datetime64(time.rstrip("Z"), "ns") - START) / np.timedelta64(1, "s"))
