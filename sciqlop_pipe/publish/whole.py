"""Files that are seen whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import PipeError


@contextmanager
def part_of(path: Path) -> Iterator[Path]:
    """Give a name beside a file to write to; what is left under it is removed."""
    part = path.with_name(f".part-{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def write_through(path: Path, data: bytes) -> None:
    """Write a file, and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def replacing(output: Path, what: str) -> Iterator[Path]:
    """Give a name to write to, which takes the place of a file that a user asked for.

    Raises
    ------
    PipeError
        When it cannot be written; says so of a "report", a "picture".
    """
    with part_of(output) as part:
        try:
            yield part
            part.replace(output)
        except OSError as error:
            raise PipeError(
                f"the {what} could not be written ({error.strerror or error})", str(output),
                "Give -o a folder that exists and that you may write to",
            ) from error  # fmt: skip
