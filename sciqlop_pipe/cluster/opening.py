"""Opening a cluster by profile: started, waited for, checked, closed again."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import TransientError, UsageError
from ..granule import duration
from .profile import Profile
from .workers import check_workers, guarded

if TYPE_CHECKING:
    from distributed import Client

_LOG = logging.getLogger(__name__)


@contextmanager
def open_cluster(profile: Profile, store: str = "") -> Iterator[Client]:
    """Give a Dask client for a profile; what was started here is closed afterwards.

    Parameters
    ----------
    profile : Profile
        Where and how wide.
    store : str
        Folder of a store: before anything is given to workers, each of them must have the same
        versions and reach it. Workers that come later and do not are turned away.

    Raises
    ------
    UsageError
        When the profile lacks credentials or a package, or workers do not fit.
    TransientError
        When no worker comes in time.
    """
    import dask
    from distributed import Client

    with dask.config.set(_settings(profile)):
        if profile.address:
            with _connected(profile) as client:
                _ready(client, profile, store)
                with guarded(client, store):
                    yield client
            return
        with _cluster(profile) as cluster, Client(cluster, set_as_default=False) as client:
            if not profile.workers and profile.kind == "local":
                yield client
                return
            _scale(cluster, profile)
            _ready(client, profile, store)
            fixed = profile.kind == "local" and profile.adaptive is None
            with nullcontext() if fixed else guarded(client, store):
                yield client


def _settings(profile: Profile) -> dict[str, Any]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    settings: dict[str, Any] = {
        # A task whose worker died twice is rerun by us, alone, in a process of its own.
        "distributed.scheduler.allowed-failures": 1,
        "distributed.comm.timeouts.connect": "30s",
        "distributed.admin.large-graph-warning-threshold": "100MB",
        "distributed.worker.daemon": True,
    }
    if not profile.spill:
        settings |= {f"distributed.worker.memory.{k}": False for k in ("target", "spill")}
    if profile.kind == "local" and not profile.workers:
        # A worker in this process would rest for good while what else is in it fills its limit.
        settings["distributed.worker.memory.pause"] = False
    return settings


@contextmanager
def _connected(profile: Profile) -> Iterator[Client]:
    import dask
    from distributed import Client

    where = f"scheduler {profile.address}"
    if profile.address.startswith("tls://") and not dask.config.get(
        "distributed.comm.tls.client.cert", None
    ):
        raise UsageError(
            "it asks for a certificate, and there is none", where,
            "Set DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT, ...__CLIENT__KEY and ...__CA_FILE in "
            "the environment",
        )  # fmt: skip
    try:
        client = Client(profile.address, set_as_default=False, timeout="30s")
    except (OSError, TimeoutError, ValueError) as error:
        raise TransientError(
            f"the scheduler does not answer ({type(error).__name__})", where,
            "Is it running, and does this machine reach it?",
        ) from error  # fmt: skip
    with client:
        yield client


def _cluster(profile: Profile) -> Any:
    return {
        "local": _local, "ssh": _ssh, "slurm": _slurm, "kubernetes": _kubernetes,
    }[profile.kind](profile)  # fmt: skip


def _scratch(profile: Profile) -> str | None:
    """Return the folder for what does not fit into memory, on a disk of the worker's own."""
    return os.path.expandvars(str(Path(profile.scratch).expanduser())) if profile.scratch else None


def _local(profile: Profile) -> Any:
    from distributed import LocalCluster
    from distributed.worker_memory import parse_memory_limit

    widest = max(1, profile.workers if profile.adaptive is None else profile.adaptive.maximum)
    # "auto" is a share of this machine for each of as many workers as there will ever be.
    memory = parse_memory_limit(profile.nbytes or "auto", 1, total_cores=widest, logger=_LOG)
    return LocalCluster(
        n_workers=widest if profile.adaptive is None else 1,
        threads_per_worker=profile.threads,
        processes=profile.workers > 0,
        memory_limit=memory,
        dashboard_address=":0",
        # Its pages take seconds to import; a single worker in this process has nothing to show.
        scheduler_kwargs={} if profile.workers else {"dashboard": False},
        silence_logs=50,
        local_directory=_scratch(profile),
        resources={"MB": memory / 1e6} if memory else None,
        **({"env": dict(profile.environment)} if profile.workers and profile.environment else {}),
    )


def _ssh(profile: Profile) -> Any:
    try:
        import asyncssh
        from distributed.deploy.ssh import SSHCluster
    except ModuleNotFoundError as error:
        raise _not_installed("ssh", error) from error

    ssh = profile.ssh
    connect: dict[str, Any] = {"port": ssh.port}
    if ssh.user:
        connect["username"] = ssh.user
    if ssh.identity:
        connect["client_keys"] = [_file(ssh.identity, "ssh.identity")]
    if ssh.known_hosts:
        connect["known_hosts"] = _file(ssh.known_hosts, "ssh.known_hosts")
    place = {"interface": ssh.interface} if ssh.interface else {}
    try:
        return SSHCluster(
            list(ssh.hosts),
            connect_options=connect,
            worker_options={
                "nthreads": profile.threads, "memory_limit": profile.memory,
                **({"local_directory": _scratch(profile)} if profile.scratch else {}),
                **({"resources": profile.resources} if profile.resources else {}), **place,
            },
            scheduler_options={"port": 0, "dashboard_address": ":0", **place},
            remote_python=" ".join([
                "env", *(f"{k}={shlex.quote(v)}" for k, v in profile.environment.items()),
                ssh.python or sys.executable,
            ]),
        )  # fmt: skip
    except (OSError, asyncssh.Error, RuntimeError) as error:
        raise UsageError(
            f"the hosts are not reached ({type(error).__name__}: {error})",
            f"profile of kind ssh, {', '.join(dict.fromkeys(ssh.hosts))}",
            "Does 'ssh HOST' log in without asking? Keys come from the agent or ssh.identity, "
            "host keys from ssh.known_hosts",
        ) from error


