"""The graph of all datasets: found by entry point, checked, ordered. Nobody writes the order."""

from __future__ import annotations

import re
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from .errors import GraphError, UnknownName, UsageError, near
from .granule import GranuleLength, duration
from .model import Dataset, Mission
from .standard import with_standard_products

GROUP = "sciqlop_pipe.missions"

_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")  # becomes part of paths and task keys


@dataclass(frozen=True, slots=True)
class Broken:
    """A plugin that could not be loaded, and why."""

    name: str
    value: str
    error: str


@dataclass(frozen=True)
class Graph:
    """Every dataset of every mission; edges are checked when it is made.

    Use `Graph.discover()` for what is installed, `Graph.of(missions)` for your own.
    """

    missions: tuple[Mission, ...]
    nodes: Mapping[str, Dataset] = field(repr=False)
    broken: tuple[Broken, ...] = ()

    @classmethod
    def discover(cls, *extra: Dataset) -> Graph:
        """Return the graph of all installed missions, plus datasets of your own.

        A plugin that cannot be loaded, or whose declarations are wrong, is warned about with its
        traceback, listed in `broken`, and left out.

        Raises
        ------
        GraphError
            When two plugins claim one name, or the datasets of your own are wrong.
        """
        plugins: list[tuple[EntryPoint, Mission]] = []
        broken: list[Broken] = []
        for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
            try:
                plugins.append((point, _mission(point)))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may do anything
                broken.append(_left_out(point, error))
        _refuse_two_claims(plugins)
        sound = _sound(_well_named(plugins, broken), broken)
        declared = [own for _, own in sound]
        if extra:
            declared.append(_Declared.of(Mission("", extra)))
        nodes = _together(declared)
        if extra:
            _check(declared[-1].nodes, nodes)
        return cls(tuple(d.mission for d in declared), _whole(nodes), tuple(broken))

    @classmethod
    def of(cls, missions: Iterable[Mission], broken: Iterable[Broken] = ()) -> Graph:
        """Return the checked graph of some missions.

        Raises
        ------
        GraphError
            For an input of the wrong DataType, an unknown name, a cycle, or a name claimed twice.
        """
        missions = tuple(missions)
        nodes = _together(map(_Declared.of, missions))
        _check(nodes, nodes)
        return cls(missions, _whole(nodes), tuple(broken))

    def __getitem__(self, name: str) -> Dataset:
        try:
            return self.nodes[name]
        except KeyError:
            told = (why for m in self.missions for glob, why in m.absent if fnmatchcase(name, glob))
            why = next(told, "")
            raise UnknownName(
                f"there is no dataset '{name}': {why}"
                if why
                else f"nobody declares the dataset '{name}'",
                "",
                near(name, self.nodes) or "'sciqlop-pipe graph' lists what there is",
            ) from None

    def __iter__(self) -> Iterator[Dataset]:
        return iter(self.nodes.values())

    def select(self, patterns: Iterable[str]) -> tuple[str, ...]:
        """Return the names that exact names or globs select, in the order of the graph.

        Raises
        ------
        UnknownName
            For a pattern that selects nothing.
        """
        chosen: set[str] = set()
        for pattern in patterns:
            hits = [n for n in self.nodes if fnmatchcase(n, pattern)]
            chosen.update(hits or [self[pattern].name])
        return tuple(n for n in self.nodes if n in chosen)

    def changed(
        self, params: Mapping[str, Mapping[str, Any]], transient: Iterable[str] = ()
    ) -> Graph:
        """Return the graph with other params for some products, and some datasets not kept.

        Raises
        ------
        UnknownName
            For a dataset or a param that nobody declares.
        GraphError
            For a value of another type, a param of a raw dataset, or a margin that would not do.
        """
        nodes = dict(self.nodes)
        for name, values in params.items():
            dataset = self[name]
            if dataset.recipe is None:
                raise GraphError("it is raw: it has no params", f"dataset {name}")
            bound = dataset.recipe.bind(dict(dataset.params) | dict(values), f"product {name}")
            nodes[name] = replace(dataset, params=bound)
            _check_edges(nodes[name], nodes)
        for name in transient:
            nodes[name] = replace(self[name], params=nodes[name].params, transient=True)
        return replace(self, nodes=nodes)

    def ancestors(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the names and everything they are made from, inputs first."""
        wanted: set[str] = set()
        stack = list(names)
        while stack:
            name = stack.pop()
            if name not in wanted:
                wanted.add(name)
                stack.extend(source for _, source in self[name].inputs)
        return tuple(n for n in self.nodes if n in wanted)

    def models(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the names of the trained models that these and their ancestors need."""
        found = (self[name].model for name in self.ancestors(names))
        return tuple(dict.fromkeys(m for m in found if m))

    def length(self, name: str) -> GranuleLength:
        """Return how a dataset is cut in time."""
        granule = self[name].granule
        assert granule is not None
        return granule

    @cached_property
    def mission_of(self) -> Mapping[str, Mission]:
        """Return the mission that declares each dataset."""
        return {d.name: m for m in self.missions for d in with_standard_products(m.datasets)}


def _mission(point: EntryPoint) -> Mission:
    mission = point.load()
    if not isinstance(mission, Mission):
        raise TypeError(f"{point.value} is a {type(mission).__name__}, not a Mission")
    return mission


def _left_out(point: EntryPoint, error: BaseException) -> Broken:
    """Warn about a broken plugin, and return it as one."""
    trace = "".join(traceback.format_exception(error))
    warnings.warn(
        f"mission plugin '{point.name}' ({point.value}) is broken and left out:\n{trace}",
        stacklevel=3,
    )
    return Broken(point.name, point.value, trace)


def _refuse_two_claims(plugins: Iterable[tuple[EntryPoint, Mission]]) -> None:
    claimed: dict[str, EntryPoint] = {}
    for point, mission in plugins:
        for dataset in mission.datasets:
            first = claimed.setdefault(dataset.name, point)
            if first is not point:
                raise GraphError(
                    f"two plugins claim the dataset '{dataset.name}'",
                    f"{_origin(first)} and {_origin(point)}",
                    "Uninstall one, or rename the dataset",
                )


def _origin(point: EntryPoint) -> str:
    dist = point.dist
    return f"{point.value} ({dist.name} {dist.version})" if dist else point.value


@dataclass(frozen=True, slots=True)
class _Declared:
    """A mission and all that follows from it by name, standard products included."""

    mission: Mission
    nodes: Mapping[str, Dataset]

    @classmethod
    def of(cls, mission: Mission) -> _Declared:
        nodes: dict[str, Dataset] = {}
        for dataset in with_standard_products(mission.datasets):
            if dataset.name in nodes:
                raise _claimed_twice(dataset.name, mission)
            if not _NAME.fullmatch(dataset.name):
                raise GraphError(
                    f"'{dataset.name}' is not a dataset name",
                    f"mission {mission.name}",
                    "Names are lower-case words of letters, digits and _ joined by dots: "
                    "mission.instrument.mode.quantity",
                )
            nodes[dataset.name] = dataset
        return cls(mission, nodes)


def _claimed_twice(name: str, mission: Mission) -> GraphError:
    return GraphError(
        f"two declarations claim the name '{name}'",
        f"mission {mission.name}",
        "Names are unique over all missions; rename one",
    )


def _together(declared: Iterable[_Declared]) -> dict[str, Dataset]:
    """Return the datasets of several missions by name."""
    nodes: dict[str, Dataset] = {}
    for own in declared:
        if twice := next((name for name in own.nodes if name in nodes), None):
            raise _claimed_twice(twice, own.mission)
        nodes |= own.nodes
    return nodes


def _well_named(
    plugins: Iterable[tuple[EntryPoint, Mission]], broken: list[Broken]
) -> list[tuple[EntryPoint, _Declared]]:
    found = []
    for point, mission in plugins:
        try:
            found.append((point, _Declared.of(mission)))
        except GraphError as error:
            broken.append(_left_out(point, error))
    return found


def _sound(
    plugins: list[tuple[EntryPoint, _Declared]], broken: list[Broken]
) -> list[tuple[EntryPoint, _Declared]]:
    """Return the plugins whose declarations hold; a wrong one must not take the others down."""
    nodes = {name: dataset for _, own in plugins for name, dataset in own.nodes.items()}
    sound = []
    for point, own in plugins:
        try:
            _check(own.nodes, nodes)
            _ordered(nodes, own.nodes)
        except GraphError as error:
            broken.append(_left_out(point, error))
        else:
            sound.append((point, own))
    # What a sound one was made from may be gone with a wrong one.
    return sound if len(sound) == len(plugins) else _sound(sound, broken)


def _whole(nodes: Mapping[str, Dataset]) -> dict[str, Dataset]:
    """Return the datasets in order, each with a granule length: its own or its first input's."""
    whole: dict[str, Dataset] = {}
    for name in _ordered(nodes):
        dataset = nodes[name]
        if dataset.granule is None:
            dataset = replace(dataset, granule=whole[dataset.inputs[0][1]].granule)
        whole[name] = dataset
    return whole


def _check(datasets: Mapping[str, Dataset], nodes: Mapping[str, Dataset]) -> None:
    for dataset in datasets.values():
        _check_edges(dataset, nodes)


def _check_edges(dataset: Dataset, nodes: Mapping[str, Dataset]) -> None:
    if dataset.recipe is None:
        return
    for argument, name in dataset.inputs:
        where = f"product {dataset.name}, argument {argument}"
        if name not in nodes:
            raise GraphError(f"nobody declares its input '{name}'", where, near(name, nodes))
        wanted, found = dataset.argument(argument).datatype, nodes[name].gives
        if wanted.name not in ("Any", found.name):
            raise GraphError(f"expected a {wanted.name}, but {name} is a {found.name}", where)
        if found.in_sql:
            raise GraphError(f"{name} is {found.name}, which no recipe can be made from", where)
    if not dataset.inputs:
        raise GraphError("it has no inputs", f"product {dataset.name}")
    _check_margins(dataset)


def _check_margins(dataset: Dataset) -> None:
    """A param that is a length of time reaches over granule edges, so an input needs a margin."""
    assert dataset.recipe is not None
    widest = ("", 0)
    for argument, _ in dataset.inputs:
        where = f"product {dataset.name}, argument {argument}"
        try:
            widest = max(widest, (argument, dataset.margin(argument)), key=lambda pair: pair[1])
        except UsageError as error:
            raise GraphError(f"its margin cannot be told: {error.what}", where) from None
    for name, value in dataset.params:
        length = _length_of_time(value)
        if length > 2 * widest[1]:
            raise GraphError(
                f"missing margin: param {name}={value} reaches {value} along the series, expected "
                f"an input with a margin of at least half of it, found {widest[1] / 1e9:g} s",
                f"product {dataset.name}, argument {dataset.inputs[0][0]}",
                f"Annotate the input in recipe {dataset.recipe.name} with "
                f'Annotated[..., Margin("{name}")]',
            )


def _length_of_time(value: object) -> int:
    try:
        return duration(value) if isinstance(value, str) else 0
    except UsageError:
        return 0


def _ordered(nodes: Mapping[str, Dataset], wanted: Iterable[str] | None = None) -> list[str]:
    """Return names so that inputs come first; declaration order otherwise."""
    order: list[str] = []
    state: dict[str, int] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if state.get(name) == 1:
            circle = [*path[path.index(name) :], name]
            raise GraphError(
                "datasets are made from each other in a circle: " + " <- ".join(circle),
                f"product {name}",
            )
        if state.get(name) == 2 or name not in nodes:
            return
        state[name] = 1
        for _, source in nodes[name].inputs:
            visit(source, (*path, name))
        state[name] = 2
        order.append(name)

    for name in wanted or nodes:
        visit(name, ())
    return order
