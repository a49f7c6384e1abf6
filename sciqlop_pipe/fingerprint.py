"""Hashes that say whether a granule would come out the same: equal fingerprint, nothing to do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from .granule import Granule
from .model import Dataset


def params_text(dataset: Dataset) -> str:
    """Return a dataset's params as they enter the fingerprint and the registry."""
    return json.dumps(dict(dataset.params), sort_keys=True)


def inputs_key(parts: Iterable[str]) -> str:
    """Return a short hash of everything a granule is made from, as far as a plan can know it.

    A part is a line made by `file_part`, `granule_part` or `model_part`; their order is irrelevant.
    """
    return hashlib.blake2b("\n".join(sorted(parts)).encode(), digest_size=10).hexdigest()


def file_part(token: str) -> str:
    """Return the line of a raw file, known by the token of its listing."""
    return f"file {token}"


def granule_part(argument: str, dataset: str, start: int, content: str) -> str:
    """Return the line of an input granule, known by the hash of its content."""
    return f"granule {argument} {dataset} {start} {content}"


def model_part(name: str, content: str) -> str:
    """Return the line of a trained model."""
    return f"model {name} {content}"


def fingerprint(dataset: Dataset, granule: Granule, digests: Iterable[tuple[str, ...]]) -> str:
    """Return the hash of dataset, bounds, code, params and the digests of what was really read.

    Parameters
    ----------
    dataset : Dataset
        What is made.
    granule : Granule
        Which piece of it.
    digests : iterable of tuples of str
        One per input: argument and digest of the slice read, or a file's checksum.
    """
    facts: list[Any] = [
        dataset.name,
        granule.interval.start,
        granule.interval.stop,
        dataset.code,
        params_text(dataset),
        sorted(digests),
    ]
    return hashlib.blake2b(json.dumps(facts).encode(), digest_size=16).hexdigest()
