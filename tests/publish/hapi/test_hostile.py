"""Requests that mean harm or make no sense, over HTTP: the right code, no trace, and it goes on."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import socket
import string
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from sciqlop_pipe.granule import HOUR, iso
from sciqlop_pipe.store import Store
from tests import builders
from tests.conftest import Effort
from tests.publish.hapi.running import ANY, running
from tests.publish.served import NAMES, START, put
from tests.waiting import until

SPAN = "start=2020-11-19T23Z&stop=2020-11-20T01Z"
SECRETS = ("Traceback", 'File "', "registry.sqlite", "sciqlop-store.json", "root:")


@contextmanager
def connected(hapi: str) -> Iterator[socket.socket]:
    parts = urlsplit(hapi)
    with socket.create_connection((parts.hostname or "", parts.port or 0), 10) as sock:
        yield sock


def said(sock: socket.socket) -> bytes:
    """What a server answers until it closes the connection."""
    found = b""
    try:
        while piece := sock.recv(65536):
            found += piece
    except ConnectionError:
        pass
    return found


def tail(sock: socket.socket) -> bytes:
    """What comes last of an answer, read for a second."""
    end, until_ = b"", time.monotonic() + 1
    try:
        while (piece := sock.recv(65536)) and time.monotonic() < until_:
            end = piece
    except OSError:
        pass
    return end


def alive(hapi: str) -> bool:
    return httpx.get(hapi.removesuffix("/hapi") + "/health").json()["status"] == "ok"


@pytest.mark.parametrize(
    "path",
    [
        "../registry.sqlite", "..%2fregistry.sqlite", "%2e%2e/%2e%2e/etc/passwd", "data/../../x",
        "/etc/passwd", "....//....//etc/passwd", "catalog/..", "info%00", "registry.sqlite",
        "sciqlop-store.json", "data%5c..%5c..%5cx", "%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
    ],
)  # fmt: skip
def test_paths_lead_nowhere(hapi: str, served: Path, path: str) -> None:
    with connected(hapi) as sock:
        sock.sendall(f"GET /hapi/{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        answer = said(sock)
    assert answer.split(b" ")[1] in (b"404", b"400")
    assert not any(s.encode() in answer for s in (*SECRETS, str(served)))


@pytest.mark.parametrize(
    "name",
    [
        "../a1.ion.moments", "a1.ion.moments/../../registry.sqlite", "/etc/passwd", "a1.ion.moments\0",
        "file:///etc/passwd", "' OR 1=1 --", '"; DROP TABLE granule; --', "%s%s%n", "{0.__class__}",
        "a" * 5000, "a1.ion.*", "\u202ea1", "🛰",
    ],
)  # fmt: skip
def test_names_of_datasets_are_only_names(hapi: str, served: Path, name: str) -> None:
    for url in (f"{hapi}/info?id={quote(name)}", f"{hapi}/data?id={quote(name)}&{SPAN}",
                f"{hapi}/data?id={NAMES['moments']}&{SPAN}&parameters={quote(name)}"):  # fmt: skip
        answer = httpx.get(url)
        assert answer.status_code == 404
        assert answer.json()["status"]["code"] in (1406, 1407)
        told = answer.text.replace(name, "")  # what was asked for is said back
        assert not any(s in told for s in (*SECRETS, str(served)))


@pytest.mark.parametrize(
    ("start", "stop", "code"),
    [
        ("0001", "9999-12-31T23:59:59.999999999", 1405),
        ("1677-01-01", "2263-01-01", 1405),
        ("2020-11-19T23:00:00." + "9" * 40, "2020-11-20", 200),
        ("9" * 500, "2021", 1402),
        ("2020-11-19T23", "2020-11-20T01:00:00.000000001", 1405),
        ("1e9", "2e9", 1402),
        ("NaT", "NaT", 1402),
    ],
)
def test_ranges_beyond_everything_are_told(hapi: str, start: str, stop: str, code: int) -> None:
    answer = httpx.get(f"{hapi}/data?id={NAMES['moments']}&start={start}&stop={stop}")
    assert (answer.status_code if answer.is_success else answer.json()["status"]["code"]) == code


@pytest.mark.parametrize(
    "bytes_",
    [
        b"\0" * 1000,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /hapi/catalog HTTP/1.1\r\n\r\n",  # no host
        b"GET /hapi/catalog HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
        b"GET /hapi/catalog HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
        b"GET /hapi/data?" + b"x" * 100_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /hapi/data HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\nabc",
        b"POST /hapi HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZZ\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    ],
)
def test_bytes_that_are_no_request_end_the_connection_only(hapi: str, bytes_: bytes) -> None:
    with connected(hapi) as sock:
        sock.settimeout(3)
        try:
            sock.sendall(bytes_)
            sock.shutdown(socket.SHUT_WR)
            answer = said(sock)
        except OSError:
            answer = b""
    assert b" 500 " not in answer
    assert not any(s.encode() in answer for s in SECRETS)
    assert alive(hapi)


@pytest.fixture(scope="module")
def much(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with an answer far larger than what networks buffer: 60 MB as binary."""
    root = tmp_path_factory.mktemp("much") / "store"
    from sciqlop_pipe.datatypes import EnergySpectrum

    time_ = builders.times(200_000, iso(START), "10ms")
    ds = builders.energy_spectrum(time_, energy=np.geomspace(10, 1e4, 32))
    with Store.open(root, create=True, durable=False) as store:
        put(store, "a1.much", EnergySpectrum, ds)
    return root


