"""The accuracy table as a page of the documentation and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .cases import RESOLVED, Case
from .off import Off

COMMAND = "python -m benchmarks.accuracy"

HEAD = f"""# Accuracy

How far every particle product is from the truth, made by one command:

    {COMMAND}

Analytic plasmas (drifting bi-Maxwellians and bi-kappas) are seen through the tables of real
instruments: each bin is the phase-space average of f over its width in energy, azimuth and
colatitude. The truth is that of the same plasma within the energies and the field of view of
the instrument, by quadrature that shares nothing with the kernels. No noise, no background.
Numbers are **percent of what the third column says**, the largest over all plasmas that the
instrument resolves; a target that is missed is in **bold**. The same numbers for each plasma
are in `accuracy.json`.
"""

WORDS = f"""## What the numbers say

* **Resolved** means that the widest bin at the plasma's peak is at most {RESOLVED} thermal
  standard deviations across. Beyond that no sum over bins knows what the plasma does inside
  them: n is still right, V is off by part of a thermal speed, and T and Q are the instrument's,
  not the plasma's. That is the second table, the cold solar wind. Statistical errors do not say
  this; the width does.
* **Moments** take the mean of powers of speed and direction over each bin, so that smooth
  plasmas are integrated exactly (`scheme` in their attributes). Kappa tails are cut where the
  table ends, in the truth as well.
* **Energy edges**: the truth uses the same edges as the recipes (geometric means, or the
  instrument's own where its files give them). That choice, not arithmetic, is what remains in
  real data: about 1 % of n.
* **Pitch angles, reduced distributions**: f is taken as constant within a bin, so where the
  plasma is steep across a direction of 11 or 22 degrees, values differ from those of the plasma
  by what the table says. Densities are kept all the same. Planes in cells much finer than the
  bins show the pattern of these bins: hot plasmas, whose bins are wide in velocity, most of
  all.
* **Angles, their spectra, cuts**: the same. Colatitudes of FPI are its own rows; other bins cut
  through directions. Partial moments give whole directions to a cone: n of a cone knows its edge
  to a bin, and cones together are the whole.
* **Turned distributions** keep n; the shape of a bin askew is that of a box, which costs V and T.
* **Moved to bulk, rebinned to field**: eight points per cell look up bins. The 0.5 % that these
  recipes aim at for Maxwellians on FPI and ESA tables **is missed**, by up to a factor of two.
  Cells are means of what was measured in them, so that electrons below the lowest energy of DES
  are made up for: their n is above that of what was seen. The energies of the instrument are
  used around V as well: where all of them are far above the temperature (PAS, 200 eV and more for
  10 to 45 eV; cold wind) the plasma is one bin, and neither these distributions nor spectra and
  pitch angles in the plasma's frame say anything about its shape or even its density.
* **Cubes** (64 cells, as large as |V| + 6 standard deviations) have T wider by the bins' own width
  and by the clouds'; the last line is without the latter. Use `moments` for T.
* **Non-Maxwellianity, agyrotropy**: differences to the integrals and tensors themselves, not
  ratios. For Maxwellians the truth is 0 and the number is the floor without counting noise.
  Of PAS, whose view cuts the quadrature's cells, the truth itself is known to half a percent.
* **Moment errors** are compared with the scatter of 300 countings, which itself is known to 4 %
  for each of the five numbers.
"""


@dataclass(frozen=True)
class Result:
    """What was found of one case."""

    instrument: str
    plasma: str
    resolved: bool
    width: float
    offs: tuple[Off, ...]

    @classmethod
    def of(cls, case: Case, offs: Sequence[Off]) -> Result:
        """Return the result of a case."""
        width = round(case.width, 2)
        return cls(case.instrument.name, case.plasma_name, case.resolved, width, tuple(offs))


def page(results: Sequence[Result], sources: dict[str, str]) -> str:
    """Return the page, in Markdown."""
    good, bad = ([r for r in results if r.resolved is k] for k in (True, False))
    tables = [f"- **{name}**: {source}" for name, source in sources.items()]
    return "\n".join([
        HEAD, "Tables of energies and angles:\n", *tables, "",
        "## Plasmas that are resolved", "", _matrix(good, marked=True), "", _plasmas(good), "",
        "## Plasmas that are not", "", _matrix(bad, marked=False), "", _plasmas(bad), "", WORDS,
    ])  # fmt: skip


def write(results: Sequence[Result], sources: dict[str, str], folder: Path) -> None:
    """Write `accuracy.md` and `accuracy.json` into a folder."""
    (folder / "accuracy.md").write_text(page(results, sources))
    found = {"command": COMMAND, "sources": sources, "results": [asdict(r) for r in results]}
    text = json.dumps(found, indent=1, default=float)
    (folder / "accuracy.json").write_text(text + "\n")


def worst(results: Sequence[Result]) -> dict[tuple[str, str], dict[str, Off]]:
    """Return the largest deviation per product and quantity, by instrument."""
    found: dict[tuple[str, str], dict[str, Off]] = {}
    for result in results:
        for off in result.offs:
            row = found.setdefault((off.product, off.quantity), {})
            if result.instrument not in row or row[result.instrument].percent < off.percent:
                row[result.instrument] = off
    return found


def _matrix(results: Sequence[Result], *, marked: bool) -> str:
    names = list(dict.fromkeys(r.instrument for r in results))
    lines = ["| product | | percent of | target | " + " | ".join(names) + " |",
             "|---|---|---|---|" + "---|" * len(names)]  # fmt: skip
    before = ""
    for (product, quantity), row in worst(results).items():
        some = next((o for o in row.values() if o.target is not None), next(iter(row.values())))
        cells = [_cell(row.get(n), marked=marked) for n in names]
        target = f"{some.target:g}" if marked and some.target is not None else ""
        first = product if product != before else ""
        before = product
        lines.append(f"| {first} | {quantity} | {some.of} | {target} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(off: Off | None, *, marked: bool) -> str:
    if off is None:
        return ""
    text = "< 0.001" if off.percent < 5e-4 else f"{off.percent:.2g}" if off.percent < 10 else (
        f"{off.percent:.0f}")  # fmt: skip
    missed = marked and off.target is not None and off.percent > off.target
    return f"**{text}**" if missed else text


def _plasmas(results: Sequence[Result]) -> str:
    said: dict[str, list[str]] = {}
    for r in results:
        said.setdefault(r.instrument, []).append(f"{r.plasma} ({r.width:g})")
    listed = "; ".join(f"{name}: {', '.join(p)}" for name, p in said.items())
    return f"Plasmas (width of the bins in thermal standard deviations): {listed}."
