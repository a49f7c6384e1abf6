"""The pages tell the truth: every command and option exists, every page is reached, code compiles."""

from __future__ import annotations

import ast
import functools
import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from sciqlop_pipe.cli.app import app

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    p for p in [*DOCS.rglob("*.md"), *ROOT.glob("missions/*/README.md"), ROOT / "deploy/README.md"]
    if not {"_build", "made"} & set(p.relative_to(ROOT).parts)
)  # fmt: skip


def commands(text: str) -> Iterator[str]:
    """Yield every command line of ours: in fences, in indented blocks, in the running text."""
    text = text.replace("\\\n", " ")
    for line in text.splitlines():
        words = line.strip().removeprefix("$ ")
        if words.startswith("sciqlop-pipe ") and (line[0] in " s$"):
            yield words
    yield from re.findall(r"`(sciqlop-pipe [a-z][^`\n]*)`", text)


@functools.cache
def whole() -> Any:
    """Return the tree of all commands; making it takes a tenth of a second."""
    return typer.main.get_command(app)


def find(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that words name, and what follows its name."""
    command = whole()
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    return command, words


def wrong(line: str) -> str:
    """Return what is wrong with a command line, '' if it could be typed."""
    line = re.split(r"\s(?:\||>|&&|&|;|#)", line)[0]
    try:
        words = shlex.split(line)[1:]
    except ValueError as error:
        return f"{line}: {error}"
    if any("..." in w for w in words):  # an abbreviation for the reader
        words = [w for w in words if "..." not in w]
    command, rest = find(words)
    if getattr(command, "commands", None):
        bare = not rest or rest[0].startswith("-") or rest[0].isupper()
        return "" if bare else f"{line}: '{rest[0]}' is no command"
    known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help", "-h"}
    options = [w.split("=")[0] for w in rest if re.match(r"--?[a-z]", w)]
    missing = [o for o in options if o not in known]
    return f"{line}: no option {', '.join(missing)}" if missing else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_on_a_page_exists(page: Path) -> None:
    text = page.read_text()
    assert [w for line in commands(text) if (w := wrong(line))] == []


def test_a_command_that_does_not_exist_is_noticed() -> None:
    """Negative control of the test above."""
    assert "no option --nowhere" in wrong("sciqlop-pipe run x --nowhere y")
    assert "is no command" in wrong("sciqlop-pipe store conjure")
    assert (
        list(commands("see `sciqlop-pipe store conjure`\n    sciqlop-pipe run x \\\n  --y\n")) != []
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_block_of_python_compiles(page: Path) -> None:
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        ast.parse(textwrap.dedent(block))


def test_every_page_is_in_the_table_of_contents() -> None:
    index = (DOCS / "index.md").read_text()
    names = set(re.findall(r"^([\w/*-]+)$", index, re.MULTILINE))
    site = [p.relative_to(DOCS).with_suffix("") for p in PAGES if DOCS in p.parents]
    lost = [
        str(p)
        for p in site
        if str(p) != "index" and str(p) not in names and f"{p.parts[0]}/*" not in names
    ]
    assert lost == []


def test_every_help_has_an_example() -> None:
    """Of the commands that take something."""
    from docs.make_pages import walk

    without = [
        name for name, command in walk()
        if any(isinstance(p, click.Argument) for p in command.params)
        and "xample" not in (command.help or "")
    ]  # fmt: skip
    assert without == []
