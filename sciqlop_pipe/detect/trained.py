"""Any trained model in a folder, whatever its kind."""

from __future__ import annotations

from pathlib import Path

from . import event_model, icme_model, rule_certainty
from .event_model import EventModel, load_event_model
from .icme_model import IcmeModel, load_icme_model
from .model_files import read_card
from .models import RegionModel, load_model
from .rule_certainty import RuleCertainty, load_certainty

Trained = RegionModel | IcmeModel | EventModel | RuleCertainty


def load_trained(folder: Path) -> Trained:
    """Return the model of a folder; its card says which kind it is.

    Raises
    ------
    ModelError
        When it cannot be trusted.
    """
    kind = read_card(folder).get("kind")
    if kind == icme_model.KIND:
        return load_icme_model(folder)
    if kind == rule_certainty.KIND:
        return load_certainty(folder)
    return load_event_model(folder) if kind == event_model.KIND else load_model(folder)


def content_hash(folder: Path) -> str:
    """Return the hash of what decides the answers of a stored model.

    It is of decoded numbers, not of bytes: writing the same model again keeps it, retraining to
    the same numbers too.

    Raises
    ------
    ModelError
        When it cannot be trusted.
    """
    return load_trained(folder).content