def ask_for_much(hapi: str, sock: socket.socket) -> None:
    stop = iso(START + HOUR)
    query = f"id=a1.much&start={iso(START)}&stop={stop}&format=binary"
    sock.sendall(f"GET /hapi/data?{query} HTTP/1.1\r\nhost: x\r\n\r\n".encode())


def streams(hapi: str) -> float:
    text = httpx.get(hapi.removesuffix("/hapi") + "/metrics").text
    return float(
        next(x.split()[1] for x in text.splitlines() if x.startswith("sciqlop_pipe_streams "))
    )


def test_a_client_that_leaves_frees_its_place(much: Path) -> None:
    with running(much, replace(ANY, streams=2, idle=60)) as hapi:
        for _ in range(6):
            with connected(hapi) as sock:
                ask_for_much(hapi, sock)
                assert sock.recv(1000)
        until(lambda: streams(hapi) == 0)
        assert alive(hapi)


def test_a_client_that_does_not_read_is_let_go_and_others_are_served(much: Path) -> None:
    with running(much, replace(ANY, streams=2, idle=0.5)) as hapi:
        with connected(hapi) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            ask_for_much(hapi, sock)
            until(lambda: streams(hapi) == 1)
            other = f"{hapi}/data?id=a1.much&start={iso(START)}&stop=2020-11-19T23:00:01Z"
            assert len(httpx.get(other).text.splitlines()) == 100
            until(lambda: streams(hapi) == 0)
            sock.settimeout(0.2)
            end = tail(sock)
        assert not end.endswith(b"0\r\n\r\n")  # cut: nobody takes it for the whole answer
        assert alive(hapi)


def test_a_client_that_never_ends_its_request_is_let_go(served: Path) -> None:
    with running(served, replace(ANY, idle=0.3)) as hapi, connected(hapi) as sock:
        sock.sendall(b"GET /hapi/catalog HTTP/1.1\r\nhost: x\r\n")

        def is_closed() -> bool:
            try:
                sock.sendall(b"x-slow: y\r\n")
            except OSError:
                return True
            return False

        until(is_closed, seconds=30)
        assert alive(hapi)


def test_a_client_that_keeps_asking_keeps_its_connection(served: Path) -> None:
    with running(served, replace(ANY, idle=1.5)) as hapi:
        parts = urlsplit(hapi)
        client = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        client.connect()
        first = client.sock
        for _ in range(30):  # together longer than it may be idle
            client.request("GET", "/health")
            assert client.getresponse().read()
            assert client.sock is first
            time.sleep(0.07)
        client.close()


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=()) | st.sampled_from(string.printable),
    max_size=40,
)
KNOWN = st.sampled_from(
    [*NAMES.values(), "a1.crossings", "2020-11-19T23Z", "2020-11-20T01Z", "2020", "csv", "binary",
     "json", "header", "density,velocity", "Time", "f", "all", "dataset", "true", ""]
)  # fmt: skip
KEYS = st.sampled_from(
    ["id", "dataset", "start", "stop", "time.min", "time.max", "parameters", "format", "include",
     "depth", "resolve_references"]
)  # fmt: skip
PATHS = st.sampled_from(["data"] * 4 + ["info", "info", "catalog", "about", "capabilities", ""])
QUERIES = st.lists(st.tuples(KEYS | WORDS, KNOWN | WORDS), max_size=7)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["accept-encoding", "if-none-match", "if-modified-since", "range", "accept", "cookie"]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40).map(str.strip)
    | st.sampled_from(["gzip", "*", "bytes=0-1", "Mon, 01 Jan 2001 00:00:00 GMT"]),
    max_size=3,
)
METHODS = st.sampled_from(["GET"] * 8 + ["HEAD", "POST", "OPTIONS"])


