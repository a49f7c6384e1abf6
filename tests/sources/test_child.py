"""The child that reads CDF files: only it may die, and nobody waits for it or inherits it."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from sciqlop_pipe.errors import SourceError, TransientError
from sciqlop_pipe.sources import arena, child
from sciqlop_pipe.sources.arena import ArenaPool
from sciqlop_pipe.sources.child import ChildBackend, ChildReader, shared_reader
from tests.sources.cdf_builders import big_cdf, small_cdf
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.skipif(not child.AVAILABLE, reason="no descriptors over sockets here")
ROOT = Path(__file__).resolve().parents[2]

# A child whose reader meets its fate at files of certain names.
FATES = """
import os, signal, sys, time
sys.path[:0] = [sys.argv[1]]
from sciqlop_pipe.sources import child
class Fated(child.PycdfppBackend):
    def read(self, name):
        if "deadly" in self._path: os.kill(os.getpid(), signal.SIGSEGV)
        if "killed" in self._path: os.kill(os.getpid(), signal.SIGKILL)
        if "leaves" in self._path: print("bad things", file=sys.stderr, flush=True); os._exit(3)
        if "endless" in self._path: time.sleep(600)
        return super().read(name)
child.PycdfppBackend = Fated
child.serve()
"""


@pytest.fixture
def reader():
    made = ChildReader()
    yield made
    made.close()


@pytest.fixture
def fated(monkeypatch):
    monkeypatch.setattr(child, "_START", FATES)
    made = ChildReader(answer_seconds=PATIENCE)
    yield made
    made.close()


def test_one_child_reads_many_files(reader: ChildReader, tmp_path: Path):
    pids = set()
    for i in range(7):
        path = small_cdf(tmp_path / f"{i}.cdf")
        assert "flux" in reader.ask("open", str(path)).contents.variables
        assert reader.ask("read", str(path), "flux").shape == (40, 4, 3)
        reader.forget(str(path))
        pids.add(reader.pid)
    assert len(pids) == 1
    assert reader.pid != os.getpid()


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("deadly", SourceError, r"the CDF reader died \(signal 11\), reading variable 'flux'"),
        ("leaves", SourceError, r"the CDF reader died \(exit 3: bad things\)"),
        ("killed", TransientError, r"was killed \(signal 9\).*fewer workers"),
    ],
)
def test_the_death_of_the_child_costs_one_error(fated, tmp_path: Path, name, error, says):
    bad = str(small_cdf(tmp_path / f"{name}.cdf"))
    good = str(small_cdf(tmp_path / "good.cdf"))
    fated.ask("open", bad)
    for _ in range(2):
        with pytest.raises(error, match=says) as caught:
            fated.ask("read", bad, "flux")
        assert caught.value.where == bad
        assert fated.pid is None
        assert fated.ask("read", good, "flux").shape == (40, 4, 3)


def test_a_child_that_gives_no_answer_is_ended(fated, tmp_path: Path):
    path = str(small_cdf(tmp_path / "endless.cdf"))
    fated._seconds = 1.0
    with pytest.raises(SourceError, match="no answer within 1 s"):
        fated.ask("read", path, "flux")
    assert fated.pid is None


def test_a_child_killed_while_idle_is_replaced(reader: ChildReader, tmp_path: Path):
    path = str(small_cdf(tmp_path / "a.cdf"))
    reader.ask("open", path)
    os.kill(reader.pid, signal.SIGKILL)
    reader._process.wait()
    assert reader.ask("read", path, "counts").sum() == np.arange(40).sum()


def test_what_the_child_says_about_a_file_arrives_as_its_error(reader, tmp_path: Path):
    path = tmp_path / "a.cdf"
    path.write_bytes(b"no CDF" * 100)
    with pytest.raises(SourceError, match="not a CDF file"):
        reader.ask("open", str(path))
    with pytest.raises(SourceError, match="cannot be opened"):
        reader.ask("open", str(tmp_path / "absent.cdf"))
    assert reader.pid is not None


def test_a_replaced_file_is_read_anew(reader: ChildReader, tmp_path: Path):
    path = small_cdf(tmp_path / "a.cdf")
    assert reader.ask("read", str(path), "flux").shape == (40, 4, 3)
    other = big_cdf(tmp_path / "b.cdf", 1)
    other.replace(path)
    assert "flux" not in reader.ask("open", str(path)).contents.variables


def test_large_arrays_are_right_and_stay_right(tmp_path: Path):
    path = big_cdf(tmp_path / "a.cdf")
    expected = np.random.default_rng(1).poisson(0.5, (128, 64, 256)).astype("f4")
    kept = []
    for _ in range(3):
        backend = ChildBackend(path)
        kept.append(backend.read("f"))
        backend.close()
    view = kept[1][5:7]
    del kept[1]
    gc.collect()
    again = ChildBackend(path).read("f")
    for values in (*kept, again):
        np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(view, expected[5:7])


def test_threads_get_what_they_asked_for(tmp_path: Path):
    paths = [big_cdf(tmp_path / "a.cdf", 2), big_cdf(tmp_path / "b.cdf", 3, compressed=False)]
    sums = {p: float(ChildBackend(p).read("f").sum(dtype="f8")) for p in paths}
    faults = []

    def work(path: Path) -> None:
        for _ in range(6):
            backend = ChildBackend(path)
            if backend.read("f").sum(dtype="f8") != sums[path]:
                faults.append(path)
            if backend.read("index")[-1] != len(backend.read("index")) - 1:
                faults.append(path)
            backend.close()

    threads = [threading.Thread(target=work, args=(p,)) for p in paths * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


@pytest.mark.skipif(not arena.AVAILABLE, reason="no memfd here")
def test_an_arena_is_lent_again_only_when_no_array_looks_into_it():
    pool = ArenaPool()
    filler = arena.Filler()

    def lend(value: float) -> np.ndarray:
        taken = pool.take()
        filler.fill(taken.fd, np.full(100_000, value))
        return pool.lend(taken, np.dtype("f8"), (100_000,))

    first = lend(1.0)
    piece = first[10:20]
    del first
    second = lend(2.0)
    assert (piece == 1.0).all()
    where = second.__array_interface__["data"][0]
    del second
    third = lend(3.0)
    assert third.__array_interface__["data"][0] == where
    assert (piece == 1.0).all()
    assert (third == 3.0).all()


@pytest.mark.skipif(not arena.AVAILABLE, reason="no memfd here")
def test_an_arena_that_the_asking_process_made_larger_is_filled_like_any_other():
    pool, filler = ArenaPool(), arena.Filler()

    def lend(n: int, value: float) -> np.ndarray:
        taken = pool.take()
        filler.fill(taken.fd, np.full(n, value))
        return pool.lend(taken, np.dtype("f8"), (n,))

    for value in (1.0, 2.0):  # the second time it is mapped
        assert (lend(1000, value) == value).all()
    assert pool.room((100_000,), np.dtype("f8")).size == 100_000
    assert (lend(50_000, 3.0) == 3.0).all()
    assert (lend(1000, 4.0) == 4.0).all()


@pytest.mark.skipif(not arena.AVAILABLE, reason="no memfd here")
def test_many_arrays_at_once_do_not_use_up_the_descriptors(tmp_path: Path):
    path = big_cdf(tmp_path / "a.cdf", 1)
    backend = ChildBackend(path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    kept = [backend.read("f") for _ in range(150)]
    assert len(list(Path("/proc/self/fd").iterdir())) < before + 140
    for values in kept:
        np.testing.assert_array_equal(values, kept[0])


@pytest.mark.skipif(not arena.AVAILABLE, reason="no memfd here")
def test_what_a_forked_process_may_look_at_is_not_filled_again():
    pool = ArenaPool()
    filler = arena.Filler()
    taken = pool.take()
    filler.fill(taken.fd, np.ones(1000))
    lent = pool.lend(taken, np.dtype("f8"), (1000,))
    pool._new_era()
    del lent
    assert pool.take() is not taken


def run(code: str, *args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, args)], cwd=ROOT, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def test_a_daemonic_process_may_have_the_child(tmp_path: Path):
    code = """
