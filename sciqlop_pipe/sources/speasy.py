"""speasy as a door: asked in a process of its own for where files are, and for variables."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from ..errors import ArchiveGone, SourceError, TransientError
from ..granule import Interval
from .cache import RawCache

if TYPE_CHECKING:
    from .access import Access

ALL = ("cda", "amda", "csa", "ssc", "archive", "uiowaephtool", "cdpp3dview")
_MODULE = "sciqlop_pipe.sources.speasy_child"


def ask_inventory(
    providers: Sequence[str],
    match: Sequence[str],
    sources: Sequence[dict[str, Any]],
    access: Access,
) -> dict[str, Any]:
    """Return what speasy's inventories say of some sources; offline what they said last.

    Raises
    ------
    ArchiveGone
        speasy cannot be asked, or none of the providers answers.
    """
    question = {"verb": "inventory", "providers": list(providers), "match": list(match),
                "sources": list(sources)}  # fmt: skip
    key = f"speasy {json.dumps(question, sort_keys=True)}"
    memory = RawCache(Path(access.cache)) if access.cache else None
    if access.offline:
        said = memory.recall(key) if memory is not None else None
        if said is None:
            raise ArchiveGone(
                "this interval has not been asked for yet, and the network is not to be used",
                "speasy",
                "Run once without --offline",
            )
        found: dict[str, Any] = json.loads(said)
        return found
    try:
        answer = _ask(question, providers, access)
    except (TransientError, SourceError) as error:
        raise ArchiveGone(error.what, "speasy", error.todo) from error
    if providers and set(answer["down"]) >= set(providers):
        raise ArchiveGone(
            f"the inventory of {' and '.join(answer['down'])} cannot be had",
            "speasy",
            "Check the network and whether the server is up, then run again",
        )
    if memory is not None:
        memory.remember(key, json.dumps(answer))
    return answer


def variables_location(products: Sequence[str], interval: Interval) -> str:
    """Return the location of some variables of an interval."""
    query = {"start": interval.start, "stop": interval.stop, "of": ",".join(products)}
    return f"speasy:{products[0]}?{urlencode(query)}"


def save_variables(location: str, path: Path, access: Access) -> None:
    """Write what speasy gives for a location of variables into a file.

    Raises
    ------
    SourceError
        speasy refuses, or died of the answer.
    TransientError
        speasy, or the server behind it, does not answer properly.
    """
    query = parse_qs(location.partition("?")[2])
    products = query["of"][0].split(",")
    question = {"verb": "variables", "products": products, "path": str(path),
                "start": int(query["start"][0]), "stop": int(query["stop"][0])}  # fmt: skip
    _ask(question, sorted({p.split("/")[0] for p in products}), access)


def _ask(question: dict[str, Any], providers: Sequence[str], access: Access) -> dict[str, Any]:
    where = ", ".join(question.get("products", providers))
    seconds = 10 + access.patience.timeout_seconds * max(1, access.patience.tries)
    with tempfile.TemporaryDirectory(prefix="sciqlop-pipe-speasy-") as folder:
        answer = Path(folder) / "answer"
        question = question | {"answer": str(answer)}
        try:
            done = subprocess.run(
                [sys.executable, "-m", _MODULE],
                input=json.dumps(question),
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
                env=_environment(Path(folder), providers),
            )
        except subprocess.TimeoutExpired as error:
            raise TransientError(
                f"speasy has no answer after {seconds:.0f} s", where, "Try again later"
            ) from error
        if not answer.exists():
            raise _obituary(done, where)
        said: dict[str, Any] = json.loads(answer.read_text())
    if "error" in said:
        raise _translated(said["error"], where)
    return said


def _environment(folder: Path, providers: Sequence[str]) -> dict[str, str]:
    """Return the user's settings of speasy, with a data cache that nobody else sees.

    Its cache keeps decoded arrays for hours, new versions of files notwithstanding.
    """
    others = [name for name in ALL if name not in providers]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        "SPEASY_CACHE_PATH": str(folder / "cache"),
        "SPEASY_CORE_DISABLED_PROVIDERS": ",".join(others),
        "SPEASY_PROXY_ENABLED": os.environ.get("SPEASY_PROXY_ENABLED", "false"),
        "PYTHONWARNINGS": "ignore",
    }


def _obituary(done: subprocess.CompletedProcess[str], where: str) -> SourceError:
    last = (done.stderr.strip().splitlines() or [""])[-1]
    if "No module named 'speasy'" in done.stderr:
        return SourceError("speasy is not installed", where, "pip install 'sciqlop-pipe[speasy]'")
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return SourceError(
            f"speasy died of the answer ({name}): the file is truncated or damaged", where,
            "Try again; if it stays so, tell those who run the server",
        )  # fmt: skip
    return SourceError(f"speasy ended without an answer ({last[:200]})", where)


# What speasy says -> what has happened. The first that fits.
_NO_DATA = "No data variable|ReadError|ParseError|IndexError|Expecting value|No such file"
_MEANINGS = (
    (r"HTTP (\d{3})|got (\d{3})", "the server answers {0}"),
    (r"too many (\d{3})", "the server answers {0} again and again"),
    (r"IncompleteRead|Connection broken", "the connection broke off in the middle of the data"),
    (r"RemoteDisconnected|Connection aborted", "the server hung up without an answer"),
    (r"[Tt]imed? ?out", "the server does not answer in time"),
    (r"NewConnectionError|Connection refused", "the server cannot be reached"),
    (_NO_DATA, "what came is no data: perhaps a web page"),
    (r"Giving up|made no file", "the server made no data of the request"),
)


def _translated(said: str, where: str) -> SourceError | TransientError:
    kind = said.partition(":")[0]
    if kind in ("ModuleNotFoundError", "ImportError"):
        return SourceError(f"speasy cannot be used ({said})", where, "pip install -U speasy")
    if re.search(r"Unknown (product|dataset|parameter|provider)", said):
        return SourceError(f"speasy does not know it ({said})", where, "Check the product's id")
    for pattern, words in _MEANINGS:
        if match := re.search(pattern, said):
            meaning = words.format(*(g for g in match.groups() if g))
            return TransientError(
                f"{meaning} (asked by speasy: {said[:160]})", where, "Try again later"
            )
    return TransientError(f"speasy failed ({said})", where, "Try again later")
