"""A child process that reads CDF files with pycdfpp, so that only the child can die of them.

One child per process, started at the first file and used for all that follow. It is a plain
subprocess: Dask workers are not allowed children of `multiprocessing`. Messages are pickles with
their length in front, over a socket that is the child's standard input; it ends when that closes.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import PipeError, SourceError, TransientError
from . import arena
from .arena import ArenaPool, Filler
from .cdf_backends import Contents, PycdfppBackend
from .cdf_direct import Stored, open_checked, read_stored, stamp_of

AVAILABLE = hasattr(socket, "send_fds")
ANSWER_SECONDS = 600.0
_INLINE_BYTES = 1 << 18
_OPEN_FILES = 4
# What is so large lies in the arena and is not kept decoded here as well.
_FORGOTTEN_BYTES = 1 << 22
_HEAD = struct.Struct(">Q")
# Signals that come from outside the reader: the out-of-memory killer, a scheduler.
_FROM_OUTSIDE = (signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGHUP)
_START = (
    "import sys; root = sys.argv[1]; sys.path[:0] = [root] if root not in sys.path else []; "
    "from sciqlop_pipe.sources.child import serve; serve()"
)


# Path -> (inode, size, modification time), reader: the files that the child has open.
Files = dict[str, tuple[tuple[int, ...], PycdfppBackend]]


@dataclass(frozen=True, slots=True)
class Opened:
    """What the child says of a file: its contents, what can be read without it, which file."""

    contents: Contents
    stored: Mapping[str, Stored]
    stamp: tuple[int, ...]


class ChildBackend:
    """Reads one CDF file: large values directly, all else through the child of this process."""

    def __init__(self, path: str | Path) -> None:
        self._path = str(Path(path).absolute())
        self._opened: Opened = shared_reader().ask("open", self._path)
        self.contents = self._opened.contents

    def read(self, name: str) -> np.ndarray:
        """Return the values of a variable as stored."""
        stored = self._opened.stored.get(name)
        if stored is None:
            values: np.ndarray = shared_reader().ask("read", self._path, name)
            return values
        with open_checked(self._path, self._opened.stamp) as file:
            found = read_stored(file, stored, self._path, shared_reader().room)
        return found if self.contents.variables[name].record_varying else found[0]

    def take(self, name: str) -> np.ndarray:
        """Return the values of a variable: every answer is an array of its own."""
        return self.read(name)

    def close(self) -> None:
        """Let the child forget the file."""
        shared_reader().forget(self._path)


class ChildReader:
    """The parent's end: starts the child, asks it, and buries it.

    Thread safe; one question at a time.
    """

    def __init__(self, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._seconds = answer_seconds
        self._lock = threading.Lock()
        self._pool = ArenaPool() if arena.AVAILABLE else None
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._said: IO[bytes] | None = None
        self._forgotten: list[str] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._leave)

    @property
    def pid(self) -> int | None:
        """The process id of the living child."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def ask(self, verb: str, path: str, name: str = "") -> Any:
        """Return the answer of the child.

        Raises
        ------
        SourceError
            What the child said about the file, or that it died of it.
        TransientError
            The child was killed from outside, or cannot be started.
        """
        with self._lock:
            forgotten, self._forgotten = self._forgotten, []
            connection = self._connection()
            loan = self._pool.take() if self._pool is not None else None
            try:
                try:
                    fds = [loan.fd] if loan is not None else []
                    _send(connection, (verb, path, name, forgotten), fds)
                    answer, _ = _receive(connection)
                except (OSError, EOFError) as error:
                    raise self._obituary(path, name, error) from None
                except BaseException:
                    # Interrupted between question and answer: the next one would get this answer.
                    self.close()
                    raise
                if isinstance(answer, _InArena) and loan is not None and self._pool is not None:
                    lent, loan = loan, None
                    return self._pool.lend(lent, np.dtype(answer.dtype), answer.shape)
            finally:
                if loan is not None and self._pool is not None:
                    self._pool.give_back(loan)
        if isinstance(answer, PipeError):
            raise answer
        return answer

    def room(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return an array to be filled."""
        if self._pool is None:
            return np.empty(shape, dtype)
        return self._pool.room(shape, dtype)

    def forget(self, path: str) -> None:
        """Tell the child, with the next question, that a file is no longer needed."""
        self._forgotten.append(path)

    def close(self) -> None:
        """End the child."""
        process, connection, said = self._process, self._socket, self._said
        self._process = self._socket = self._said = None
        if connection is not None:
            connection.close()
        if process is not None:
            process.kill()
            process.wait()
        if said is not None:
            said.close()

    def _leave(self) -> None:
        """In a forked process: let go of the child, which belongs to the other process."""
        if self._socket is not None:
            self._socket.close()
        self._process = self._socket = None

    def _connection(self) -> socket.socket:
        if self._socket is not None and self.pid is not None:
            return self._socket
        self.close()
        try:
            return self._start()
        except OSError as error:
            self.close()
            raise TransientError(
                f"the CDF reader cannot be started ({error.strerror or error})",
                todo="Too many processes or open files: use fewer workers",
            ) from error

    def _start(self) -> socket.socket:
        root = str(Path(__file__).resolve().parents[2])
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the child)
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(self._seconds)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, root],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._said,
            )
        return self._socket

    def _obituary(self, path: str, name: str, error: Exception) -> PipeError:
        """Bury the child and return what its death means."""
        process, said = self._process, self._said
        assert process is not None
        assert said is not None
        what = f"reading variable {name!r}" if name else "opening the file"
        if isinstance(error, TimeoutError):
            self.close()
            return SourceError(
                f"the CDF reader gave no answer within {self._seconds:.0f} s, {what}",
                path,
                "The file may be damaged: download it again",
            )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        code = process.poll()
        said.seek(0)
        last = said.read()[-2000:].decode("utf-8", "replace").strip().rpartition("\n")[2]
        self.close()
        if code is None or code >= 0:
            reason = f"exit {code}: {last}" if last else f"exit {code}"
            return SourceError(
                f"the CDF reader died ({reason}), {what}",
                path,
                "Download it again; if other files fail too, see sciqlop-pipe doctor",
            )
        if -code in _FROM_OUTSIDE:
            return TransientError(
                f"the CDF reader was killed (signal {-code}), {what}",
                path,
                "Perhaps memory ran out: use fewer workers",
            )
        return SourceError(
            f"the CDF reader died (signal {-code}), {what}: the file is damaged",
            path,
            "Download it again",
        )


def shared_reader() -> ChildReader:
    """Return the reader of this process (a forked process gets its own)."""
    return _reader_of(os.getpid())


@functools.cache
def _reader_of(pid: int) -> ChildReader:
    reader = ChildReader()
    atexit.register(_close_in, pid, reader)
    return reader


def _close_in(pid: int, reader: ChildReader) -> None:
    if os.getpid() == pid:
        reader.close()


# --- messages ----------------------------------------------------------------------------------


class _InArena:
    """An answer that lies in the arena that came with the question."""

    def __init__(self, dtype: str, shape: tuple[int, ...]) -> None:
        self.dtype, self.shape = dtype, shape


def _send(connection: socket.socket, message: Any, fds: list[int]) -> None:
    data = pickle.dumps(message, protocol=5)
    socket.send_fds(connection, [_HEAD.pack(len(data))], fds)
    connection.sendall(data)


def _receive(connection: socket.socket) -> tuple[Any, list[int]]:
    """Return one message and the descriptors that came with it; EOFError at the end."""
    head, fds, _, _ = socket.recv_fds(connection, _HEAD.size, 1)
    if not head:
        raise EOFError
    head += _exactly(connection, _HEAD.size - len(head))
    return pickle.loads(_exactly(connection, _HEAD.unpack(head)[0])), list(fds)


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = bytearray(count)
    view = memoryview(data)
    while view:
        done = connection.recv_into(view)
        if not done:
            raise EOFError
        view = view[done:]
    return bytes(data)


# --- the child's end ---------------------------------------------------------------------------


def serve() -> None:
    """Answer questions from standard input until it closes (the child's whole life)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = socket.socket(fileno=os.dup(0))
    files: Files = {}
    filler = Filler()
    while True:
        try:
            (verb, path, name, forgotten), fds = _receive(connection)
        except (EOFError, OSError):
            return
        for old in forgotten:
            files.pop(old, None)
        try:
            answer = _answer(files, verb, path, name, fds, filler)
        except PipeError as error:
            answer = error
        except OSError as error:
            said = error.strerror or error
            answer = SourceError(f"cannot be opened ({said})", path, "Check the path and rights")
        except Exception as error:  # noqa: BLE001 (the child lives on, whatever the file holds)
            answer = SourceError(f"cannot be read ({error!r})", path, "Download it again")
        for fd in fds:
            os.close(fd)
        try:
            _send(connection, answer, [])
        except OSError:
            return


def _answer(
    files: Files,
    verb: str,
    path: str,
    name: str,
    fds: list[int],
    filler: Filler,
) -> Any:
    backend = _backend(files, path)
    if verb == "open":
        return Opened(backend.contents, backend.stored, files[path][0])
    values = np.ascontiguousarray(backend.read(name))
    if not fds or values.nbytes < _INLINE_BYTES or values.dtype.hasobject:
        return values
    filler.fill(fds[0], values)
    if values.nbytes >= _FORGOTTEN_BYTES:
        backend.forget()
    return _InArena(values.dtype.str, values.shape)


def _backend(files: Files, path: str) -> PycdfppBackend:
    """Return the open file, anew if it has been replaced since."""
    stamp = stamp_of(path)
    if path in files and files[path][0] == stamp:
        return files[path][1]
    backend = PycdfppBackend(path)
    files[path] = (stamp, backend)
    while len(files) > _OPEN_FILES:
        files.pop(next(iter(files)))
    return backend
