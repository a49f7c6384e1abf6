"""The reference says what the docstrings say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    return script("make_reference")


def test_the_page_is_up_to_date(maker: ModuleType) -> None:
    assert (DOCS / "reference.md").read_text() == maker.page(), "run: python docs/make_reference.py"


def test_every_recipe_says_in_a_line_what_comes_back_and_then_how(maker: ModuleType) -> None:
    every = list(maker.recipes())
    assert len(every) > 80
    for recipe in every:
        assert recipe.summary.endswith("."), recipe.name
        assert len((recipe.fn.__doc__ or "").splitlines()) > 5, recipe.name


def test_the_page_of_detectors_is_up_to_date() -> None:
    page = script("make_detectors").page()
    assert (DOCS / "detectors.md").read_text() == page, "run: python docs/make_detectors.py"
