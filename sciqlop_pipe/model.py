"""The vocabulary of the project: DataType, Recipe, Dataset, Mission. No I/O, no Dask.

Everything here is a frozen declaration. What the declarations mean together (order, type errors,
near names) is found out by `graph`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from .datatype import DataType
from .errors import GraphError, UnknownName, near
from .granule import GranuleLength
from .recipe import Input, Margin, Param, Recipe, Without, recipe

__all__ = [
    "Dataset",
    "Input",
    "Margin",
    "Mission",
    "Param",
    "Recipe",
    "Source",
    "Without",
    "product",
    "raw",
    "recipe",
]


@runtime_checkable
class Source(Protocol):
    """Where a raw dataset comes from: files in archives, found by name and read by an adapter."""

    @property
    def version(self) -> int:
        """Return the version of the adapter."""

    def candidates(self, listing: Any) -> tuple[Any, ...]:
        """Return the raw files of this source in a listing, sorted by start."""

    def extent(self, file: Any) -> Any:
        """Return the interval that a file may hold records of, judged by its name."""

    def read(self, files: Any, interval: Any, *, salvage: bool) -> Any:
        """Return what the files hold of the interval, and which of them contributed."""


@dataclass(frozen=True)
class Dataset:
    """One named node of the graph: raw (it has a source) or a product (recipe + named inputs)."""

    name: str
    gives: DataType
    granule: GranuleLength | None
    source: Source | None = None
    recipe: Recipe | None = None
    inputs: tuple[tuple[str, str], ...] = ()
    params: tuple[tuple[str, Any], ...] = ()
    model: str = ""
    transient: bool = False
    description: str = ""
    cadence: str = ""
    citation: str = ""
    memory: str = ""

    @property
    def is_raw(self) -> bool:
        """Tell whether this comes from files rather than from other datasets."""
        return self.source is not None

    @property
    def units(self) -> str:
        """Return the units of the main variable, '' where type and source leave them free."""
        main = next((v for v in self.gives.variables if v.name == self.gives.main), None)
        if main is not None and main.units != "*":
            return main.units
        return str(getattr(self.source, "units", ""))

    @property
    def version(self) -> int:
        """Return the version of the adapter or recipe."""
        if self.source is not None:
            return self.source.version
        assert self.recipe is not None
        return self.recipe.version

    @property
    def code(self) -> str:
        """Return what made it, with versions, as it enters the fingerprint."""
        maker = self.recipe.name if self.recipe else "adapter"
        return f"{maker}@{self.version} {self.gives.name}@{self.gives.version}"

    def margin(self, argument: str) -> int:
        """Return how far beyond the granule an input is read, in nanoseconds."""
        params = dict(self.params)
        return sum(m.ns(params) for m in self.argument(argument).margins)

    def argument(self, name: str) -> Input:
        """Return the recipe's declaration of one of the inputs."""
        assert self.recipe is not None
        return next(i for i in self.recipe.takes if i.name == name)


def raw(
    name: str,
    gives: DataType,
    source: Source,
    *,
    granule: str,
    transient: bool = False,
    description: str = "",
    cadence: str = "",
    citation: str = "",
    memory: str = "",
) -> Dataset:
    """Return the declaration of a dataset that is read from mission files.

    Parameters
    ----------
    name : str
        `mission.instrument.mode.quantity`, lower case.
    gives : DataType
        What the adapter promises.
    source : Source
        Which files, and how they are read.
    granule : str
        Length of its pieces: "10min", "2h", "1d", "month".
    transient : bool
        Computed where needed and not kept.
    cadence : str
        Time between records, where it is constant: "4.5s".
    citation : str
        Paper or DOI of this very dataset, beside those of the mission.
    memory : str
        What making one granule takes at most, "3GB": workers are given no more at once than fits.
    """
    return Dataset(
        name,
        gives,
        GranuleLength(granule),
        source=source,
        transient=transient,
        description=description,
        cadence=cadence,
        citation=citation,
        memory=memory,
    )


