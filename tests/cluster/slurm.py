"""A real SLURM on one machine, in a temporary folder: munge, controller, one node."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import until

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "runuser")


def lacking() -> str:
    """Return why SLURM cannot be started here, '' when it can."""
    paths = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    if missing := [p for p in PROGRAMS if shutil.which(p, path=paths) is None]:
        return f"no {missing[0]} here (Debian: apt-get install slurm-wlm munge)"
    return "" if os.geteuid() == 0 else "SLURM's daemons are started as root"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def slurm(folder: Path, cpus: int = 2) -> Iterator[Path]:
    """Give the configuration file of a SLURM that runs; everything is stopped afterwards."""
    os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
    munge, state, spool = folder / "munge", folder / "state", folder / "spool"
    for made in (munge, state, spool):
        made.mkdir(parents=True)
    for parent in (munge, *munge.parents):  # pytest's folders are closed to others
        if parent.is_relative_to("/tmp/pytest-of-root") or parent == munge:
            parent.chmod(parent.stat().st_mode | 0o055)
    key = munge / "key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    for path in (munge, key):
        shutil.chown(path, "munge", "munge")
    sockets = Path(f"/tmp/munge-{os.getpid()}")
    sockets.mkdir(mode=0o755)
    shutil.chown(sockets, "munge", "munge")
    processes: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> None:
        log = (folder / f"{Path(command[-1]).name}-{len(processes)}.log").open("wb")
        processes.append(subprocess.Popen(command, stdout=log, stderr=log, cwd="/"))

    try:
        start(
            "runuser", "-u", "munge", "--", "munged", "--foreground", f"--key-file={key}",
            f"--socket={sockets}/s", f"--pid-file={munge}/pid", f"--log-file={munge}/log",
            f"--seed-file={munge}/seed", "--num-threads=2",
        )  # fmt: skip
        until((sockets / "s").exists, "munged does not start")
        conf = folder / "slurm.conf"
        host = socket.gethostname()
        conf.write_text(f"""
ClusterName=loopback
SlurmctldHost={host}
AuthType=auth/munge
AuthInfo=socket={sockets}/s
SlurmUser=root
SlurmdUser=root
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={state}
SlurmdSpoolDir={spool}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=2,batch_sched_delay=0,sched_min_interval=100000
KillWait=2
SlurmdParameters=config_overrides
NodeName={host} CPUs={cpus} RealMemory=6000 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
""")
        os.environ["SLURM_CONF"] = str(conf)
        start("slurmctld", "-D", "-f", str(conf))
        start("slurmd", "-D", "-f", str(conf))
        until(
            lambda: "idle" in _said("sinfo", "--noheader", "--format=%T"), "the node does not start"
        )
        yield conf
    finally:
        _said("scancel", "--user=root")
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        os.environ.pop("SLURM_CONF", None)
        shutil.rmtree(sockets, ignore_errors=True)


def jobs() -> list[str]:
    """Return the ids of all jobs that wait or run."""
    return _said("squeue", "--noheader", "--format=%i").split()


def cancel(job: str) -> None:
    _said("scancel", "--signal=KILL", "--full", job)


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
