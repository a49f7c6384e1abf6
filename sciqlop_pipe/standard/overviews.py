"""What follows from a series or spectrum: its overviews of 1 min and 1 h."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..datatypes import EnergySpectrum, Moments, PlasmaState, Position, ScalarSeries, VectorSeries
from ..granule import GranuleLength
from ..model import Dataset, product
from ..recipes.overview import coarser_overview, overview

LOOKED_AT = (VectorSeries, ScalarSeries, Position, Moments, EnergySpectrum, PlasmaState)
LEVELS = ("overview_1min", "overview_1h")
MONTH = GranuleLength("month")


def with_standard_products(datasets: Iterable[Dataset]) -> Iterator[Dataset]:
    """Yield datasets, each series and spectrum followed by its overviews (1 min, 1 h).

    What is kept in months is too slow for minutes: it has the hourly overview only.
    """
    for dataset in datasets:
        yield dataset
        if dataset.gives not in LOOKED_AT:
            continue
        minute, hour = (f"{dataset.name}.{level}" for level in LEVELS)
        if dataset.granule == MONTH:
            yield product(hour, overview, series=dataset.name, seconds=3600, granule="month")
        else:
            yield product(minute, overview, series=dataset.name, seconds=60, granule="1d")
            yield product(hour, coarser_overview, fine=minute, seconds=3600, granule="month")


def is_overview(name: str) -> bool:
    """Tell whether a dataset is the overview of another one."""
    return name.rpartition(".")[2] in LEVELS
