"""Profiles: a small file that says where tasks run, read into a frozen dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UsageError, near
from ..granule import duration
from ..settings import SECRETS, fill, read_settings
from ..sources.access import size_of

KINDS = ("local", "address", "ssh", "slurm", "kubernetes")
#: Tasks of a higher class go first on a scheduler that several runs share.
PRIORITIES = {"interactive": 100, "daily": 10, "campaign": 0}


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Between how many workers a cluster may have, as there is work."""

    minimum: int = 0
    maximum: int = 10

    def __post_init__(self) -> None:
        if not 0 <= self.minimum <= self.maximum or not self.maximum:
            raise UsageError(
                f"adaptive says {self.minimum} to {self.maximum} workers",
                todo="Give 0 <= minimum <= maximum",
            )


@dataclass(frozen=True, slots=True)
class Ssh:
    """Machines reached by SSH: the scheduler runs on the first, a worker on each of the others.

    A host named twice gets two workers. Keys are those of the SSH agent, or the file `identity`.
    """

    hosts: tuple[str, ...] = ()
    port: int = 22
    user: str = ""
    identity: str = ""
    known_hosts: str = ""
    python: str = ""
    interface: str = ""


@dataclass(frozen=True, slots=True)
class Slurm:
    """Jobs of a SLURM queue; `processes` workers share the `cores` of a job.

    What jobs print goes to the folder `logs`, the one that you are in unless it is named.
    """

    queue: str = ""
    account: str = ""
    walltime: str = "02:00:00"
    cores: int = 1
    processes: int = 1
    interface: str = ""
    python: str = ""
    logs: str = ""
    directives: tuple[str, ...] = ()
    prologue: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """Pods made by the Dask operator, which must be installed in the cluster."""

    image: str = ""
    namespace: str = ""
    name: str = "sciqlop-pipe"
    cpu: str = "1"


@dataclass(frozen=True, slots=True)
class Profile:
    """Where and how wide to run.

    Parameters
    ----------
    workers : int
        Worker processes; 0 runs in threads of this process (on this machine only).
    address : str
        An existing scheduler instead.
    memory : str
        Memory limit of one worker, "4GB"; "auto" shares what this machine has.
    kind : str
        One of `KINDS`.
    threads : int
        Threads of one worker.
    adaptive : Adaptive or None
        As many workers as there is work for, instead of `workers`.
    scratch : str
        Folder of a local disk of the workers, for what does not fit into memory; "~" and
        environment variables are theirs.
    spill : bool
        Whether results beyond 60 % of the memory go to `scratch`.
    priority : str
        One of `PRIORITIES`.
    wait : str
        How long to wait for the first worker.
    environment : mapping
        Variables that workers get; never secrets.
    ssh, slurm, kubernetes
        What these need.
    """

    workers: int = 2
    address: str = ""
    memory: str = "auto"
    kind: str = "local"
    threads: int = 1
    adaptive: Adaptive | None = None
    scratch: str = ""
    spill: bool = True
    priority: str = "campaign"
    wait: str = "10min"
    environment: Mapping[str, str] = field(default_factory=dict)
    ssh: Ssh = field(default_factory=Ssh)
    slurm: Slurm = field(default_factory=Slurm)
    kubernetes: Kubernetes = field(default_factory=Kubernetes)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(
                f"'{self.kind}' is no kind of cluster",
                todo=near(self.kind, KINDS) or f"There are: {', '.join(KINDS)}",
            )
        if self.priority not in PRIORITIES:
            raise UsageError(
                f"'{self.priority}' is no priority",
                todo=near(self.priority, PRIORITIES) or f"There are: {', '.join(PRIORITIES)}",
            )
        if self.workers < (self.kind != "local") or self.threads < 1:
            raise UsageError(f"{self.workers} workers of {self.threads} threads cannot work")
        if self.memory != "auto":
            size_of(self.memory)
        duration(self.wait)
        for name in self.environment:
            if any(word in name.lower() for word in SECRETS):
                raise UsageError(
                    f"environment.{name} looks like a secret",
                    todo="Set it in the environment that starts the workers, not in a file",
                )
        if self.adaptive is not None and self.kind in ("address", "ssh"):
            raise UsageError(
                f"a cluster of kind '{self.kind}' has the workers it has",
                todo="Leave out [adaptive]; it is for local, slurm and kubernetes",
            )
        lacking = {
            "address": not self.address and "address",
            "ssh": len(self.ssh.hosts) < 2 and "ssh.hosts (the scheduler's, then workers')",
            "slurm": self.memory == "auto" and "memory (of one worker)",
            "kubernetes": not self.kubernetes.image and "kubernetes.image",
        }.get(self.kind)
        if lacking:
            raise UsageError(f"a profile of kind '{self.kind}' needs {lacking}")

    @property
    def nbytes(self) -> int:
        """Return the memory of one worker in bytes, 0 where it is not known."""
        return 0 if self.memory == "auto" else size_of(self.memory)

    @property
    def resources(self) -> dict[str, float]:
        """Return what a worker offers to tasks that declare how much memory they need."""
        return {"MB": self.nbytes / 1e6} if self.nbytes else {}


def read_profile(path: Path) -> Profile:
    """Return the profile that a TOML or YAML file describes.

    Raises
    ------
    UsageError
        When it does not parse, holds an unknown name or a secret, or lacks what its kind needs.
    """
    return fill(Profile, read_settings(path), str(path))
