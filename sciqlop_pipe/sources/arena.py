"""Memory that a child process fills and this process reads: arrays without a second copy.

An arena is anonymous memory known by a file descriptor only, so nothing has a name, and nothing
stays behind whoever dies first. Fresh memory costs more than the copy into it (the kernel zeroes
every page), so an arena is used again once no array looks into it any more.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import weakref
from collections import deque
from typing import Any

import numpy as np

AVAILABLE = hasattr(os, "memfd_create")
_KEPT_BYTES = 256 << 20
# Every arena on loan costs two descriptors, of which a process may have about a thousand.
_MOST_LENT = 64


class Arena:
    """One stretch of shared memory."""

    def __init__(self, era: int) -> None:
        self.era = era
        self.fd = os.memfd_create("sciqlop-pipe-cdf")
        self.memory: mmap.mmap | None = None

    @property
    def size(self) -> int:
        """Bytes that are mapped here."""
        return len(self.memory) if self.memory is not None else 0

    def reserve(self, size: int) -> None:
        """Make room for `size` bytes."""
        if os.fstat(self.fd).st_size < size:
            os.ftruncate(self.fd, size)

    def view(self, size: int) -> mmap.mmap:
        """Return the memory, at least `size` bytes of it, as the child has filled it."""
        if self.memory is None or len(self.memory) < size:
            self.memory = mmap.mmap(self.fd, os.fstat(self.fd).st_size)
        return self.memory

    def close(self) -> None:
        """Give up the descriptor; the memory goes with the last array on it."""
        os.close(self.fd)
        self.memory = None


class ArenaPool:
    """Lends arenas; an arena comes back when the last array on it is gone.

    Arrays may die in any thread, even inside the garbage collector: coming back takes no lock.
    """

    def __init__(self) -> None:
        self._idle: deque[Arena] = deque()
        self._lent: set[int] = set()
        self._era = 0
        # A forked process shares the memory: what it may look at must not be filled again.
        os.register_at_fork(before=self._new_era)

    def take(self) -> Arena:
        """Return an arena that nobody uses."""
        while self._idle:
            with contextlib.suppress(IndexError):
                arena = self._idle.popleft()
                if arena.era == self._era:
                    return arena
                arena.close()
        return Arena(self._era)

    def give_back(self, arena: Arena) -> None:
        """Keep an arena for the next reader, unless it is old or there are enough."""
        self._lent.discard(id(arena))
        kept = sum(other.size for other in tuple(self._idle))
        if arena.era == self._era and kept + arena.size <= _KEPT_BYTES:
            self._idle.append(arena)
        else:
            arena.close()

    def room(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return an array to be filled, in memory that was touched before where there is some."""
        arena = self.take()
        try:
            arena.reserve(dtype.itemsize * int(np.prod(shape, dtype=np.int64)))
        except OSError:
            arena.close()
            raise
        return self.lend(arena, dtype, shape)

    def lend(self, arena: Arena, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
        """Return the array in an arena; the arena returns to the pool after it.

        With many arenas on loan it is a copy.
        """
        try:
            loan = np.asarray(_Loan(self, arena, dtype, shape))
        except BaseException:
            arena.close()
            raise
        if len(self._lent) >= _MOST_LENT:
            return loan.copy()
        self._lent.add(id(arena))
        return loan

    def _new_era(self) -> None:
        self._era += 1


class _Loan:
    """Owns an arena on behalf of the arrays made from it (numpy keeps it as their base)."""

    def __init__(
        self, pool: ArenaPool, arena: Arena, dtype: np.dtype, shape: tuple[int, ...]
    ) -> None:
        size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        whole = np.frombuffer(arena.view(size), dtype, count=size // dtype.itemsize)
        self.__array_interface__: dict[str, Any] = whole.reshape(shape).__array_interface__
        # The arena may map more memory for a later reader; these arrays stay on theirs.
        self._memory = whole
        self._give_back = weakref.finalize(self, pool.give_back, arena)
        self._give_back.atexit = False


class Filler:
    """Writes arrays into arenas (in the child).

    A fresh arena is written through its descriptor; one that comes again is mapped and stays so,
    which spares the page faults.
    """

    def __init__(self) -> None:
        self._maps: dict[int, mmap.mmap] = {}

    def fill(self, fd: int, values: np.ndarray) -> None:
        """Write a contiguous array into the arena behind a descriptor."""
        state = os.fstat(fd)
        data = values.reshape(-1).view(np.uint8).data
        if state.st_size < len(data):
            self._maps.pop(state.st_ino, None)
            done = 0
            while done < len(data):
                done += os.pwrite(fd, data[done:], done)
            return
        memory = self._maps.pop(state.st_ino, None)
        if memory is None or len(memory) < len(data):
            # The asking process may have made the arena larger, for an array of its own.
            memory = mmap.mmap(fd, state.st_size)
        memory[: len(data)] = data
        self._maps[state.st_ino] = memory
        while sum(map(len, self._maps.values())) > _KEPT_BYTES:
            self._maps.pop(next(iter(self._maps)))
