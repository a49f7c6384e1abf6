"""The packages: those under sciqlop_pipe/, and missions/, which is imported as sciqlop_missions."""

from __future__ import annotations

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["sciqlop_pipe", "sciqlop_pipe.*"]),
        "sciqlop_missions",
        *(f"sciqlop_missions.{name}" for name in find_packages("missions")),
    ],
    package_dir={"sciqlop_missions": "missions"},
    package_data={
        "*": ["py.typed", "*.csv", "*.json", "*.txt", "*.toml", "*.yaml", "*.html"],
        "sciqlop_pipe.dash": ["assets/*"],
        "sciqlop_pipe.detect": ["shipped/*/*"],
    },
)
