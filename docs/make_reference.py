"""Make docs/reference.md, an entry per recipe: `python docs/make_reference.py`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import sciqlop_missions
import sciqlop_pipe.detect
import sciqlop_pipe.recipes
from sciqlop_pipe.recipe import Recipe

PAGE = Path(__file__).resolve().parent / "reference.md"
ROOMS = (sciqlop_pipe.recipes, sciqlop_pipe.detect, sciqlop_missions)
PROGRAMS = ("__main__", "demo", "train")

HEAD = """# Recipes

Every recipe with its equation and its source, made from the docstrings by

    python docs/make_reference.py

`sciqlop-pipe graph MISSION` says which datasets they make; `docs/gallery.md` shows these.
"""


def recipes() -> Iterator[Recipe]:
    """Yield every recipe of the project, by module and then by place."""
    for room in ROOMS:
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if found.name.rpartition(".")[2] in PROGRAMS:
                continue
            module = importlib.import_module(found.name)
            mine = [r for r in vars(module).values() if isinstance(r, Recipe)]
            yield from (r for r in mine if r.fn.__module__ == found.name)


def entry(recipe: Recipe) -> str:
    """Return the entry of one recipe."""
    takes = [
        f"{i.name}: {i.datatype.name}{'' if i.required else ' (optional)'}" for i in recipe.takes
    ]
    params = [f"{p.name} = {p.default!r}" for p in recipe.params]
    said = inspect.getdoc(recipe.fn) or ""
    lines = [
        f"## {recipe.name}",
        "",
        f"`{recipe.fn.__module__}`, version {recipe.version}, gives {recipe.gives.name} from "
        f"{', '.join(takes) or 'nothing'}" + (f"; {', '.join(params)}" if params else "") + ".",
        "",
        "```text",
        said,
        "```",
        "",
    ]
    return "\n".join(lines)


def page() -> str:
    """Return the whole page."""
    every = list(recipes())
    toc = [f"* [{r.name}](#{r.name}): {r.summary}" for r in every]
    return "\n".join([HEAD, *toc, "", *(entry(r) for r in every)]).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"{len(list(recipes()))} recipes: {PAGE}")
