"""Killed, out of room, off the network: the same command goes on where it was."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed import Client, LocalCluster

from sciqlop_pipe.errors import ArchiveGone
from sciqlop_pipe.sources.access import Access
from sciqlop_pipe.sources.archive import RawFile
from sciqlop_pipe.sources.doors import open_doors
from sciqlop_pipe.sources.fetch import fetch
from sciqlop_pipe.sources.http import Patience
from tests.sources.cdaweb import FOLDER, vectors, write_day
from tests.sources.test_doors import DECODED, INFO, SERVED, binary, hapi_bytes, held, run, wanted
from tests.sources.web import Fault, Web, page, resumable, serving
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).resolve().parents[2]
CONTENT = np.random.default_rng(3).bytes(300_000)
NAME = "x_20200101_v1.0.cdf"
# One command: fetch a file into a cache.
COMMAND = """
import sys
from pathlib import Path
from sciqlop_pipe.errors import PipeError
from sciqlop_pipe.sources.access import Access
from sciqlop_pipe.sources.archive import RawFile
from sciqlop_pipe.sources.fetch import fetch
from sciqlop_pipe.sources.http import Patience
url, cache = sys.argv[1:3]
access = Access(cache=cache, patience=Patience(tries=1, timeout_seconds=20))
try:
    print(fetch(RawFile("x_20200101_v1.0.cdf", url, 0, None, (1, 0), -1, ""), Path(cache) / "t", access))
except PipeError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def web(tmp_path: Path, monkeypatch) -> Iterator[Web]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "www").mkdir()
    with serving(tmp_path / "www") as running:
        yield running


def stalling(sent: int, over: threading.Event) -> Fault:
    """Send the first bytes of the content, then nothing more for as long as the test likes."""

    def fault(handler: Any) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.send_header("ETag", '"one"')
        handler.end_headers()
        handler.wfile.write(CONTENT[:sent])
        handler.wfile.flush()
        over.wait(PATIENCE)
        handler.close_connection = True
        return True

    return fault


def parts(cache: Path) -> int:
    """How much has arrived of what is on its way [bytes]."""
    found = [p for p in cache.glob("parts/*") if p.suffix not in (".lock", ".validator")]
    return sum(p.stat().st_size for p in found)


def test_a_download_killed_in_the_middle_is_continued_by_the_same_command(web: Web, tmp_path: Path):
    asked: list[str] = []
    over = threading.Event()
    web.faults[f"/{NAME}"] = [stalling(200_000, over), resumable(CONTENT, asked=asked)]
    cache = tmp_path / "cache"
    command = [sys.executable, "-c", COMMAND, web.address + NAME, str(cache)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as first:
        until(lambda: parts(cache) > 150_000)
        first.send_signal(signal.SIGKILL)
        assert first.wait() == -signal.SIGKILL
    over.set()
    arrived = parts(cache)
    assert not list(cache.rglob(NAME))  # nothing that looks like a file
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert Path(again.stdout.strip()).read_bytes() == CONTENT
    assert asked == [f"bytes={arrived}-"]
    assert parts(cache) == 0


@pytest.mark.skipif(
    shutil.which("unshare") is None or os.geteuid() != 0, reason="needs root to mount a small disk"
)
def test_a_disk_that_is_full_in_the_middle_is_said_and_the_same_command_goes_on(
    web: Web, tmp_path: Path
):
    asked: list[str] = []
    web.faults[f"/{NAME}"] = [resumable(CONTENT, asked=asked)] * 2
    cache = tmp_path / "cache"
    cache.mkdir()
    script = (
        'mount -t tmpfs -o size=200k none "$1" && "$2" -c "$3" "$4" "$1" && '
        'mount -o remount,size=2m "$1" && "$2" -c "$3" "$4" "$1" && cmp "$1"/t/*/* "$5"'
    )
    (tmp_path / "right").write_bytes(CONTENT)
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", str(cache), sys.executable, COMMAND,
         web.address + NAME, str(tmp_path / "right")],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    if "permitted" in ran.stderr or "denied" in ran.stderr:
        pytest.skip(f"this machine does not let us mount: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    full, done = ran.stdout.splitlines()
    assert full.startswith("StorageFull") and "No space left on device" in full
    assert "run the same command again" in full
    assert done.endswith(NAME)
    first, rest = asked
    assert first == "" and rest.startswith("bytes=") and int(rest[6:-1]) > 50_000


def test_offline_opens_no_socket_whatever_the_door(web: Web, tmp_path: Path, monkeypatch):
    """Files by a rule, HAPI, and speasy, of which not even the process is started."""
    root = tmp_path / "www"
    write_day(root, "2020-01-01")
    web.faults["/hapi/info*"] = [page(json.dumps(INFO), "application/json")] * 9
    web.faults["/hapi/data*"] = [binary(hapi_bytes())] * 9
    online = Access(cache=str(tmp_path / "cache"), patience=Patience(tries=1, timeout_seconds=5))
    offline = replace(online, offline=True)
    rule = f"{web.address}{FOLDER}/{{start:%Y}}/"
    server = f"hapi+{web.address}hapi"
    run(tmp_path / "files", open_doors([rule], wanted(), online), access=online)
    run(tmp_path / "hapi", open_doors([server], wanted(SERVED), online), SERVED, online)

    opened: list[Any] = []

    def refuse(self: socket.socket, where: Any) -> None:
        opened.append(where)
        raise OSError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(
        "sciqlop_pipe.sources.speasy.subprocess.run", lambda *a, **k: opened.append(a)
    )
    again = run(tmp_path / "f2", open_doors([rule], wanted(), offline), access=offline)
    assert (again.done, again.status) == (1, 0)
    run(tmp_path / "h2", open_doors([server], wanted(SERVED), offline), SERVED, offline)
    assert np.array_equal(held(tmp_path / "f2"), vectors(24))
    assert np.array_equal(held(tmp_path / "h2"), held(tmp_path / "hapi"))
    for word, source in (("speasy", DECODED), (f"{web.address}other/{{start:%Y}}/", DECODED)):
        with pytest.raises(ArchiveGone, match=r"network is not to be used.*|without --offline"):
            open_doors([word], wanted(source), offline)
    assert opened == []
    # The control: without --offline the same doors do touch it.
    with pytest.raises(ArchiveGone):
        open_doors([rule], wanted(), online)
    assert opened


@pytest.mark.system
def test_a_server_never_sees_more_requests_at_once_than_the_limit_from_processes_of_a_cluster(
    web: Web, tmp_path: Path
):
    now, most, lock = 0, 0, threading.Lock()

    def counted(handler: Any) -> bool:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.5)  # long enough for the others to come, if they may
        with lock:
            now -= 1
        return resumable(CONTENT)(handler)

    web.faults["/*"] = [counted] * 99

    def crowd(at_once: int) -> int:
        nonlocal most
        most = 0
        access = Access(at_once=at_once, patience=Patience(tries=1))
        futures = [
            client.submit(
                fetch, RawFile(NAME, f"{web.address}{at_once}-{i}", 0, None, (), -1, ""),
                tmp_path / f"{at_once}-{i}", access, pure=False,
            )
            for i in range(16)
        ]  # fmt: skip
        paths = client.gather(futures)
        assert all(p.read_bytes() == CONTENT for p in paths)
        return most

    with (
        LocalCluster(n_workers=3, threads_per_worker=3, processes=True, dashboard_address=":0",
                     silence_logs=50) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):  # fmt: skip
        assert crowd(2) == 2
        assert crowd(9) > 2  # the control: it is the limit that held them back
