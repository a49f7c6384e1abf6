"""Variables that came without a file: kept as one, and seen by adapters like a CDF."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SourceError
from .cdf_backends import Attribute, Contents, VariableInfo

SUFFIX = ".npz"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: values (record, ...) or (...), and its attributes as CDF names them.

    Times are datetime64[ns].
    """

    name: str
    values: np.ndarray
    attrs: Mapping[str, Attribute] = field(default_factory=dict)
    record_varying: bool = True


class TableBackend:
    """Variables in memory, as the reader of a CDF file gives them."""

    def __init__(
        self, variables: Sequence[Variable], global_attrs: Mapping[str, tuple[Attribute, ...]]
    ) -> None:
        self._values = {v.name: v.values for v in variables}
        infos = {v.name: _info(v) for v in variables}
        self.contents = Contents(infos, dict(global_attrs))

    def read(self, name: str) -> np.ndarray:
        """Return the values of a variable; times as TT2000."""
        values = self._values[name]
        if values.dtype.kind != "M":
            return values
        import pycdfpp

        stamps = pycdfpp.to_tt2000(np.ascontiguousarray(values, "M8[ns]").reshape(-1))
        ns: np.ndarray = np.asarray(stamps).view("i8").reshape(values.shape)
        return ns

    def take(self, name: str) -> np.ndarray:
        """Return a copy of the values of a variable."""
        return self.read(name).copy()

    def close(self) -> None:
        """Do nothing: the file was read when it was opened."""


def save(path: Path, variables: Sequence[Variable], global_attrs: Mapping[str, Any]) -> None:
    """Write variables as one file; equal variables give equal bytes."""
    facts = {
        "variables": [[v.name, dict(v.attrs), v.record_varying] for v in variables],
        "global": {k: list(v) for k, v in global_attrs.items()},
    }
    arrays = {f"v{i}": v.values for i, v in enumerate(variables)}
    with path.open("wb") as file:
        text = np.frombuffer(json.dumps(facts, sort_keys=True).encode(), "u1")
        np.savez(file, facts=text, **arrays)  # type: ignore[arg-type]


def load(path: Path) -> TableBackend:
    """Return the variables that `save` wrote.

    Raises
    ------
    SourceError
        The file is something else, or damaged: every member has a CRC-32.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            facts = json.loads(data["facts"].tobytes())
            variables = [
                Variable(name, data[f"v{i}"], {k: _plain(v) for k, v in attrs.items()}, varying)
                for i, (name, attrs, varying) in enumerate(facts["variables"])
            ]
            known = {k: tuple(v) for k, v in facts["global"].items()}
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError) as error:
        raise SourceError(
            f"damaged: no variables can be read from it ({error})", str(path), "Fetch it again"
        ) from error
    return TableBackend(variables, known)


def _plain(value: Any) -> Attribute:
    return tuple(value) if isinstance(value, list) else value


def _info(variable: Variable) -> VariableInfo:
    kinds: dict[str, Any] = {"M": "tt2000", "U": "text", "S": "text"}
    kind = kinds.get(variable.values.dtype.kind, "number")
    return VariableInfo(variable.name, kind, variable.record_varying, variable.attrs)
