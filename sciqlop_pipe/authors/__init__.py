"""The door for authors of missions: a plugin that works, to be changed into one's own."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection
from importlib.resources import files
from pathlib import Path
from string import Template

from ..errors import UsageError

__all__ = ["write_mission"]

#: What is written -> the template it is made from. Both know `$name` and what follows from it.
FILES = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "src/$package/__init__.py": "mission.py.txt",
    "src/$package/magnetometer.py": "magnetometer.py.txt",
    "src/$package/recipes.py": "recipes.py.txt",
    "tests/test_$name.py": "test_mission.py.txt",
}


def write_mission(name: str, folder: Path, taken: Collection[str] = ()) -> tuple[Path, ...]:
    """Write a distribution that adds a mission, with a test that passes; return its files.

    Parameters
    ----------
    name : str
        Of the mission: lower-case letters, digits and _. Its datasets are called `name.*`.
    folder : Path
        Where to; made if it is not there.
    taken : collection of str
        Names of other missions.

    Raises
    ------
    UsageError
        When the name cannot be used, or the folder holds something.
    """
    _check_name(name, taken)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            "there is something here already", str(folder), "Give --dir a new or empty folder"
        )
    words = {
        "name": name,
        "package": f"sciqlop_{name}",
        "distribution": f"sciqlop-pipe-{name.replace('_', '-')}",
        "title": name.replace("_", " ").capitalize(),
    }
    templates = files(f"{__name__}.template")
    written = []
    for path, template in FILES.items():
        target = folder / Template(path).substitute(words)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = Template((templates / template).read_text("utf-8"))
        target.write_text(text.substitute(words), "utf-8")
        written.append(target)
    return tuple(written)


def _check_name(name: str, taken: Collection[str]) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UsageError(
            f"'{name}' cannot be the name of a mission",
            todo="Use lower-case letters, digits and _, beginning with a letter",
        )
    if name in taken:
        raise UsageError(
            f"there is a mission '{name}' already",
            todo="Choose another name; 'sciqlop-pipe graph' lists those in use",
        )
