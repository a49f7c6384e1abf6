"""Recipes: pure functions from DataTypes to a DataType. A signature says all that is to be said."""

from __future__ import annotations

import importlib
import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from .datatype import DataType, MaybeType
from .errors import GraphError, UnknownName, near
from .granule import duration

#: Keyword-only arguments that the engine itself fills in.
GIVEN = ("model", "dataset", "interval")

#: What `product` calls its own arguments, so that no recipe can.
RESERVED = ("name", "recipe", "granule", "model", "transient", "description", "memory")


@dataclass(frozen=True, slots=True)
class Margin:
    """How much of an input beyond the granule a recipe must see, on both sides.

    A duration ("2s"), or the name of a param that holds one.
    """

    text: str

    def ns(self, params: Mapping[str, Any]) -> int:
        """Return the margin in nanoseconds, given the values of the recipe's params."""
        return duration(str(params.get(self.text, self.text)))


@dataclass(frozen=True, slots=True)
class Without:
    """What a recipe cannot do without an optional input, in words for people who choose one."""

    text: str


@dataclass(frozen=True, slots=True)
class Input:
    """One dataset argument of a recipe; `without` says what is lost where it is absent."""

    name: str
    datatype: DataType
    required: bool
    margins: tuple[Margin, ...] = ()
    without: str = ""


@dataclass(frozen=True, slots=True)
class Param:
    """One keyword-only argument of a recipe: a number or word that enters the fingerprint."""

    name: str
    type: type
    default: Any