def _file(name: str, what: str) -> str:
    path = Path(name).expanduser()
    if not path.is_file():
        raise UsageError(f"the file of {what} is not there", str(path))
    return str(path)


def _slurm(profile: Profile) -> Any:
    try:
        from dask_jobqueue import SLURMCluster
    except ModuleNotFoundError as error:
        raise _not_installed("slurm", error) from error
    if shutil.which("sbatch") is None:
        raise UsageError(
            "there is no 'sbatch' here", "profile of kind slurm", "Run this on a login node of it"
        )
    slurm = profile.slurm
    wait = duration(profile.wait) / 1e9
    extra = ["--resources", ",".join(f"{k}={v:g}" for k, v in profile.resources.items())]
    return SLURMCluster(
        queue=slurm.queue or None,
        account=slurm.account or None,
        walltime=slurm.walltime,
        cores=slurm.cores,
        processes=slurm.processes,
        memory=f"{profile.nbytes * slurm.processes} B",
        interface=slurm.interface or None,
        python=slurm.python or sys.executable,
        local_directory=profile.scratch or None,
        log_directory=slurm.logs or None,
        death_timeout=int(max(wait, 60)),
        job_extra_directives=list(slurm.directives),
        job_script_prologue=[
            *(f"export {k}={shlex.quote(v)}" for k, v in profile.environment.items()),
            *slurm.prologue,
        ],
        worker_extra_args=extra,
        scheduler_options={"dashboard_address": ":0"},
    )  # fmt: skip


def _kubernetes(profile: Profile) -> Any:
    try:
        from dask_kubernetes.operator import KubeCluster
    except ModuleNotFoundError as error:
        raise _not_installed("kubernetes", error) from error
    inside = Path("/var/run/secrets/kubernetes.io/serviceaccount/token").exists()
    outside = Path(os.environ.get("KUBECONFIG", "~/.kube/config")).expanduser().exists()
    if not (inside or outside):
        raise UsageError(
            "there are no credentials of a Kubernetes cluster", "profile of kind kubernetes",
            "Set KUBECONFIG to the file that kubectl uses, or run this inside of the cluster",
        )  # fmt: skip
    k = profile.kubernetes
    limits = {"cpu": k.cpu, **({"memory": str(profile.nbytes)} if profile.nbytes else {})}
    return KubeCluster(
        name=k.name,
        namespace=k.namespace or None,
        image=k.image,
        n_workers=profile.workers,
        env=dict(profile.environment),
        resources={"requests": limits, "limits": limits},
        worker_command=[
            "dask", "worker", "--nthreads", str(profile.threads),
            *(("--memory-limit", str(profile.nbytes)) if profile.nbytes else ()),
        ],
        quiet=True,
    )  # fmt: skip


def _not_installed(extra: str, error: ModuleNotFoundError) -> UsageError:
    return UsageError(
        f"{error.name} is not installed", f"profile of kind {extra}",
        f"pip install 'sciqlop-pipe[{extra}]'",
    )  # fmt: skip


def _scale(cluster: Any, profile: Profile) -> None:
    if profile.adaptive is not None:
        # Dask asks how long the tasks that it has will take; it has only those of some seconds,
        # since a bounded number is outstanding. So what takes one worker half a second is shared.
        cluster.adapt(
            minimum=max(1, profile.adaptive.minimum),
            maximum=profile.adaptive.maximum,
            target_duration="500ms",
        )
    elif profile.kind == "slurm":
        # A job that was killed, or came to the end of its walltime, is asked for again.
        cluster.adapt(minimum=profile.workers, maximum=profile.workers)


def _ready(client: Client, profile: Profile, store: str) -> None:
    """Wait for a worker, and check those that are there."""
    wait = duration(profile.wait) / 1e9
    try:
        client.wait_for_workers(1, timeout=wait)
    except TimeoutError as error:
        raise TransientError(
            f"no worker has come within {profile.wait}{_queue(profile)}",
            f"profile of kind {'address' if profile.address else profile.kind}",
            "Look at the queue, or raise 'wait'; nothing was computed",
        ) from error
    check_workers(client, store)


def _queue(profile: Profile) -> str:
    """Return what the queue says of this user's jobs."""
    if profile.kind != "slurm" or shutil.which("squeue") is None:
        return ""
    asked = subprocess.run(
        ["squeue", "--noheader", "--me", "--format=%i %T %r"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [" ".join(line.split()) for line in asked.stdout.splitlines() if line.strip()]
    if asked.returncode:
        return f" (squeue: {asked.stderr.strip()[:200]})"
    return f" (jobs: {'; '.join(lines[:5])})" if lines else " (no job of yours is in the queue)"
