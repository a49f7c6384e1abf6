"""File names of Double Star TC-1 in the Cluster Science Archive, which calls it D1."""

from __future__ import annotations


def pattern(dataset: str) -> str:
    """Return the file name of a dataset: start, stop and version."""
    span = "{start:%Y%m%d_%H%M%S}_{stop:%Y%m%d_%H%M%S}"
    return f"{dataset}__{span}_V{{version}}.cdf"
