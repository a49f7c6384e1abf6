"""For mypy: a recipe's `vdf: VDF` names a DataType instance, and inside it is a Dataset."""

from __future__ import annotations

from collections.abc import Callable

from mypy.nodes import MypyFile
from mypy.plugin import AnalyzeTypeContext, Plugin
from mypy.types import Type

DATASET = "xarray.core.dataset.Dataset"
HOMES = (
    "sciqlop_pipe.datatypes.",
    # DataTypes of a mission's own.
    "sciqlop_missions.mms.feeps_products.Eyes",
)


def as_dataset(context: AnalyzeTypeContext) -> Type:
    return context.api.named_type(DATASET, [])


class DataTypePlugin(Plugin):
    def get_type_analyze_hook(self, fullname: str) -> Callable[[AnalyzeTypeContext], Type] | None:
        return as_dataset if fullname.startswith(HOMES) else None

    def get_additional_deps(self, file: MypyFile) -> list[tuple[int, str, int]]:
        """Without this mypy may not have read xarray when it meets the first recipe."""
        return [(10, DATASET.rpartition(".")[0], -1)] if file.fullname + "." in HOMES else []


def plugin(version: str) -> type[Plugin]:
    return DataTypePlugin
