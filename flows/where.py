"""Parameters that flows share, as Prefect's form shows them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sciqlop_pipe.cluster import Profile, read_profile
from sciqlop_pipe.errors import PipeError
from sciqlop_pipe.granule import DAY, Interval, instant
from sciqlop_pipe.sources.access import Access, size_of
from sciqlop_pipe.sources.doors import needs_intervals


class Where(BaseModel):
    """Which store, which archives, and which machines."""

    model_config = ConfigDict(extra="forbid")

    store: str = Field("store", title="Store", description="Folder of the store.")
    registry: str = Field(
        "",
        title="Registry",
        description="Address of the registry, e.g. postgresql+psycopg://...; empty: in the store.",
    )
    archives: list[str] = Field(
        default_factory=list,
        title="Archives",
        description="Doors to mission files, best first: folders, URLs, speasy, hapi+https://...",
    )
    workers: int = Field(2, ge=0, title="Workers", description="Processes on this machine.")
    profile_file: str = Field(
        "",
        title="Profile",
        description="File that says where tasks run (SLURM, SSH, Kubernetes), instead of these.",
    )
    scheduler: str = Field(
        "", title="Dask scheduler", description="Address of a running one instead of workers here."
    )
    priority: Literal["interactive", "daily", "campaign"] = Field(
        "daily",
        title="Priority",
        description="On a scheduler that several runs share; a profile's file says its own.",
    )
    offline: bool = Field(False, title="Offline", description="Never touch the network.")
    cache: str = Field(
        "", title="Cache of raw files", description="Folder; empty keeps nothing between runs."
    )
    cache_size: str = Field(
        "20GB",
        title="Size of the cache",
        description="The files used longest ago are removed beyond it.",
    )
    requests: int = Field(
        4, ge=1, title="Requests at once", description="To one server, from the whole cluster."
    )

    @field_validator("cache_size")
    @classmethod
    def _is_size(cls, text: str) -> str:
        try:
            size_of(text)
        except PipeError as error:
            raise ValueError(str(error)) from error
        return text

    @property
    def profile(self) -> Profile:
        """Where tasks run."""
        if self.profile_file:
            return read_profile(Path(self.profile_file))
        kind = "address" if self.scheduler else "local"
        return Profile(
            kind=kind, workers=self.workers or bool(self.scheduler), address=self.scheduler,
            priority=self.priority,
        )  # fmt: skip

    @property
    def access(self) -> Access:
        """How raw files are got."""
        return Access(
            offline=self.offline,
            cache=self.cache,
            cache_bytes=size_of(self.cache_size),
            at_once=self.requests,
        )


def turns(archives: Iterable[str]) -> list[str]:
    """Return the names of Prefect's concurrency limits that guard archives, one per server.

    `archive-` and the name of the host, or of the door where that knows its servers itself
    (`archive-speasy`). Folders need no turns.
    """
    hosts = (
        urlsplit(a.removeprefix("hapi+")).hostname if "://" in a else _door(a) for a in archives
    )
    return sorted({f"archive-{host}" for host in hosts if host})


def _door(archive: str) -> str:
    return archive.partition(":")[0] if needs_intervals(archive) and "{" not in archive else ""


class Span(BaseModel):
    """An interval, or the last days."""

    model_config = ConfigDict(extra="forbid")

    start: str = Field("", title="Start", description="UTC, e.g. 2015-12-01. Empty: the last days.")
    stop: str = Field("", title="Stop", description="End, not included. Empty: now.")
    days: float = Field(
        3.0, gt=0, title="Days", description="How far back where no start is given."
    )

    @model_validator(mode="after")
    def _is_interval(self) -> Span:
        try:
            self.interval()
        except PipeError as error:
            raise ValueError(str(error)) from error
        return self

    def interval(self, now: int | None = None) -> Interval:
        """Return the interval that is meant; `now` [ns since 1970] is for tests."""
        stop = instant(self.stop) if self.stop else now or time.time_ns()
        if self.start:
            return Interval.of(self.start, stop)
        return Interval(int(stop - self.days * DAY), stop)
