"""Speed of the detectors by rule, and what they find: python -m benchmarks.detectors.

Speed: CPU microseconds per second of data, the least of the repeats, on a day (fast fields: an
hour) of turbulence with events in it, descriptions included. Recall and precision: made
events over the ranges that the tables name, in turbulence, against the truth; `--cases` says how
many of each.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from sciqlop_pipe.detect.exhausts import reconnection_exhausts
from sciqlop_pipe.detect.flows import bursty_bulk_flows, high_speed_streams, magnetopause_flows
from sciqlop_pipe.detect.jets import magnetosheath_jets, magnetosheath_jets_local
from sciqlop_pipe.detect.novelty import unusual_plasma
from sciqlop_pipe.detect.ropes import flux_ropes
from sciqlop_pipe.detect.sheets import current_sheets, discontinuities
from sciqlop_pipe.detect.shocks import interplanetary_shocks
from sciqlop_pipe.detect.slams import slams
from sciqlop_pipe.detect.tail import dipolarization_fronts, dipolarizations
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.model import Recipe
from sciqlop_pipe.recipes.plasma_state import plasma_state
from sciqlop_pipe.store.records import Event
from tests.detect import test_jets as sheath
from tests.detect import test_other_rules as others
from tests.detect import test_sheets as sheets
from tests.detect import test_tail as tail
from tests.detect.shock_series import order, seconds, sides, wind

DAYS = Interval.of("2020-01-01T12:00", "2020-01-31T12:00")


@dataclass
class Tally:
    """How many were true, found and right, and how far off in time [s]."""

    true: int = 0
    hits: int = 0
    false: int = 0
    off: tuple[float, ...] = ()

    def add(self, events: Sequence[Event], true: Iterable[float], tolerance: float) -> None:
        """Count events against true times [s from the start]."""
        at = [seconds(str(dict(e.attributes)["time"])) for e in events]
        left = set(range(len(at)))
        for when in true:
            self.true += 1
            near = sorted((abs(at[i] - when), i) for i in left if abs(at[i] - when) <= tolerance)
            if near:
                left.discard(near[0][1])
                self.hits, self.off = self.hits + 1, (*self.off, near[0][0])
        self.false += len(left)

    @property
    def row(self) -> str:
        """Return true, recall, false, precision, median of the timing error, as cells."""
        found = self.hits + self.false
        off = f"{np.median(self.off):.2g}" if self.off else ""
        return (f"{self.true} | {self.hits / max(self.true, 1):.2f} | {self.false} | "
                f"{self.hits / max(found, 1):.2f} | {off}")  # fmt: skip


def run(recipe: Recipe, *inputs: xr.Dataset | None) -> tuple[Event, ...]:
    """Return the events of a month of inputs."""
    found: tuple[Event, ...] = recipe(*inputs, dataset="bench", interval=DAYS)
    return found


def is_shock(states: Sequence) -> bool:
    """Tell whether the jumps of a made shock fulfil the definition."""
    (n_u, v_u, _, b_u), (n_d, v_d, _, b_d) = states
    speeds = np.linalg.norm(v_u), np.linalg.norm(v_d)
    return bool(n_d / n_u >= 1.2 and np.linalg.norm(b_d) / np.linalg.norm(b_u) >= 1.2
                and abs(speeds[0] - speeds[1]) >= 20)  # fmt: skip


def shocks(cases: int, noise: float, plasma: float, field: float,
           mach: tuple[float, float] = (1.2, 6.0),
           theta: tuple[float, float] = (5.0, 88.0)) -> Tally:  # fmt: skip
    """Return how many made shocks are found, those alone that are some by the definition."""
    rng, tally = np.random.default_rng(7), Tally()
    seed = 0
    while tally.true < cases:
        seed += 1
        forward = bool(seed % 2)
        numbers = rng.uniform(*mach), rng.uniform(*theta), rng.uniform(0.3, 2)
        try:
            states, _, _ = sides(*numbers, forward, seed)
        except IndexError:  # slower than the fast wave: there is no such shock
            continue
        if is_shock(states):
            at = 7200 + rng.uniform(-60, 60)
            made = wind([(at, order(states, forward))], noise=noise, plasma=plasma, field=field,
                        seed=seed)  # fmt: skip
            tally.add(run(interplanetary_shocks, *made), [at], 120)
    return tally


def many(cases: int, make: Callable[[np.random.Generator, int], tuple[Recipe, Sequence]],
         when: float, tolerance: float) -> Tally:  # fmt: skip
    """Return how many made events of another kind are found; each has one at a time [s]."""
    rng, tally = np.random.default_rng(7), Tally()
    for seed in range(cases):
        recipe, inputs = make(rng, seed)
        tally.add(run(recipe, *inputs), [when], tolerance)
    return tally


def skill(cases: int) -> None:
    """Print recall and precision."""
    print("| interplanetary shocks | true | recall | false | precision | timing [s] |")
    print("|---|---|---|---|---|---|")
    for noise in (0.05, 0.1, 0.2):
        for plasma, field in ((60.0, 3.0), (92.0, 92.0)):
            tally = shocks(cases, noise, plasma, field)
            print(f"| dB/B {noise:g}, plasma {plasma:g} s, field {field:g} s | {tally.row} |")
    for low, high in ((1.2, 2.0), (2.0, 3.0), (3.0, 6.0)):
        print(f"| dB/B 0.1, Mach {low:g} to {high:g} | "
              f"{shocks(cases // 2, 0.1, 60.0, 3.0, mach=(low, high)).row} |")  # fmt: skip
    for a, z in ((5, 30), (30, 60), (60, 88)):
        print(f"| dB/B 0.1, theta_Bn {a} to {z} | "
              f"{shocks(cases // 2, 0.1, 60.0, 3.0, theta=(a, z)).row} |")  # fmt: skip
    print(
        "\n| others | true | recall | false | precision | timing [s] |\n|---|---|---|---|---|---|"
    )
    for words, make, when, tolerance in OTHERS:
        print(f"| {words} | {many(cases, make, when, tolerance).row} |")


def _jets(rng: np.random.Generator, seed: int) -> tuple[Recipe, Sequence]:
    jet = (1800.0, rng.uniform(6, 30), rng.uniform(-400, -260))
    return magnetosheath_jets, (sheath.sheath((jet,), seed=seed), sheath.WIND)


def _local(rng: np.random.Generator, seed: int) -> tuple[Recipe, Sequence]:
    jet = (1800.0, rng.uniform(6, 30), rng.uniform(-400, -260))
    state = plasma_state(sheath.sheath((jet,), seed=seed))
    return magnetosheath_jets_local, (state, sheath.labels(state))


def _fronts(rng: np.random.Generator, seed: int) -> tuple[Recipe, Sequence]:
    front = (900.0, rng.uniform(5, 20), rng.uniform(1, 7))
    return dipolarization_fronts, (tail.field((front,), seed=seed), tail.ions(seed=seed))


def _exhausts(rng: np.random.Generator, seed: int) -> tuple[Recipe, Sequence]:
    how = {"jet": rng.uniform(0.6, 1.0), "half": rng.uniform(20, 200), "noise": 0.1, "seed": seed}
    return reconnection_exhausts, sheets.exhaust(**how)


def _ropes(rng: np.random.Generator, seed: int) -> tuple[Recipe, Sequence]:
    return flux_ropes, (sheets.rope(half=rng.uniform(6, 140), noise=0.3, seed=seed),)


def _turns(rng: np.random.Generator, seed: int) -> tuple[Recipe, Sequence]:
    return discontinuities, (sheets.turning(width=rng.uniform(0.5, 20), noise=0.5, seed=seed),)


OTHERS = (
    ("jets: 260 to 400 km/s, 6 to 30 s", _jets, 1800.0, 40.0),
    ("the same, against the sheath", _local, 1800.0, 40.0),
    ("fronts: 5 to 20 nT, 1 to 7 s, 0.5 nT of noise", _fronts, 900.0, 3.0),
    ("exhausts: 0.6 to 1 V_A, 40 to 400 s, dB/B 0.1", _exhausts, 1800.0, 60.0),
    ("ropes: 12 to 280 s", _ropes, 1800.0, 40.0),
    ("discontinuities: 1 to 40 s, dB/B 0.1", _turns, 1800.0, 10.0),
)


def speed(repeats: int) -> None:
    """Print how long each detector takes."""
    day = wind([(7200.0, order(sides(3.0, 60.0, 0.8, True, 3)[0], True))], hours=24.0)
    slow = sheath.sheath(hours=24.0)
    state = plasma_state(slow)
    labels = sheath.labels(state)
    b3 = wind([], hours=24.0)[1]
    fast = others.foreshock(step=0.0625)
    gsm = tail.field(step=0.0625)
    ions, b1 = sheets.exhaust()
    cases: tuple[tuple[Recipe, Sequence, float], ...] = (
        (interplanetary_shocks, day, 86400),
        (magnetosheath_jets, (slow, sheath.WIND), 86400),
        (magnetosheath_jets_local, (state, labels), 86400),
        (magnetopause_flows, (state, labels), 86400),
        (bursty_bulk_flows, (slow,), 86400),
        (unusual_plasma, (state,), 86400),
        (high_speed_streams, (others.wind_speed(days=365),), 365 * 86400),
        (discontinuities, (b3,), 86400),
        (dipolarization_fronts, (gsm,), 1800),
        (dipolarizations, (gsm,), 1800),
        (slams, (fast,), 7200),
        (current_sheets, (fast,), 7200),
        (flux_ropes, (fast,), 7200),
        (reconnection_exhausts, (ions, b1), 3600),
    )
    print("\n| detector | records | us per s of data | a year [min] | records per s |")
    print("|---|---|---|---|---|")
    for recipe, inputs, length in cases:
        run(recipe, *inputs)  # compiles
        best = np.inf
        for _ in range(repeats):
            before = time.process_time()
            run(recipe, *inputs)
            best = min(best, time.process_time() - before)
        records = max(i.sizes["time"] for i in inputs)
        year = best / length * 365.25 * 86400 / 60
        print(f"| {recipe.name} | {records} | {best / length * 1e6:.2f} | {year:.1f} | "
              f"{records / best:,.0f} |")  # fmt: skip


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--cases", type=int, default=100)
    words.add_argument("--repeats", type=int, default=3)
    asked = words.parse_args()
    skill(asked.cases)
    speed(asked.repeats)