def no_request_is_a_500(hapi: str, examples: int, seed_: int) -> None:
    parts = urlsplit(hapi)
    with httpx.Client(base_url=f"http://{parts.netloc}", timeout=30) as client:

        @seed(seed_)
        @settings(max_examples=examples, deadline=None, database=None,
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(PATHS, WORDS, QUERIES, HEADERS, METHODS)
        @example("data", "", [("id", NAMES["vdf"]), ("start", "2020"), ("stop", "2021")], {}, "GET")
        def each(path: str, tail: str, query: list, headers: dict, method: str) -> None:
            words = "&".join(f"{_quoted(k)}={_quoted(v)}" for k, v in query)
            url = f"/hapi/{path}{_quoted(tail) if len(query) % 5 == 4 else ''}?{words}"
            answer = client.request(method, url, headers=headers)
            assert answer.status_code < 500, (url, answer.text)
            if answer.status_code >= 400 and method != "HEAD":
                code = answer.json()["status"]["code"]
                assert 1400 <= code < 1500, (url, answer.text)
            assert not any(s in answer.text for s in SECRETS)

        each()


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))


def test_a_few_requests_made_up_at_random_are_answered(hapi: str) -> None:
    no_request_is_a_500(hapi, 25, 1)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_requests_made_up_at_random_are_never_a_500(hapi: str, effort: Effort) -> None:
    no_request_is_a_500(hapi, 400 if effort.short else 20_000, effort.seed)
    assert alive(hapi)
    until(lambda: streams(hapi) == 0)


@pytest.mark.long
@pytest.mark.timeout(400)
def test_two_hundred_clients_at_once_get_answers(served: Path, effort: Effort) -> None:
    """For a minute (10 s when short): each answer is right, or 503 with a time; memory is bounded."""
    seconds, clients = (10 if effort.short else 60), 200
    with serving(served, "--rate", "0") as base:
        hapi = f"{base}/hapi"
        urls = [f"{hapi}/data?id={name}&{SPAN}&format=binary" for name in NAMES.values()]
        right = {url: httpx.get(url, timeout=120).content for url in urls}
        wrong: list[str] = []
        count = {200: 0, 503: 0}
        peak = before = resident(base)

        async def client(k: int, until_: float, session: httpx.AsyncClient) -> None:
            while time.monotonic() < until_:
                url = urls[k % len(urls)]
                answer = await session.get(url)
                if answer.status_code == 503 and int(answer.headers["retry-after"]) > 0:
                    await asyncio.sleep(0.5)
                elif answer.status_code != 200 or answer.content != right[url]:
                    wrong.append(f"{answer.status_code} {answer.text[:200]}")
                count[answer.status_code] = count.get(answer.status_code, 0) + 1

        async def all_of_them() -> None:
            nonlocal peak
            limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
            until_ = time.monotonic() + seconds
            async with httpx.AsyncClient(timeout=120, limits=limits) as session:
                tasks = [asyncio.ensure_future(client(k, until_, session)) for k in range(clients)]
                while not all(t.done() for t in tasks):
                    await asyncio.sleep(1)
                    peak = max(peak, await asyncio.to_thread(resident, base))
                await asyncio.gather(*tasks)

        asyncio.run(all_of_them())
        print(json.dumps({"answers": count, "MB more": (peak - before) / 1e6}))
        assert not wrong, wrong[:3]
        assert count[200] >= clients
        assert peak - before < 500e6
        until(lambda: streams(hapi) == 0)


@contextmanager
def serving(root: Path, *options: str) -> Iterator[str]:
    """A server in a process of its own, started by the command line."""
    run = "from sciqlop_pipe.cli import main; main()"
    command = [sys.executable, "-c", run, "serve", "--store", str(root), "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        line = next(x for x in process.stderr if "http://" in x)
        yield "http://" + line.split("http://")[1].split("/hapi")[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def resident(base: str) -> float:
    text = httpx.get(f"{base}/metrics", timeout=120).text
    name = "sciqlop_pipe_resident_bytes "
    return float(next(x.split()[1] for x in text.splitlines() if x.startswith(name)))