@dataclass(frozen=True)
class Recipe:
    """A pure function from DataTypes to a DataType, with its version and what it needs.

    Called like the function it wraps. Pickles by name, so that a Dask worker imports it (and
    finds numba's cache) instead of receiving a copy; one defined in a notebook travels by value.
    """

    fn: Callable[..., Any]
    gives: DataType
    version: int
    takes: tuple[Input, ...]
    params: tuple[Param, ...]
    gaps_ok: bool = False
    needs_model: bool = False

    @property
    def name(self) -> str:
        """Return the name that fingerprints and reports use."""
        return self.fn.__name__

    @property
    def summary(self) -> str:
        """Return the first line of the docstring."""
        return (self.fn.__doc__ or "").lstrip().split("\n", 1)[0]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the function returns."""
        return self.fn(*args, **kwargs)

    def __reduce__(self) -> Any:
        home, name = self.fn.__module__, self.fn.__qualname__
        if home != "__main__" and _named(sys.modules.get(home), name) is self:
            return _recipe_by_name, (home, name)
        return Recipe, tuple(getattr(self, f.name) for f in fields(self))

    def bind(self, values: Mapping[str, Any], where: str = "") -> tuple[tuple[str, Any], ...]:
        """Return all params with `values` over the defaults, as sorted pairs.

        Raises
        ------
        UnknownName
            For a param the recipe does not have.
        GraphError
            For a value of another type than the param's.
        """
        known = {p.name: p for p in self.params}
        for name in values:
            if name not in known:
                raise UnknownName(
                    f"recipe {self.name} has no param '{name}'",
                    where,
                    near(name, known) or f"It has: {', '.join(known) or 'none'}",
                )
        bound = {name: values.get(name, p.default) for name, p in known.items()}
        for name, value in bound.items():
            wanted = known[name].type
            if wanted is float and type(value) is int:
                bound[name] = float(value)
            elif not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
                raise GraphError(
                    f"param {name} of recipe {self.name} is {value!r}, expected {wanted.__name__}",
                    where,
                )
        return tuple(sorted(bound.items()))


def _recipe_by_name(module: str, qualname: str) -> Any:
    return _named(importlib.import_module(module), qualname)


def _named(module: types.ModuleType | None, qualname: str) -> Any:
    """Return what a module holds under a name, None where there is nothing."""
    found: Any = module
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def recipe(
    *, gives: DataType, version: int, gaps_ok: bool = False
) -> Callable[[Callable[..., Any]], Recipe]:
    """Return a decorator that makes a function a Recipe.

    Positional parameters are inputs: annotate each with its DataType, `X | None` when it may be
    absent, `Annotated[X, Margin("2s")]` when it must reach beyond the granule,
    `Annotated[X | None, Without("...")]` to say what is lost where it is absent. Keyword-only
    parameters with a default are params. Keyword-only `model`, `dataset` and `interval` without
    default are given by the engine: a trained model, and for Events the granule they belong to.

    Parameters
    ----------
    gives : DataType
        What comes back.
    version : int
        Raise it whenever numbers move.
    gaps_ok : bool
        Whether a granule may be made from incomplete inputs.
    """

    def decorate(fn: Callable[..., Any]) -> Recipe:
        hints = typing.get_type_hints(fn, include_extras=True, localns=_local_types(fn))
        takes: list[Input] = []
        params: list[Param] = []
        given: set[str] = set()
        for p in inspect.signature(fn).parameters.values():
            if p.kind is p.KEYWORD_ONLY and p.name in GIVEN and p.default is p.empty:
                given.add(p.name)
            elif p.name in RESERVED:
                raise GraphError(
                    f"'{p.name}' is a word of product() itself",
                    f"recipe {fn.__name__}",
                    "Give the argument another name",
                )
            elif p.kind is p.KEYWORD_ONLY:
                params.append(_param(fn, p, hints.get(p.name)))
            else:
                takes.append(_input(fn, p, hints.get(p.name)))
        _check_given(fn, gives, given)
        return Recipe(fn, gives, version, tuple(takes), tuple(params), gaps_ok, "model" in given)

    return decorate


def _local_types(fn: Callable[..., Any]) -> dict[str, Any]:
    """Annotations of a function made inside another refer to what that one closed over."""
    code = getattr(fn, "__code__", None)
    cells = getattr(fn, "__closure__", None) or ()
    found = (
        dict(zip(code.co_freevars, (c.cell_contents for c in cells), strict=False)) if code else {}
    )
    return {k: v for k, v in found.items() if isinstance(v, (DataType, MaybeType))}


def _check_given(fn: Callable[..., Any], gives: DataType, given: set[str]) -> None:
    """Events belong to a granule, so their recipe must take it; nothing else is told of it."""
    place = {"dataset", "interval"}
    if gives.in_sql and (missing := place - given):
        raise GraphError(
            f"a recipe that gives {gives.name} must take {' and '.join(sorted(missing))}",
            f"recipe {fn.__name__}",
            "Add '*, dataset: str, interval: Interval' without defaults",
        )
    if not gives.in_sql and (told := place & given):
        raise GraphError(
            f"{' and '.join(sorted(told))} is only given to recipes of events",
            f"recipe {fn.__name__}",
            f"What is in a {gives.name} must not depend on how time is cut into granules",
        )


def _param(fn: Callable[..., Any], p: inspect.Parameter, hint: Any) -> Param:
    default = float(p.default) if hint is float and type(p.default) is int else p.default
    if p.default is p.empty or not isinstance(default, (bool, int, float, str, tuple)):
        raise GraphError(
            f"param {p.name} needs a default that is a number, a word or a tuple",
            f"recipe {fn.__name__}",
            "Params enter the fingerprint, so they must have a plain value",
        )
    if hint in (bool, int, float, str) and type(default) is not hint:
        raise GraphError(
            f"param {p.name} is annotated {hint.__name__}, its default is {default!r}",
            f"recipe {fn.__name__}",
        )
    return Param(p.name, type(default), default)


def _input(fn: Callable[..., Any], p: inspect.Parameter, hint: Any) -> Input:
    margins: tuple[Margin, ...] = ()
    without = ""
    required = True
    if typing.get_origin(hint) is typing.Annotated:
        hint, *extras = typing.get_args(hint)
        margins = tuple(e for e in extras if isinstance(e, Margin))
        without = "; ".join(e.text for e in extras if isinstance(e, Without))
    if isinstance(hint, MaybeType):
        hint, required = hint.datatype, False
    elif typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint, required = _optional(hint), False
    if p.kind is not p.POSITIONAL_OR_KEYWORD:
        raise GraphError(
            f"input {p} has no name that a dataset can be bound to",
            f"recipe {fn.__name__}",
            "Write one argument per input",
        )
    if not isinstance(hint, DataType):
        raise GraphError(
            f"input {p.name} is annotated {hint!r}, which is not a DataType",
            f"recipe {fn.__name__}",
            "Annotate every positional argument with a DataType, for example vdf: VDF",
        )
    if (p.default is p.empty) != required:
        raise GraphError(
            f"input {p.name} must have " + ("no default" if required else "the default None"),
            f"recipe {fn.__name__}",
            f"Optional inputs are written '{p.name}: {hint.name} | None = None'",
        )
    return Input(p.name, hint, required, margins, without)


def _optional(hint: Any) -> Any:
    """Return X of Optional[X], and any other union as it is."""
    wanted = [a for a in typing.get_args(hint) if a is not type(None)]
    return wanted[0] if len(wanted) == 1 else hint
