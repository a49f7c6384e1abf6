"""Making granules in processes of their own, whose death costs nothing but that granule."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cloudpickle

from .execute import lacks, run_bundle, without
from .store.records import Failure, Outcome
from .task import Bundle, Member


def run_isolated(bundle: Bundle) -> list[Outcome]:
    """Return the outcomes of a bundle whose worker died, each member made in a fresh process.

    What a member needs of its bundle is made again in front of it, in memory only. The death of
    a process is recorded as the failure of the one member it was for.
    """
    outcomes: list[Outcome] = []
    failed: set[str] = set()
    for index, member in enumerate(bundle.members):
        outcome: Outcome
        if lacking := lacks(member, failed):
            outcome = Failure(member.granule, "blocked", lacking)
        else:
            *earlier, member = (without(m, failed) for m in bundle.members[: index + 1])
            before = [replace(m, keep=False) for m in _needed(earlier, member)]
            outcome = _in_fresh_process(replace(bundle, members=(*before, member)))
        if isinstance(outcome, Failure):
            failed.add(member.dataset.name)
        outcomes.append(outcome)
    return outcomes


def _needed(earlier: Sequence[Member], member: Member) -> list[Member]:
    wanted = {i.dataset for i in member.inputs if i.sibling}
    found: list[Member] = []
    for other in reversed(earlier):
        if other.dataset.name in wanted:
            found.insert(0, other)
            wanted |= {i.dataset for i in other.inputs if i.sibling}
    return found


def _in_fresh_process(bundle: Bundle) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="sciqlop-pipe-") as folder:
        ask, answer = Path(folder) / "bundle", Path(folder) / "outcomes"
        ask.write_bytes(cloudpickle.dumps(bundle))
        done = subprocess.run(
            [sys.executable, "-m", "sciqlop_pipe.isolated", str(ask), str(answer)],
            capture_output=True,
            text=True,
            check=False,
            # A mission may come from a folder that only this process knows.
            env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        if done.returncode == 0 and answer.exists():
            outcomes: list[Outcome] = cloudpickle.loads(answer.read_bytes())
            return outcomes[-1]
    return Failure(
        bundle.members[-1].granule,
        "failed",
        f"the process that made it died ({_death(done.returncode)})",
        done.stderr[-4000:],
    )


def _death(code: int) -> str:
    try:
        return signal.Signals(-code).name if code < 0 else f"exit status {code}"
    except ValueError:
        return f"signal {-code}"


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(
        cloudpickle.dumps(run_bundle(cloudpickle.loads(Path(sys.argv[1]).read_bytes())))
    )
