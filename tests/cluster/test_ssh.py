"""An SSH cluster on loopback: an sshd of our own, on a port that anyone may open."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.cluster.profile import Ssh
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.store.compare import contents_on_disk
from tests.cluster.slurm import free_port
from tests.conftest import ROOT
from tests.serial import Bench
from tests.toy import DAY, toy_graph
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ssh]:
    """A server that lets this user in with a key of its own."""
    pytest.importorskip("asyncssh")
    sshd = shutil.which("sshd", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    if sshd is None or shutil.which("ssh-keygen") is None:
        pytest.skip("no sshd here (Debian: apt-get install openssh-server)")
    folder, port = tmp_path_factory.mktemp("ssh"), free_port()
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True
        )
    (folder / "authorized").write_text((folder / "user.pub").read_text())
    host = (folder / "host.pub").read_text().split()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {host[0]} {host[1]}\n")
    (folder / "conf").write_text(f"""
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
""")
    separated = Path("/run/sshd")
    made = os.geteuid() == 0 and not separated.exists()
    if made:
        separated.mkdir(mode=0o755)
    log = (folder / "log").open("wb")
    server = subprocess.Popen([sshd, "-D", "-e", "-f", str(folder / "conf")], stderr=log)

    def is_open() -> bool:
        with socket.create_connection(("127.0.0.1", port), 10):
            return True

    try:
        until(lambda: server.poll() is not None or is_open())
        if server.poll() is not None:
            pytest.skip(f"sshd does not start here: {(folder / 'log').read_text()[-300:]}")
        yield Ssh(
            ("127.0.0.1",) * 3, port, getpass.getuser(), str(folder / "user"),
            str(folder / "known"), interface="lo",
        )  # fmt: skip
    finally:
        server.terminate()
        server.wait(10)
        if made:
            separated.rmdir()


def test_two_workers_reached_by_ssh_make_the_same_store(bench: Bench, ssh: Ssh) -> None:
    bench.files(3, 4, 5)
    assert bench.run("toy.both", name="undisturbed").status == 0
    environment = {"PYTHONPATH": str(ROOT), "TOY_WORDS": "a b 'c' $HOME"}
    profile = Profile(
        kind="ssh", workers=2, memory="1GB", wait="60s", ssh=ssh, environment=environment
    )
    with bench.store() as store:
        with open_cluster(profile, str(store.root)) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
            theirs = client.run(os.getenv, "TOY_WORDS")
            assert set(theirs.values()) == {environment["TOY_WORDS"]}
            report = run_campaign(
                store, toy_graph(), ["toy.both"], [DAY], bench.listing(), lambda: client
            )
        assert report.status == 0
        made = contents_on_disk(store)
    with bench.store("undisturbed") as store:
        assert made == contents_on_disk(store)


def test_a_host_that_lets_nobody_in_is_named(ssh: Ssh, tmp_path: Path) -> None:
    key = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with (
        pytest.raises(UsageError, match=r"127\.0\.0\.1: the hosts are not reached"),
        open_cluster(Profile(kind="ssh", ssh=replace(ssh, identity=str(key)))),
    ):
        pass
