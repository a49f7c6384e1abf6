"""Regions at the door: labelled windows in, a model or its scores out."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UsageError
from ...store import Store
from ..evaluation.points import Classified, score_points
from ..evaluation.report import Evaluation
from ..model_files import ModelError
from ..models import load_model, save_model
from ..promoted import shipped
from . import plasma_regions as six
from .door import Asked, checked_split, one_thread
from .stretches import with_measurements
from .verdicts import Said
from .windows import CLASSES, Windows, read_windows


class RegionLearner:
    """The six plasma regions, from windows of ion spectra and field."""

    name = "regions"
    model = six.NAME
    splits: tuple[str, ...] = ("pass", "day", "year", "group", "block")

    def listen(self, store: Store, dataset: str, said: Sequence[Said]) -> tuple[Said, ...]:
        """Return the verdicts that name a region, with what was measured there."""
        return with_measurements(store, dataset, said)

    @one_thread()
    def train(self, asked: Asked, out: Path) -> Evaluation:
        """Return how a model does on passes it has not seen, after writing it to a folder."""
        windows = self._windows(asked)
        pipelines, card, seen = six.train(
            windows, said=asked.said, seed=asked.seed, command=asked.command
        )
        rows = six.reference_rows(windows, asked.seed)
        model = save_model(out, pipelines, six.VARIANTS, CLASSES, card, rows, seen)
        about = self._about(asked, windows) | {
            "model": model.content, "protocol": card.metrics["split"]["protocol"],
            "scaled": card.metrics["scaled"],
        }  # fmt: skip
        return Evaluation("regions", about, card.metrics["field"], summary=_summary(
            card.metrics["field"], card.metrics["scaled"]))  # fmt: skip

    @one_thread()
    def evaluate(self, asked: Asked) -> Evaluation:
        """Return how a model does on labelled windows."""
        windows = self._windows(asked)
        about = self._about(asked, windows)
        notes = []
        if asked.validate:
            six.refuse_absent(windows)
            validated = six.cross_validate(windows, seed=asked.seed)
            scaled = {(n, b): c for (v, n, b), c in validated.windows.items() if v == "field"}
            about["protocol"] = f"each {windows.by} left out in turn, trained anew on the others"
        else:
            model = load_model(asked.model or shipped()[six.NAME])
            if model.classes != CLASSES:
                raise ModelError(
                    f"the model knows {', '.join(model.classes)}, windows have "
                    f"{', '.join(CLASSES)}", str(asked.model), "Train one on windows",
                )  # fmt: skip
            scaled = six.evaluate(model, windows)
            about |= {"model": model.content, "protocol": "a trained model on the windows given"}
            if windows.content in model.card.training:
                notes.append("The model was trained on these very windows: the numbers say nothing "
                             "of other days; use --cross-validate.")  # fmt: skip
        said = scaled[1.0, 1.0]
        absent = [c for k, c in enumerate(CLASSES) if not (windows.label == k).any()]
        if absent:
            notes.append(f"No window is of {', '.join(absent)}: means are over the others.")
        points = {name: score_points(part, seed=asked.seed) for name, classes in six.SETS.items()
                  if len((part := said.merged(classes)).label)}  # fmt: skip
        table = six.scaled_table(scaled)
        if asked.predictions:
            _write(asked.predictions, said)
        return Evaluation("regions", about | {"scaled": table}, points, notes=tuple(notes),
                          summary=_summary(points, table))  # fmt: skip

    def _windows(self, asked: Asked) -> Windows:
        if asked.split:
            checked_split(asked, self.splits)
        files = asked.inputs or asked.labels
        if not files:
            raise UsageError("there are no windows", "regions", "Give --input windows.npz")
        return read_windows(files, asked.split)

    def _about(self, asked: Asked, windows: Windows) -> dict[str, Any]:
        return {
            "inputs": [str(p) for p in asked.inputs or asked.labels],
            "windows": len(windows), "passes": len(np.unique(windows.group)),
            "passes told by": windows.how, "content": windows.content,
            "unit": f"a window of {windows.length} records, mean probability of its records",
        }  # fmt: skip


def _summary(points: Mapping[str, Mapping[str, Any]], scaled: Any) -> dict[str, Any]:
    """Return the numbers that the goals are about."""
    goals = (("macro_f1_5", "5 classes", "macro_f1"), ("macro_f1_6", "6 classes", "macro_f1"),
             ("accuracy_3", "3 regions", "accuracy"))  # fmt: skip
    found = {key: points[name][what] for key, name, what in goals if name in points}
    if "6 classes" in points:
        found["ece"] = points["6 classes"]["calibration"]["ece"]
    for key, name, what in goals:
        values = [row[name][what] for row in scaled if name in row]
        if values:
            found[f"{key}_worst_scaled"] = min(values)
    return found


def _write(path: Path, said: Classified) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["window", "group", "label", "said", *said.classes])
        names = (*said.classes, "")
        for k, p in enumerate(said.probability):
            writer.writerow([k, said.group[k], names[said.label[k]], names[said.guess[k]],
                             *(f"{x:.5f}" for x in p)])  # fmt: skip
