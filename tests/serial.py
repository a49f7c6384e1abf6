"""The engine without a cluster: a client that runs every task at once, and a place to work in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.plan import REASONS, Plan, make_plan
from sciqlop_pipe.report import Options, Report
from sciqlop_pipe.sources.archive import Listing, list_archives
from sciqlop_pipe.store import Store
from sciqlop_pipe.store.records import Outcome
from sciqlop_pipe.task import Bundle
from tests.toy import DAY, toy_graph, write_file

if TYPE_CHECKING:
    from distributed import Client

Watch = Callable[[Bundle, list[Outcome]], None]


class Done:
    """A future that has come."""

    status = "finished"

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self.value: Any = None
        self.error: Exception | None = None
        try:
            self.value = function(*args)
        except Exception as error:
            self.error = error

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value

    def add_done_callback(self, call: Callable[[Done], None]) -> None:
        call(self)

    def done(self) -> bool:
        return True

    def release(self) -> None:
        pass


@dataclass
class SerialClient:
    """Stands in for a Dask client. `watch` is called with every bundle and what it gave."""

    watch: Watch | None = None
    bundles: list[Bundle] = field(default_factory=list)

    def nthreads(self) -> dict[str, int]:
        return {"here": 1}

    def submit(
        self, function: Callable[..., Any], given: Bundle | list[Bundle], **options: object
    ) -> Done:
        bundles = given if isinstance(given, list) else [given]
        self.bundles.extend(bundles)
        done = Done(function, given)
        if self.watch is not None and done.error is None:
            many = done.value if isinstance(given, list) else [done.value]
            for bundle, outcomes in zip(bundles, many, strict=True):
                self.watch(bundle, outcomes)
        return done

    def cancel(self, futures: Sequence[Done], **options: object) -> None:
        pass


@dataclass(frozen=True)
class Bench:
    """A folder with raw files and a store, and the toy mission to work on them."""

    folder: Path

    @property
    def raw(self) -> Path:
        return self.folder / "raw"

    def file(self, hour: int, **options: Any) -> Path:
        """Write the raw file of one hour of 2030-01-01."""
        return write_file(self.raw, f"2030-01-01T{hour:02d}", **options)

    def files(self, *hours: int, **options: Any) -> None:
        """Write the raw files of some hours."""
        for hour in hours:
            self.file(hour, **options)

    def listing(self) -> Listing:
        self.raw.mkdir(exist_ok=True)
        return list_archives([str(self.raw)])

    def store(self, name: str = "store") -> Store:
        return Store.open(self.folder / name, create=True, durable=False)

    def plan(
        self,
        *targets: str,
        graph: Graph | None = None,
        intervals: Sequence[Interval] = (DAY,),
        listed: bool = True,
        reasons: Sequence[str] = REASONS,
        models: Mapping[str, tuple[str, str]] | None = None,
        stage: str = "",
    ) -> Plan:
        with self.store() as store:
            return make_plan(
                graph or toy_graph(), store.registry, targets, intervals,
                self.listing() if listed else None, reasons=reasons, models=models, stage=stage,
            )  # fmt: skip

    def run(
        self,
        *targets: str,
        graph: Graph | None = None,
        intervals: Sequence[Interval] = (DAY,),
        client: SerialClient | Client | None = None,
        name: str = "store",
        **options: Any,
    ) -> Report:
        """Run the toy mission here, one task after the other."""
        with self.store(name) as store:
            return run_campaign(
                store, graph or toy_graph(), targets, intervals, self.listing(),
                cast(Any, lambda: client or SerialClient()), Options(**options),
            )  # fmt: skip
