"""Any trained model in a folder, whatever its kind."""

from __future__ import annotations

from pathlib import Path

from .icme_model import KIND, IcmeModel, load_icme_model
from .models import RegionModel, load_model, read_card

Trained = RegionModel | IcmeModel


def load_trained(folder: Path) -> Trained:
    """Return the model of a folder; its card says which kind it is.

    Raises
    ------
    ModelError
        When it cannot be trusted.
    """
    return load_icme_model(folder) if read_card(folder).get("kind") == KIND else load_model(folder)
