"""Every how-to page is followed literally: its blocks one after the other, in a clone.

What a comment on the line before a block may say:

`<!-- stays: ready when it says "..." -->`, `<!-- stays: ready when ADDRESS answers -->`
    the last command does not end: it runs in another terminal until the page is done;
`<!-- takes minutes -->`
    it is run by the long test of the whole page, tests/test_docs_minutes.py;
`<!-- not run: ... -->`
    the block is left out, for the reason given.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.waiting import answers, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]
#: Pages that have a test of their own, which does between the blocks what a reader would.
ELSEWHERE = {"add-a-mission": "tests/authors/test_how_to.py"}
BLOCK = re.compile(
    r'(?:^<!-- (?:not run: (?P<why>[^\n]+)|(?P<slow>takes minutes)|stays: ready when (?P<ready>it says "[^\n"]+"|http\S+ answers)) -->\n+)?'
    r"^```(?P<language>sh|python)\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
PAGES = sorted(
    p for folder in ("how-to", "explanation") for p in (ROOT / "docs" / folder).glob("*.md")
    if p.stem not in ELSEWHERE and BLOCK.search(p.read_text())
)  # fmt: skip
SHELL = shutil.which("bash") or "/bin/bash"
FIRST_ID = """python -c 'import json, sys; print(json.load(sys.stdin)[0]["id"])'"""


@dataclass(frozen=True)
class Terminal:
    """Runs blocks in a clone; a variable that a block exports is there for the next one."""

    clone: Path
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.clone.parent / "exported"

    @property
    def site(self) -> Path:
        """What a page installs, for its own commands only: others use this environment meanwhile."""
        return self.clone.parent / "site"

    def open(self) -> None:
        self.state.touch()
        self.site.mkdir()
        pip = self.site / "pip"
        pip.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" -m pip "$@" --no-deps --target "{self.site}"\n'
        )
        pip.chmod(0o755)
        # Python reads what an editable install leaves in folders that it is told of.
        (self.site / "sitecustomize.py").write_text(
            f"import site\n\nsite.addsitedir({str(self.site)!r})\n"
        )

    @property
    def environment(self) -> dict[str, str]:
        home = self.clone.parent
        return {
            **os.environ,
            "PATH": f"{self.site}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
            "MPLBACKEND": "Agg",
            "PYTHONUNBUFFERED": "1",
            "PREFECT_HOME": str(home / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
            "PYTHONPATH": str(self.site),
        }

    def command(self, language: str, code: str) -> list[str]:
        if language == "python":
            script = f'. "{self.state}"; exec "$0" -c "$1"'
            return [SHELL, "-c", script, sys.executable, code]
        script = f'set -eo pipefail; . "{self.state}"; {{\n{code}\n}}; export -p > "{self.state}"'
        return [SHELL, "-c", script]

    def run(self, language: str, code: str) -> None:
        """Run a block to its end; fail with what it printed."""
        done = subprocess.run(
            self.command(language, code), cwd=self.clone, env=self.environment,
            capture_output=True, text=True, check=False, timeout=1800, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{code}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"

    def start(self, language: str, code: str, ready: str) -> None:
        """Run a block in another terminal, and wait until it is ready."""
        said = self.clone.parent / f"terminal-{len(self.servers)}"
        with said.open("wb") as out:
            server = subprocess.Popen(
                self.command(language, code), cwd=self.clone, env=self.environment, stdout=out,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self.servers.append(server)

        def words() -> str:
            return f"{code}\n{said.read_text(errors='replace')[-2000:]}"

        def is_ready() -> bool:
            ended = server.poll()
            assert ended is None, f"ended with {ended}: {words()}"
            if ready.startswith("http"):
                return answers(ready.removesuffix(" answers"))
            return ready.split('"')[1] in said.read_text(errors="replace")

        until(is_ready, words)

    def follow(self, blocks: Iterable[re.Match[str]]) -> None:
        """Run blocks one after the other; those that stay go on in terminals of their own."""
        for block in blocks:
            if block["ready"]:
                self.start(block["language"], block["code"], block["ready"])
            else:
                self.run(block["language"], block["code"])

    def close(self) -> None:
        for server in reversed(self.servers):
            with suppress(ProcessLookupError):  # it and all its children have ended
                os.killpg(server.pid, signal.SIGTERM)
                try:
                    server.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(server.pid, signal.SIGKILL)
                    server.wait()


@pytest.fixture
def terminal(tmp_path: Path, shared_data: Path) -> Iterator[Terminal]:
    """A terminal in what looks like a clone with the mission files beside it; keeps what is made."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in {".git", "demo", "store"}:
            (folder / entry.name).symlink_to(entry)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/data").symlink_to(shared_data)
    terminal = Terminal(folder)
    terminal.open()
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_a_page_can_be_followed(page: Path, terminal: Terminal) -> None:
    blocks = [m for m in BLOCK.finditer(page.read_text()) if not (m["why"] or m["slow"])]
    assert blocks
    terminal.follow(blocks)


def test_the_commands_of_the_readme_can_be_typed_one_after_the_other(terminal: Terminal) -> None:
    """The blocks of Python in its second half are run by tests/test_readme.py."""
    readme, _, rest = (ROOT / "README.md").read_text().partition("## Five words")
    blocks = [*BLOCK.finditer(readme), *(b for b in BLOCK.finditer(rest) if b["language"] == "sh")]
    terminal.run("sh", "export SPEASY_PIPE_ADDRESS=$PWD/DIR\n")
    for block in blocks:
        if block["language"] == "python":
            terminal.run("python", block["code"])
            continue
        for line in block["code"].splitlines():
            if " ID " in line:  # what a reader copies from the table that was printed
                find = "sciqlop-pipe catalog show mms1.boundary_crossings --json --store DIR"
                line = line.replace(" ID ", f" $({find} | {FIRST_ID}) ")
            if "edited.xml" in line:  # what a colleague sent back
                terminal.run("sh", "sciqlop-pipe catalog export mms1.boundary_crossings "
                                   "-o edited.xml --store DIR\n")  # fmt: skip
            terminal.run("sh", line + "\n")


def test_a_block_that_fails_and_a_server_that_ends_are_noticed(terminal: Terminal) -> None:
    """Negative controls of the test above."""
    with pytest.raises(AssertionError, match="no-such-command"):
        terminal.run("sh", "no-such-command\n")
    with pytest.raises(AssertionError, match="ended with 3"):
        terminal.start("sh", "echo begins; exit 3\n", 'it says "ready"')
