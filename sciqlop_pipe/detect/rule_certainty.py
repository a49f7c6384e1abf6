"""How often the events of a rule are right, learned from a list: two numbers with a card."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED

import numpy as np

from .model_files import CARD_FILE, MODEL_FILE, ModelError, read_arrays, read_card, skops_io
from .models import Card

KIND = "certainty"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class RuleCertainty:
    """Log odds of being right over those of a score.

    Parameters
    ----------
    intercept, slope : float
        Of the line.
    card : Card
        Named after the dataset of events; its metrics hold the two numbers as `calibration`, where
        a catalog finds them.
    """

    intercept: float
    slope: float
    card: Card

    @property
    def content(self) -> str:
        """Return the hash of what decides its answers."""
        numbers = np.array([self.intercept, self.slope], "<f8").tobytes()
        name = f"{_FORMAT} {self.card.name}".encode()
        return hashlib.blake2b(name + numbers, digest_size=16).hexdigest()


def save_certainty(folder: Path, model: RuleCertainty) -> None:
    """Write a calibration as a folder (`model.skops`, `card.json`)."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {"certainty": np.array([model.intercept, model.slope])}
    skops_io().dump(numbers, folder / MODEL_FILE, compression=ZIP_DEFLATED, compresslevel=9)
    facts = asdict(model.card) | {
        "kind": KIND, "format": _FORMAT, "content": model.content, "reference": {},
    }  # fmt: skip
    (folder / CARD_FILE).write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n")


def load_certainty(folder: Path) -> RuleCertainty:
    """Return the calibration of a folder.

    Raises
    ------
    ModelError
        When it is of another kind or version, or holds anything but its numbers.
    """
    facts, where = read_card(folder), str(folder)
    if facts.get("kind") != KIND or facts.get("format") != _FORMAT:
        raise ModelError("this is no calibration of a rule's score", where, "Train it again")
    found = read_arrays(folder).get("certainty", np.zeros(0))
    if found.shape != (2,) or not np.isfinite(found).all():
        raise ModelError("the calibration has no two numbers", where, "Train it again")
    card = Card(*(facts[k] for k in ("name", "training", "metrics", "command", "sklearn")))
    model = RuleCertainty(float(found[0]), float(found[1]), card)
    told = card.metrics.get("calibration")
    if model.content != facts["content"] or told != {"intercept": model.intercept,
                                                     "slope": model.slope}:  # fmt: skip
        raise ModelError("the model is not the one its card describes", where, "Copy both again")
    return model
