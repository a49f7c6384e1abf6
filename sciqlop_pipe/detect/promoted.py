"""Which trained model a name stands for: the one promoted in a store, else the shipped one."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

from ..errors import UnknownName, near
from ..store import Store
from ..store.bucket import ObjectPath, upload
from .trained import load_trained

SHIPPED = Path(__file__).parent / "shipped"


def shipped() -> dict[str, Path]:
    """Return the folders of the models that come with the package, by name."""
    return {card.parent.name: card.parent for card in sorted(SHIPPED.glob("*/card.json"))}


def promoted_models(store: Store, names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return content hash and path in the store of the models that names stand for.

    A shipped model is promoted when it is first asked for, so that workers and later readers find
    exactly it in the store.

    Raises
    ------
    UnknownName
        When neither the store nor the package has a model of a name.
    """
    found = store.models()
    for name in set(names) - set(found):
        if name not in shipped():
            raise UnknownName(
                f"there is no trained model '{name}'",
                str(store.root),
                near(name, {*found, *shipped()}) or "'sciqlop-pipe model promote' adds one",
            )
        found[name] = promote(store, name, shipped()[name])
    return {name: found[name] for name in set(names)}


def folder_of(store: Store, name: str) -> Path:
    """Return the folder of the model that a name stands for, without promoting anything.

    Raises
    ------
    UnknownName
        When neither the store nor the package has one.
    """
    found = store.models()
    if name in found:
        return Path(str(store.root)) / found[name][1]
    if name not in shipped():
        todo = near(name, {*found, *shipped()}) or "Train one, or give --model"
        raise UnknownName(f"there is no trained model '{name}'", str(store.root), todo)
    return shipped()[name]


def promote(store: Store, name: str, folder: Path) -> tuple[str, str]:
    """Make a model the one its name stands for; return its content hash and path in the store.

    Granules made with another model become stale for the reason "model"; nothing is recomputed
    until a campaign says so.

    Raises
    ------
    ModelError
        When the folder does not hold a model that can be trusted.
    """
    content = load_trained(folder).content
    path = f"models/{name}/{content[:16]}"
    target = store.root / path
    if isinstance(target, ObjectPath):
        upload(folder, target)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}-{uuid.uuid4().hex[:8]}")
        shutil.copytree(folder, part)
        try:
            part.rename(target)
        except OSError:  # somebody else was quicker, with the same content
            shutil.rmtree(part, ignore_errors=True)
    card = json.dumps(load_trained(folder).card.metrics)
    store.registry.promote(name, content, path, card)
    return content, path
