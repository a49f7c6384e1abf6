"""Cluster EFW: the spacecraft potential, 5 Hz and spin average."""

from __future__ import annotations

from sciqlop_pipe.datatypes import ScalarSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import from_csa
from sciqlop_pipe.sources.series import ScalarAdapter
from sciqlop_pipe.sources.view import Scaled, Seen

from .names import patterns

PRODUCTS = {"l2": ("EFW_L2_P", "5 Hz"), "l3": ("EFW_L3_P", "4 s")}


def potential(probe: str, level: str) -> Seen:
    """Return the adapter for the potential of the spacecraft against the plasma.

    The archive's is that of the probes against the spacecraft: negative where the spacecraft is
    positive.
    """
    adapter = ScalarAdapter("potential", "V", "spacecraft potential")
    return Seen(adapter, made=(Scaled("potential", _variable(probe, level), -1.0, "V"),))


def _variable(probe: str, level: str) -> str:
    return f"Spacecraft_potential__C{probe}_CP_{PRODUCTS[level][0]}"


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return the potential of one spacecraft."""
    return tuple(
        raw(f"cluster{probe}.efw.{level}.sc_pot", ScalarSeries,
            FileSource(patterns(probe, product), potential(probe, level),
                       remote=from_csa(_variable(probe, level))), granule="1d",
            description=f"spacecraft potential, {rate}")
        for level, (product, rate) in PRODUCTS.items()
    )  # fmt: skip
