"""An environment with SciQLOP itself and this package, made once beside the project's own."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

#: What is installed: newer releases may look different.
WANTED = ("SciQLop[all]==0.14.1", "tscat", "tscat-gui")
HOME = ROOT / ".venv-sciqlop"
#: A fresh installation takes a minute with uv, 1.6 GB.
PATIENCE = 280


class NotInstalled(Exception):
    """Why there is no SciQLOP here."""


def python() -> Path:
    """Return an interpreter that has SciQLOP, tscat and this package; make it where it is lacking.

    Raises
    ------
    NotInstalled
        When no Python is new enough, or packages are not to be had.
    """
    if named := os.environ.get("SCIQLOP_PIPE_TEST_SCIQLOP"):
        return Path(named)
    found, done = HOME / "bin" / "python", HOME / ".installed"
    with (ROOT / ".venv-sciqlop.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != " ".join(WANTED):
            _install(found)
            done.write_text(" ".join(WANTED))
    return found


def _install(to: Path) -> None:
    newest = next((p for p in _pythons() if _new_enough(p)), None)
    if newest is None:
        raise NotInstalled("SciQLOP 0.14 needs Python 3.13, and none is here")
    steps = (
        [newest, "-m", "venv", "--clear", str(HOME)],
        [str(to), "-m", "pip", "install", "-q", "uv"],
        [str(HOME / "bin" / "uv"), "pip", "install", "-q", "--python", str(to), *WANTED,
         "-e", f"{ROOT}[speasy,catalogs]"],
    )  # fmt: skip
    for step in steps:
        try:
            done = subprocess.run(
                step, capture_output=True, text=True, check=False, timeout=PATIENCE
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotInstalled(f"SciQLOP could not be installed: {error}") from error
        if done.returncode:
            raise NotInstalled(f"SciQLOP could not be installed: {done.stderr.strip()[-300:]}")


def _pythons() -> Iterator[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield sys.executable
    yield from (str(p) for p in sorted(pyenv.glob("3.1[3-9]*/bin/python"), reverse=True))
    for minor in (14, 13):
        for folder in ("/usr/local/bin", "/usr/bin"):
            yield f"{folder}/python3.{minor}"


def _new_enough(candidate: str) -> bool:
    ask = "import sys, venv, ensurepip; sys.exit(not (3, 13) <= sys.version_info[:2] < (3, 15))"
    try:
        return (
            subprocess.run([candidate, "-c", ask], capture_output=True, check=False).returncode == 0
        )
    except OSError:
        return False