def product(
    name: str,
    recipe: Recipe,
    *,
    granule: str = "",
    model: str = "",
    transient: bool = False,
    description: str = "",
    memory: str = "",
    **bindings: Any,
) -> Dataset:
    """Return the declaration of a dataset that a recipe makes from other datasets.

    Parameters
    ----------
    name : str
        `mission.instrument.mode.quantity`, lower case.
    recipe : Recipe
        What makes it.
    granule : str
        Length of its pieces; that of its first input when empty.
    model : str
        Name of the trained model, for recipes that take one.
    memory : str
        What making one granule takes at most, "3GB": workers are given no more at once than fits.
    **bindings
        For each input of the recipe the name of a dataset, for params a value.

    Raises
    ------
    GraphError
        When a required input is not bound, or something is bound that has the wrong type.
    UnknownName
        When a binding is neither an input nor a param.
    """
    takes = {i.name: i for i in recipe.takes}
    inputs = {k: bindings[k] for k in takes if k in bindings}
    params = {k: v for k, v in bindings.items() if k not in takes}
    where = f"product {name}"
    if unknown := [k for k in params if k not in {p.name for p in recipe.params}]:
        raise UnknownName(
            f"recipe {recipe.name} has no input or param '{unknown[0]}'",
            where,
            near(unknown[0], [*takes, *(p.name for p in recipe.params)]),
        )
    if odd := [k for k, v in inputs.items() if not isinstance(v, str)]:
        raise GraphError(
            f"expected the name of a {takes[odd[0]].datatype.name}, found {inputs[odd[0]]!r}",
            f"{where}, argument {odd[0]}",
        )
    if missing := [i.name for i in recipe.takes if i.required and i.name not in inputs]:
        raise GraphError(
            f"input '{missing[0]}' ({takes[missing[0]].datatype.name}) of recipe {recipe.name} "
            "is not bound",
            where,
            f"Add {missing[0]}='name.of.a.dataset'",
        )
    if recipe.needs_model != bool(model):
        raise GraphError(
            f"recipe {recipe.name} " + ("needs a trained model" if not model else "takes no model"),
            where,
        )
    return Dataset(
        name,
        recipe.gives,
        GranuleLength(granule) if granule else None,
        recipe=recipe,
        inputs=tuple(inputs.items()),
        params=recipe.bind(params, where),
        model=model,
        transient=transient,
        description=description or recipe.summary,
        memory=memory,
    )


@dataclass(frozen=True)
class Mission:
    """A tuple of datasets and the facts about them that users cite and read.

    `absent` says in words why names that people may well ask for are not there: pairs of a glob
    and a reason, as ("cluster2.cis.*", "CIS of Cluster 2 does not work").
    """

    name: str
    datasets: tuple[Dataset, ...]
    title: str = ""
    authors: str = ""
    citation: str = ""
    archives: tuple[str, ...] = ()
    models: tuple[Any, ...] = field(default=(), repr=False)
    acknowledgement: str = ""
    absent: tuple[tuple[str, str], ...] = ()

    def __init__(
        self,
        name: str,
        datasets: Iterable[Dataset],
        *,
        title: str = "",
        authors: str = "",
        citation: str = "",
        archives: Iterable[str] = (),
        models: Iterable[Any] = (),
        acknowledgement: str = "",
        absent: Iterable[tuple[str, str]] = (),
    ) -> None:
        datasets = tuple(datasets)
        if odd := [d for d in datasets if not isinstance(d, Dataset)]:
            raise GraphError(
                f"expected datasets, found a {type(odd[0]).__name__}",
                f"mission {name}",
                "Unpack tuples of datasets with *",
            )
        for key, value in (
            ("name", name),
            ("datasets", datasets),
            ("title", title),
            ("authors", authors),
            ("citation", citation),
            ("archives", tuple(archives)),
            ("models", tuple(models)),
            ("acknowledgement", acknowledgement),
            ("absent", tuple(absent)),
        ):
            object.__setattr__(self, key, value)
