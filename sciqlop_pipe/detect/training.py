"""Training of the region model: labelled states, made more various, then a regression.

A model that is to work on missions and in solar winds it has never seen must not learn the climate
of its training set. So states are copied with other densities, energies and Mach numbers
(Tobin et al., arXiv 1703.06907, 2017, call it domain randomisation), and solar wind with ions that
the shock has reflected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..constants import ELEMENTARY_CHARGE, PROTON_MASS
from .drift import Seen, learn_seen
from .features import feature_matrix
from .models import REGIONS

Array = NDArray[np.float64]

# fmt: off
VARIANTS = {
    "core_field": (
        "log_density", "log_temperature", "log_mach", "log_core_mach", "log_field", "log_beta",
    ),
    "core": ("log_density", "log_temperature", "log_mach", "log_core_mach"),
    "field": ("log_density", "log_temperature", "log_mach", "log_field", "log_beta"),
    "plain": ("log_density", "log_temperature", "log_mach"),
}
# fmt: on
"""Sets of features by what is known beside n, V and T, richest first."""

_EV_PER_KMS2 = PROTON_MASS * 1e6 / ELEMENTARY_CHARGE
_SEEN_EVERY = 10
_MAGNETOSPHERE, _SHEATH, _WIND = range(len(REGIONS))


@dataclass(frozen=True, slots=True)
class LabelledStates:
    """Plasma states whose region is known, each array (record).

    Parameters
    ----------
    density, speed : ndarray
        [cm^-3], [km/s].
    parallel, perpendicular : ndarray
        Temperatures [eV].
    magnetic_field : ndarray
        |B| [nT].
    region : ndarray of int
        Index in REGIONS.
    group : ndarray of int
        What belongs together (an orbit): never both in training and in test.
    """

    density: Array
    speed: Array
    parallel: Array
    perpendicular: Array
    magnetic_field: Array
    region: NDArray[np.int64]
    group: NDArray[np.int64]

    @classmethod
    def joined(cls, parts: Sequence[LabelledStates]) -> LabelledStates:
        """Return several sets as one."""
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in cls.__slots__))

    def __len__(self) -> int:
        return self.density.size


@dataclass(frozen=True, slots=True)
class Randomisation:
    """How much more various a training set is made. Spreads are standard deviations in log10.

    Parameters
    ----------
    copies : int
        Of the whole set, each randomised anew.
    foreshock : float
        Part of the solar wind with reflected ions.
    reflected : float
        Their mean share of the density there (exponentially distributed, at most 0.2).
    unseen : float
        By how much foreshocks are rarer and weaker where the core temperature is not known. A
        strong foreshock and a fast sheath at the flanks then look alike, and are called sheath.
    outer : tuple of float
        Spreads of n, energy, Mach number and |B| of sheath and solar wind, one draw per group.
    inner : tuple of float
        The same for the magnetosphere.
    anisotropy : float
        Spread of T_perp / T_par, per record.
    noise : tuple of float
        Of n, T along each axis, |B| (log10) and V [km/s], per record.
    """

    copies: int = 2
    foreshock: float = 0.3
    reflected: float = 0.03
    unseen: float = 2 / 3
    outer: tuple[float, float, float, float] = (0.2, 0.1, 0.1, 0.15)
    inner: tuple[float, float, float, float] = (0.4, 0.3, 0.2, 0.2)
    anisotropy: float = 0.05
    noise: tuple[float, float, float, float] = (0.04, 0.03, 0.03, 8.0)


@dataclass(frozen=True, slots=True)
class Trained:
    """Fitted pipelines by variant, richest first, their scores on unseen groups, what was seen."""

    pipelines: Mapping[str, Any]
    metrics: Mapping[str, Any]
    seen: Seen


def train_regions(
    states: LabelledStates,
    randomisation: Randomisation | None = None,
    *,
    seed: int = 0,
    folds: int = 3,
) -> Trained:
    """Return one multinomial logistic regression per set of features, and its cross-validation.

    Every region has the same weight in all. Metrics are those of records of groups that were not
    trained on, randomised like the training set: accuracy per region, and the expected calibration
    error in ten bins.

    Parameters
    ----------
    states : LabelledStates
        With several groups of each region.
    randomisation : Randomisation, optional
        Its defaults when left out.
    seed : int
        Same seed, same model.
    folds : int
        Of the cross-validation by groups.
    """
    from sklearn.model_selection import GroupKFold

    how = randomisation or Randomisation()
    blind = replace(how, foreshock=how.foreshock * how.unseen, reflected=how.reflected * how.unseen)
    pipelines, metrics = {}, {}
    for name, features in VARIANTS.items():
        seen = how if "log_core_mach" in features else blind
        various = randomised(states, seen, np.random.default_rng(seed))
        matrix = feature_matrix(various.state, features)
        known = np.isfinite(matrix).all(axis=1)
        x, y, group = matrix[known], various.region[known], various.group[known]
        guessed = np.empty((len(y), len(REGIONS)))
        for train, test in GroupKFold(folds).split(x, y, group):
            guessed[test] = _fit(x[train], y[train]).predict_proba(x[test])
        metrics[name] = _metrics(guessed, y)
        pipelines[name] = _fit(x, y)
    return Trained(pipelines, metrics, _seen(states, how, seed))


def _seen(states: LabelledStates, how: Randomisation, seed: int) -> Seen:
    """Return what the richest variant was shown: some of the randomised states."""
    features = next(iter(VARIANTS.values()))
    various = randomised(states, how, np.random.default_rng(seed))
    matrix = feature_matrix(various.state, features)[::_SEEN_EVERY]
    known = np.isfinite(matrix).all(axis=1)
    return learn_seen(features, matrix[known], various.region[::_SEEN_EVERY][known],
                      various.group[::_SEEN_EVERY][known])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Various:
    """Randomised states: a PlasmaState without times that mean anything, region and group."""

    state: xr.Dataset
    region: NDArray[np.int64]
    group: NDArray[np.int64]


def randomised(states: LabelledStates, how: Randomisation, rng: np.random.Generator) -> Various:
    """Return copies of states in other climates, with foreshocks and noise.

    Parameters
    ----------
    states : LabelledStates
        What is copied.
    how : Randomisation
        How much is changed.
    rng : Generator
        Source of all draws.
    """
    copies = LabelledStates.joined(
        [_noisy(_other_climate(_with_foreshock(states, how, rng), how, rng), how, rng)
         for _ in range(how.copies)]
    )  # fmt: skip
    principal = np.stack([copies.parallel, copies.perpendicular, copies.perpendicular], axis=1)
    principal *= 10 ** rng.normal(0, how.noise[1], principal.shape)
    state = xr.Dataset(
        {
            "density": ("time", copies.density),
            "speed": ("time", copies.speed),
            "temperature": ("time", principal.mean(axis=1)),
            "core_temperature": ("time", principal.min(axis=1)),
            "magnetic_field": ("time", copies.magnetic_field),
        }
    )
    return Various(state, copies.region, copies.group)


def _with_foreshock(
    s: LabelledStates, how: Randomisation, rng: np.random.Generator
) -> LabelledStates:
    """Add reflected ions to some of the solar wind; steepened waves change n there."""
    size = len(s)
    chosen = (s.region == _WIND) & (rng.random(size) < how.foreshock)
    share = np.where(chosen, np.minimum(rng.exponential(how.reflected, size), 0.2), 0.0)
    relative = rng.uniform(1.5, 2.2, size) * s.speed
    slower, along, across = reflection(s.speed, share, relative, rng.uniform(0.02, 0.25, size))
    waves = np.where(chosen, 10 ** rng.normal(0, 0.1, size), 1.0)
    return replace(
        s,
        density=s.density * waves / (1 - share),
        speed=slower,
        parallel=s.parallel + along,
        perpendicular=s.perpendicular + across,
    )


def reflection(
    speed: Array, share: Array, relative: Array, scattered: Array | float
) -> tuple[Array, Array, Array]:
    """Return bulk speed [km/s] and what T gains along and across the beam [eV] by reflected ions.

    A share x of the ions that moves against the rest with a relative speed u slows the mean by x u
    and adds x (1 - x) m u^2 to the temperature along the beam. Specular reflection gives u of about
    2 V (Gosling et al., J. Geophys. Res. 87, 8, 1982).

    Parameters
    ----------
    speed : ndarray
        Of the wind [km/s].
    share : ndarray
        Of the reflected ions in the density [1].
    relative : ndarray
        Speed of the reflected ions against the wind [km/s].
    scattered : ndarray or float
        Part of the heat that has gone to each of the other directions [1].
    """
    heat = share * (1 - share) * _EV_PER_KMS2 * relative**2
    return speed - share * relative, heat, scattered * heat


def _other_climate(
    s: LabelledStates, how: Randomisation, rng: np.random.Generator
) -> LabelledStates:
    """Scale n, energies (T and m V^2 together), Mach number and |B|, per group and region."""
    factor = np.ones((4, len(s)))
    for group in np.unique(s.group):
        for region in range(len(REGIONS)):
            spread = how.inner if region == _MAGNETOSPHERE else how.outer
            drawn = 10 ** (rng.normal(size=4) * spread)
            mine = (s.group == group) & (s.region == region)
            factor[:, mine] = drawn[:, None]
    n, energy, mach, b = factor
    heat = energy / np.sqrt(mach)
    return replace(
        s,
        density=s.density * n,
        speed=s.speed * np.sqrt(energy * np.sqrt(mach)),
        parallel=s.parallel * heat,
        perpendicular=s.perpendicular * heat,
        magnetic_field=s.magnetic_field * b,
    )


def _noisy(s: LabelledStates, how: Randomisation, rng: np.random.Generator) -> LabelledStates:
    size = len(s)
    ratio = 10 ** rng.normal(0, how.anisotropy, size)
    mean = (s.parallel + 2 * s.perpendicular) / (s.parallel + 2 * ratio * s.perpendicular)
    return replace(
        s,
        density=s.density * 10 ** rng.normal(0, how.noise[0], size),
        speed=np.abs(s.speed + rng.normal(0, how.noise[3], size)),
        parallel=s.parallel * mean,
        perpendicular=s.perpendicular * mean * ratio,
        magnetic_field=s.magnetic_field * 10 ** rng.normal(0, how.noise[2], size),
    )


def _fit(x: Array, y: NDArray[np.int64]) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    weight = (y.size / len(REGIONS) / np.bincount(y, minlength=len(REGIONS)))[y]
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return pipeline.fit(x, y, logisticregression__sample_weight=weight)


def _metrics(guessed: Array, true: NDArray[np.int64]) -> dict[str, float]:
    best = guessed.argmax(axis=1)
    numbers = {r: float((best[true == k] == k).mean()) for k, r in enumerate(REGIONS)}
    sure = guessed.max(axis=1)
    box = np.minimum((sure * 10).astype(int), 9)
    off = [
        abs(float((best[box == k] == true[box == k]).mean()) - float(sure[box == k].mean()))
        * float((box == k).mean())
        for k in range(10)
        if (box == k).any()
    ]
    numbers["calibration_error"] = sum(off)
    return {k: round(v, 4) for k, v in numbers.items()}