import multiprocessing, sys
def work(path):
    from sciqlop_pipe.sources.cdf import open_cdf
    with open_cdf(path) as cdf:
        print(type(cdf._backend).__name__, cdf.values("flux").shape)
if __name__ == "__main__":
    process = multiprocessing.get_context("fork").Process(
        target=work, args=(sys.argv[1],), daemon=True)
    process.start(); process.join(); sys.exit(process.exitcode)
"""
    done = run(code, small_cdf(tmp_path / "a.cdf"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[0] == "ChildBackend (40, 4, 3)"


def test_a_forked_process_has_a_child_of_its_own(tmp_path: Path):
    code = """
import os, sys
from sciqlop_pipe.sources.child import ChildBackend, shared_reader
ChildBackend(sys.argv[1]); mine = shared_reader().pid
reads, writes = os.pipe()
if os.fork() == 0:
    ChildBackend(sys.argv[1]).read("flux")
    os.write(writes, str(shared_reader().pid).encode()); os._exit(0)
os.wait()
other = int(os.read(reads, 100))
assert ChildBackend(sys.argv[1]).read("flux").shape == (40, 4, 3)
assert shared_reader().pid == mine != other
"""
    done = run(code, small_cdf(tmp_path / "a.cdf"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("end", ["sys.exit(0)", "os._exit(1)", "os.kill(os.getpid(), 9)"])
def test_the_child_ends_with_its_parent(tmp_path: Path, end: str):
    code = f"""
import os, sys
from sciqlop_pipe.sources.child import ChildBackend, shared_reader
ChildBackend(sys.argv[1]); print(shared_reader().pid, flush=True)
{end}
"""
    done = run(code, small_cdf(tmp_path / "a.cdf"))
    pid = int(done.stdout.split()[0])
    until(lambda: not _is_child(pid), "the child still lives", seconds=60)


def _is_child(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"sciqlop_pipe.sources.child" in command


def test_nothing_is_started_before_it_is_needed():
    code = """
import sciqlop_pipe.sources.child as child, sys
assert "pycdfpp" not in sys.modules and "cdflib" not in sys.modules
assert child._reader_of.cache_info().currsize == 0
"""
    done = run(code)
    assert done.returncode == 0, done.stderr


def test_the_reader_is_shared_by_a_process():
    assert shared_reader() is shared_reader()
