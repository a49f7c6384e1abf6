"""The site: `make docs` builds it, notebooks run, warnings are errors."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

import jupyter_cache.executors.utils as running

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

project = "SciQLOP Pipe"
author = "The SciQLOP Pipe developers"
copyright = "2026, the SciQLOP Pipe developers"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "accuracy.json", "**/.ipynb_checkpoints"]
html_theme = "furo"
html_title = "SciQLOP Pipe"
html_static_path: list[str] = []
templates_path: list[str] = []
suppress_warnings = ["myst-nb.lexer"]  # of cells that are not run (DOCS_EXECUTE=0)

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

# A notebook's shell says that it can show colours; a page cannot.
os.environ.update(TTY_COMPATIBLE="0", COLUMNS="110")

# Tutorials are notebooks in Markdown that run at every build; a cell that fails, fails it.
nb_execution_mode = "force" if os.environ.get("DOCS_EXECUTE", "1") == "1" else "off"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_execution_in_temp = True
# IPython hands over what a shell prints in pieces of 100 bytes; each would get lines of its own.
running.executenb = functools.partial(running.executenb, coalesce_streams=True)

napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"


def setup(app: object) -> None:
    """Write the pages that are made from the code itself."""
    import make_pages

    make_pages.write(HERE / "reference" / "made")
