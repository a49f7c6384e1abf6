"""The two files of a trained model, of any kind: what is read from them, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import PipeError

MODEL_FILE, CARD_FILE = "model.skops", "card.json"


class ModelError(PipeError):
    """A trained model that cannot be used: foreign, damaged or of another version."""


def read_card(folder: Path) -> dict[str, Any]:
    """Return what a card says, after checking that it is one.

    Raises
    ------
    ModelError
        When a file is missing, or the card is none.
    """
    for name in (CARD_FILE, MODEL_FILE):
        if not (folder / name).is_file():
            raise ModelError(f"there is no {name}", str(folder), "A model is a folder with "
                             f"{MODEL_FILE} and {CARD_FILE}; pickles are not read")  # fmt: skip
    try:
        facts = json.loads((folder / CARD_FILE).read_text())
    except ValueError as error:
        raise ModelError(f"{CARD_FILE} is not JSON ({error})", str(folder)) from error
    needed = {"name", "training", "metrics", "command", "sklearn", "content", "reference"}
    if not isinstance(facts, dict) or not needed <= set(facts):
        raise ModelError(f"{CARD_FILE} is not the card of a model", str(folder))
    return facts


def read_pipelines(folder: Path) -> dict[str, Any]:
    """Return the pipelines of a model by name, made of trusted types only.

    Raises
    ------
    ModelError
        When the file is none of ours, or holds types that could run code.
    """
    found = _read(folder, "Only StandardScaler and LogisticRegression are")
    if type(found) is not dict or not all(type(k) is str for k in found):
        raise ModelError("not a set of named pipelines", str(folder / MODEL_FILE))
    return found


def read_arrays(folder: Path) -> Mapping[str, NDArray[Any]]:
    """Return the arrays of a model that holds nothing else.

    Raises
    ------
    ModelError
        When the file is none of ours, or holds anything but arrays.
    """
    found = _read(folder, "Only arrays are")
    if type(found) is not dict or not all(type(v) is np.ndarray for v in found.values()):
        raise ModelError("not a set of named arrays", str(folder / MODEL_FILE))
    return found


def _read(folder: Path, allowed: str) -> Any:
    """Return what the file holds; nothing in it can run code."""
    path, io = folder / MODEL_FILE, skops_io()
    try:
        strange = io.get_untrusted_types(file=path)
        found = None if strange else io.load(path, trusted=[])
    except Exception as error:
        raise ModelError(
            f"not a skops file ({type(error).__name__}: {error})", str(path),
            "Pickles and other formats are not read",
        ) from error  # fmt: skip
    if strange:
        raise ModelError(
            f"the model holds types that are not allowed: {', '.join(strange)}", str(path), allowed
        )
    return found


def skops_io() -> Any:
    """Return the module that reads and writes models.

    Raises
    ------
    ModelError
        Where it is not installed.
    """
    try:
        import skops.io
    except ImportError as error:
        raise ModelError(
            "scikit-learn and skops are needed for trained models", "",
            "Install them: pip install 'sciqlop-pipe[detect]'",
        ) from error  # fmt: skip
    return skops.io
