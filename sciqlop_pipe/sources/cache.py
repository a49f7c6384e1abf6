"""The cache of raw files: whole files under their token, least used ones removed first."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from blake3 import blake3

_BLOCK_BYTES = 1 << 20
_HASHED_BYTES = 1 << 18  # stays in the second-level cache between reading and hashing
_SPARE_SECONDS = 60.0  # a file this young may be about to be borrowed
_FACTS = "facts.json"
_PARTS_KEPT_SECONDS = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of the cache: where, and the SHA-256 that was taken when it arrived."""

    path: Path
    checksum: str


class RawCache:
    """A folder of downloaded files that several processes share.

    ``files/TOKEN/NAME`` is a file, ``files/TOKEN/facts.json`` its size, modification time and
    SHA-256; ``parts`` holds what is on its way, ``documents`` the listings seen last. A file is
    borrowed by a hard link (a copy where there are none), so removing it from the cache never
    takes it from a task that reads it.

    Parameters
    ----------
    folder : Path
        Made if needed.
    limit : int
        Bytes; -1 for no limit.
    """

    def __init__(self, folder: Path, limit: int = -1) -> None:
        self.folder, self.limit = Path(folder), limit

    def part(self, token: str) -> Path:
        """Return where the download of a token is collected."""
        return self.folder / "parts" / token

    @contextlib.contextmanager
    def alone(self, token: str) -> Iterator[Path]:
        """Keep others from getting the same file at the same time; give where it is collected.

        Where locks do not work, a file is at worst downloaded twice: each has a part of its own.
        """
        locks = self.folder / "parts"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / f"{token}.lock").open("w") as file:
            if _locked(file):
                yield self.part(token)
                return
            mine = self.part(f"{token}.{os.getpid()}.{threading.get_ident()}")
            try:
                yield mine
            finally:
                for left in locks.glob(f"{mine.name}*"):
                    left.unlink(missing_ok=True)

    def find(self, token: str, name: str) -> Kept | None:
        """Return a file of the cache, None where it is absent or is not what was put in."""
        path = self.folder / "files" / token / name
        facts = path.with_name(_FACTS)
        try:
            known = json.loads(facts.read_text())
            state = path.stat()
            if (state.st_size, state.st_mtime_ns) != (known["size"], known["mtime"]):
                # Somebody wrote into it, or it was copied here: its bytes decide.
                if sha256(path) != known["checksum"]:
                    return None
                self._write_facts(path, known["checksum"])
            os.utime(facts)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return Kept(path, known["checksum"])

    def put(self, token: str, name: str, part: Path) -> Kept:
        """Move a whole file into the cache, and remove the least used ones beyond the limit."""
        target = self.folder / "files" / token / name
        target.parent.mkdir(parents=True, exist_ok=True)
        checksum = sha256(part)
        facts = target.with_name(_FACTS)
        facts.unlink(missing_ok=True)
        part.replace(target)
        self._write_facts(target, checksum)
        self.trim(spare=token)
        return Kept(target, checksum)

    def borrow(self, kept: Kept, into: Path) -> Path:
        """Return a path inside `into` that stays whatever happens to the cache."""
        into.mkdir(parents=True, exist_ok=True)
        mine = into / kept.path.name
        if mine == kept.path:
            return mine
        mine.unlink(missing_ok=True)
        try:
            os.link(kept.path, mine)
        except OSError:
            shutil.copyfile(kept.path, mine)
        return mine

    def trim(self, spare: str = "") -> int:
        """Remove the files that were not used for longest until the rest fits; return its bytes."""
        if self.limit < 0:
            return 0
        found = []
        now = time.time()
        for folder in _folders(self.folder / "files"):
            facts = folder / _FACTS
            try:
                used = facts.stat().st_mtime
                size = sum(p.stat().st_size for p in folder.iterdir())
            except OSError:
                continue
            found.append((used, size, folder))
        total = sum(size for _, size, _ in found)
        for used, size, folder in sorted(found):
            if total <= self.limit:
                break
            if folder.name == spare or (now - used < _SPARE_SECONDS and total <= 2 * self.limit):
                continue
            shutil.rmtree(folder, ignore_errors=True)
            total -= size
        for part in _files(self.folder / "parts"):
            with contextlib.suppress(OSError):
                if now - part.stat().st_mtime > _PARTS_KEPT_SECONDS:
                    part.unlink()
        return total

    def remember(self, key: str, text: str) -> None:
        """Keep the text of a listing for offline runs, if there is room for it."""
        path = self._document(key)
        fresh = path.with_name(f"{path.name}.{os.getpid()}.{time.monotonic_ns()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(path)
        except OSError:
            # Whoever downloads is told; a listing is of use without having been kept.
            with contextlib.suppress(OSError):
                fresh.unlink()

    def recall(self, key: str) -> str | None:
        """Return the text that was remembered for a key."""
        try:
            return self._document(key).read_text(encoding="utf-8")
        except OSError:
            return None

    def _document(self, key: str) -> Path:
        return self.folder / "documents" / hashlib.sha256(key.encode()).hexdigest()[:32]

    @staticmethod
    def _write_facts(path: Path, checksum: str) -> None:
        state = path.stat()
        facts = {"size": state.st_size, "mtime": state.st_mtime_ns, "checksum": checksum}
        fresh = path.with_name(f".{_FACTS}.{os.getpid()}.{time.monotonic_ns()}")
        fresh.write_text(json.dumps(facts))
        fresh.replace(path.with_name(_FACTS))


def _locked(file: IO[str]) -> bool:
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
    except (ImportError, OSError):
        return False
    return True


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes as "sha256:" and 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def checksum(path: str | Path) -> str:
    """Return the BLAKE3 of a file's bytes as "blake3:" and 64 hexadecimal digits (as b3sum)."""
    total = blake3()
    with Path(path).open("rb", buffering=0) as file:
        block = memoryview(bytearray(_HASHED_BYTES))
        while size := file.readinto(block):
            total.update(block[:size])
    return f"blake3:{total.hexdigest()}"


def _folders(folder: Path) -> list[Path]:
    try:
        return [p for p in folder.iterdir() if p.is_dir()]
    except OSError:
        return []


def _files(folder: Path) -> list[Path]:
    try:
        return [p for p in folder.iterdir() if p.is_file()]
    except OSError:
        return []
