"""Train the region model on many simulated orbits and write it as a folder.

::

    python -m sciqlop_missions.sim.train --out FOLDER

States are the truth of the simulation, randomised (`sciqlop_pipe.detect.training`): no instrument
is simulated, which would only teach the model that instrument. The card says how well crossings are
found on orbits and in climates that were not trained on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sciqlop_pipe.detect.crossings import KINDS, boundary_crossings
from sciqlop_pipe.detect.models import REGIONS, Card, RegionModel, from_pipelines, save_model
from sciqlop_pipe.detect.regions import region_labels
from sciqlop_pipe.detect.scoring import Point, Score, points, score
from sciqlop_pipe.detect.training import (
    VARIANTS,
    LabelledStates,
    Randomisation,
    randomised,
    reflection,
    train_regions,
)
from sciqlop_pipe.granule import DAY, HOUR, MINUTE, Interval, instant

from .boundaries import REGIONS as OWN_REGIONS
from .boundaries import SOLAR_WIND, crossings
from .instrument import clock
from .orbit import Orbit
from .physics import Plasma, plasma
from .vectors import length
from .wind import World

START = instant("2030-02-01")
TEST_SEEDS = (9001, 9002, 9003, 9004)
"""Orbits that events are scored on; training uses small seeds."""

CADENCE = 4_500_000_000
_RELATIVE_NOISE = 0.03  # of n, T along each axis, |B|
_VELOCITY_NOISE = 6.0  # km/s


def various_world(seed: int) -> World:
    """Return a world of its own climate and orbit, which may reach the flanks.

    Parameters
    ----------
    seed : int
        Decides everything.
    """
    rng = np.random.default_rng([seed, 99])
    orbit = Orbit(
        perigee=rng.uniform(1.3, 3.0),
        apogee=rng.uniform(13.0, 30.0),
        inclination=rng.uniform(5.0, 50.0),
        apogee_longitude=rng.uniform(-120.0, 120.0),
        perigee_hours=rng.uniform(-20.0, 0.0),
    )
    return World(
        seed=seed,
        orbit=orbit,
        motion=rng.uniform(0.1, 0.6),
        turbulence=rng.uniform(0.5, 2.5),
        density=10 ** rng.uniform(0.2, 1.3),
        speed=rng.uniform(320.0, 700.0),
        temperature=10 ** rng.uniform(0.9, 1.9),
        magnetic_field=10 ** rng.uniform(0.3, 1.1),
    )


def labelled_states(seed: int, days: float = 6.0, step: int = 3 * MINUTE) -> LabelledStates:
    """Return the states of one simulated orbit with their regions.

    Parameters
    ----------
    seed : int
        Of `various_world`; also the number of the group.
    days : float
        How long.
    step : int
        Time between states [ns].
    """
    time = START + np.arange(0, round(days * DAY), step, dtype=np.int64)
    p = plasma(various_world(seed), time)
    return LabelledStates(
        p.density, length(p.velocity), p.parallel, p.perpendicular, length(p.magnetic_field),
        _region(p), np.full(time.size, seed),
    )  # fmt: skip


def _region(p: Plasma) -> NDArray[np.int64]:
    """Return the number that a region has in the model, for each time."""
    number = np.array([REGIONS.index(name) for name in OWN_REGIONS])
    return number[p.region]


def plasma_state_of(
    world: World, interval: Interval, *, field: bool = True, reflected: float = 0.0
) -> xr.Dataset:
    """Return the PlasmaState that good moments would give, with a little noise, (time).

    Parameters
    ----------
    world : World
        What is simulated.
    interval : Interval
        When.
    field : bool
        Whether there is a magnetometer.
    reflected : float
        Typical share of reflected ions in a foreshock, which fills about half of the solar wind.
    """
    time = clock(interval.start, interval.stop, CADENCE)
    p = _foreshock(world, plasma(world, time), reflected)
    rng = np.random.default_rng([world.seed, 7])
    principal = np.stack([p.parallel, p.perpendicular, p.perpendicular])
    principal *= 1 + _RELATIVE_NOISE * rng.normal(size=principal.shape)
    velocity = p.velocity + _VELOCITY_NOISE * rng.normal(size=p.velocity.shape)
    strength = length(p.magnetic_field) * (1 + _RELATIVE_NOISE * rng.normal(size=time.size))
    density = p.density * (1 + _RELATIVE_NOISE * rng.normal(size=time.size))
    values = {
        "density": (density, "cm^-3"),
        "speed": (length(velocity), "km s^-1"),
        "temperature": (principal.mean(axis=0), "eV"),
        "core_temperature": (principal.min(axis=0), "eV"),
        "magnetic_field": (strength if field else np.full(time.size, np.nan), "nT"),
    }
    state = xr.Dataset(coords={"time": time.astype("datetime64[ns]"), "component": ["x", "y", "z"]})
    for name, (x, units) in values.items():
        state[name] = ("time", x.astype(np.float32), {"units": units, "long_name": name})
    state["velocity"] = (("time", "component"), velocity.astype(np.float32),
                         {"units": "km s^-1", "long_name": "velocity", "frame": "GSE"})  # fmt: skip
    return state


def _foreshock(world: World, p: Plasma, reflected: float) -> Plasma:
    """Return the truth with a foreshock in episodes, gusty within 20 s to 5 min, and waves in n."""
    present = np.clip(world.process("foreshock", p.time, 1_200, 20_000) / 0.3, 0, 1)
    present = present * (p.region == SOLAR_WIND)
    gusts = np.exp(0.8 * world.process("reflection", p.time, 20, 300))
    share = np.minimum(reflected * present * gusts, 0.2)
    speed = length(p.velocity)
    slower, along, across = reflection(speed, share, 1.9 * speed, 0.15)
    waves = np.exp(4 * share * world.process("steepened waves", p.time, 15, 120))
    return replace(
        p,
        density=p.density * waves / (1 - share),
        velocity=p.velocity * (slower / speed)[:, None],
        parallel=p.parallel + along,
        perpendicular=p.perpendicular + across,
    )


def scores(
    model: RegionModel,
    worlds: Sequence[World],
    days: int = 4,
    *,
    field: bool = True,
    reflected: float = 0.0,
) -> dict[str, Score]:
    """Return how well crossings are found in some worlds, per kind, within 60 s.

    Parameters
    ----------
    model : RegionModel
        Gives the labels.
    worlds : sequence of World
        Simulated for `days` each.
    field, reflected
        As in `plasma_state_of`.
    """
    found: list[Point] = []
    true: list[Point] = []
    for k, world in enumerate(worlds):
        interval = Interval(START, START + days * DAY)
        state = plasma_state_of(world, interval.padded(HOUR), field=field, reflected=reflected)
        labels = region_labels(state, model=model)
        events = boundary_crossings(labels, state, dataset="test", interval=interval)
        apart = k * 1000 * DAY  # worlds share no time
        found += [replace(p, time=p.time + apart) for p in points(events)]
        true += [Point(c.time + apart, c.kind, c.sense) for c in crossings(world, interval)]
    return {
        kind: score([p for p in found if p.kind == kind], [p for p in true if p.kind == kind])
        for kind in KINDS
    }


def shifted(world: World) -> World:
    """Return a world with twice the density, 120 km/s more speed and twice the temperature."""
    return replace(world, density=2 * world.density, speed=world.speed + 120,
                   temperature=2 * world.temperature)  # fmt: skip


def make(
    out: Path,
    *,
    orbits: int = 60,
    days: float = 6.0,
    seed: int = 0,
    score_days: int = 4,
    command: str = "",
) -> RegionModel:
    """Return a region model after training it, scoring it and writing it.

    Parameters
    ----------
    out : Path
        The folder to write.
    orbits : int
        How many worlds to train on.
    days : float
        How long each is.
    seed : int
        Of the randomisation.
    score_days : int
        How long each world is that crossings are scored in.
    command : str
        What the card says made it.
    """
    import sklearn

    states = LabelledStates.joined([labelled_states(s, days) for s in range(orbits)])
    trained = train_regions(states, seed=seed)
    card = Card(
        "regions",
        f"{len(states)} states of {orbits} simulated orbits in as many climates, randomised; "
        "truth of the simulation, no instrument",
        {},
        command,
        sklearn.__version__,
    )
    bare = from_pipelines(trained.pipelines, VARIANTS, REGIONS, card)
    found = _all_scores(bare, score_days)
    metrics = {"unseen_orbits": dict(trained.metrics), "crossings_within_60_s": found}
    card = replace(card, metrics=metrics)
    return save_model(
        out, trained.pipelines, VARIANTS, REGIONS, card, reference_rows(bare, states, seed),
        trained.seen,
    )  # fmt: skip


def _all_scores(model: RegionModel, days: int) -> dict[str, Any]:
    normal = [World(seed=s) for s in TEST_SEEDS]
    moved = [shifted(w) for w in normal]
    various = [various_world(s) for s in TEST_SEEDS]
    cases = {
        "normal": scores(model, normal, days),
        "normal, no field": scores(model, normal, days, field=False),
        "strong foreshocks, no field": scores(model, normal, days, field=False, reflected=0.05),
        "n x2, V +120 km/s, T x2": scores(model, moved, days),
        "other climates and orbits": scores(model, various, days),
    }
    return {name: {k: s.as_numbers() for k, s in case.items()} for name, case in cases.items()}


def reference_rows(model: RegionModel, states: LabelledStates, seed: int) -> NDArray[np.float64]:
    """Return rows of features that use every variant of a model, (row, feature).

    Parameters
    ----------
    model : RegionModel
        Gives the order of the features.
    states : LabelledStates
        Where rows are taken from.
    seed : int
        Which.
    """
    rng = np.random.default_rng([seed, 1])
    matrix = model.matrix(randomised(states, Randomisation(copies=1), rng).state)
    rows = matrix[rng.choice(len(matrix), 12, replace=False)].round(4)
    unknown = {"core_field": (), "core": ("log_field", "log_beta"), "field": ("log_core_mach",),
               "plain": ("log_field", "log_beta", "log_core_mach")}  # fmt: skip
    for k, lacking in enumerate(unknown.values()):
        rows[k::4, [model.features.index(f) for f in lacking]] = np.nan
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    """Train, and print what the card says."""
    parser = argparse.ArgumentParser(
        prog="python -m sciqlop_missions.sim.train", description=__doc__
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write the model to")
    parser.add_argument("--orbits", type=int, default=60)
    parser.add_argument("--days", type=float, default=6.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--score-days", type=int, default=4)
    asked = parser.parse_args(argv)
    command = (
        "python -m sciqlop_missions.sim.train "
        f"--orbits {asked.orbits} --days {asked.days:g} --seed {asked.seed}"
    )
    model = make(
        asked.out,
        orbits=asked.orbits,
        days=asked.days,
        seed=asked.seed,
        score_days=asked.score_days,
        command=command,
    )
    for part, numbers in model.card.metrics.items():
        print(part)
        for case, values in numbers.items():
            print(f"  {case}: {values}")
    print(f"content {model.content}")


if __name__ == "__main__":
    main()
