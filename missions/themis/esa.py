"""THEMIS plasma moments: on the ground (ESA, and with SST added: GMOM) and on board (MOM)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sciqlop_pipe.datatypes import EnergySpectrum, Moments, ScalarSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.conventions import Quality
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter, ScalarAdapter, SpectrumAdapter
from sciqlop_pipe.sources.species import ELECTRON, PROTON, Species
from sciqlop_pipe.sources.view import MeanOf, Seen, Symmetric

from .flags import CENTRED_UNIX, ESA_FLAGS, dated


@dataclass(frozen=True, slots=True)
class Product:
    """One kind of moments: its file, data type, species, and what its variables are called."""

    file: str
    kind: str
    species: Species
    words: str
    temperature: str = "avgtemp"
    along_field: str = "magt3"
    spectrum: bool = True
    quality: bool = True


_WORDS = {"i": (PROTON, "ions"), "e": (ELECTRON, "electrons")}
_ESA = tuple(
    Product("esa", f"pe{s}{k}", species, f"{words}, ESA, {mode} mode")
    for s, (species, words) in _WORDS.items()
    for k, mode in (("f", "full"), ("r", "reduced"), ("b", "burst"))
)
_MOM = tuple(
    Product("mom", f"pe{s}m", species, f"{words}, on board", "", "t3_mag", spectrum=False)
    for s, (species, words) in _WORDS.items()
)
_GMOM = tuple(
    Product("gmom", f"pt{s}{k}", species, f"{words}, ESA and SST, {mode}", quality=False)
    for s, (species, words) in _WORDS.items()
    for k, mode in (("ff", "full modes"), ("rf", "reduced and full modes"))
)
PRODUCTS = (*_ESA, *_MOM, *_GMOM)


def moments(probe: str, product: Product, frame: str) -> Seen:
    """Return the adapter for moments in "dsl", with pressure tensor, or in "gse" without."""
    name = f"th{probe}_{product.kind}_{{}}".format
    adapter = MomentsAdapter(
        density=name("density"),
        velocity=name(f"velocity_{frame}"),
        pressure="pressure" if frame == "dsl" else "",
        temperature=name(product.temperature) if product.temperature else "temperature",
        temperature_parallel="parallel",
        temperature_perpendicular="perpendicular",
        species=product.species,
        frame=frame.upper(),
        time_tag=CENTRED_UNIX,
        quality=Quality(name("data_quality"), ESA_FLAGS) if product.quality else None,
    )
    field_aligned = name(product.along_field)
    made = (
        Symmetric("pressure", name("ptens"), "nPa"),
        MeanOf("parallel", field_aligned, (2,), "eV"),
        MeanOf("perpendicular", field_aligned, (0, 1), "eV"),
        MeanOf("temperature", field_aligned, (0, 1, 2), "eV"),
    )
    return _seen(adapter, name("density"), name("time"), made)


def spectrum(probe: str, product: Product) -> Seen:
    """Return the adapter for the archive's own energy spectrum."""
    name = f"th{probe}_{product.kind}_{{}}".format
    adapter = SpectrumAdapter(
        spectrum=name("en_eflux"),
        energy=name("en_eflux_yaxis"),
        species=product.species,
        long_name="omnidirectional differential energy flux (archive)",
        time_tag=CENTRED_UNIX,
        quality=Quality(name("data_quality"), ESA_FLAGS) if product.quality else None,
    )
    energy = (name("en_eflux_yaxis"), (("UNITS", "eV"),))
    return _seen(adapter, name("en_eflux"), name("time"), (), energy)


def potential(probe: str) -> Seen:
    """Return the adapter for the spacecraft potential as the moments on board used it."""
    variable = f"th{probe}_pxxm_pot"
    adapter = ScalarAdapter(
        variable, "V", "spacecraft potential", time_tag=CENTRED_UNIX, declared="V"
    )
    return _seen(adapter, variable, f"th{probe}_peim_time", ())


def _seen(adapter: object, variable: str, time: str, made: tuple[Any, ...], *more: Any) -> Seen:
    return Seen(adapter, restated=(dated(variable, time), *more), made=made)


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return all moments of one spacecraft."""
    mom = f"th{probe}_l2_mom_{{start:%Y%m%d}}_v{{version}}.cdf"
    return (
        *(d for product in PRODUCTS for d in _of(probe, product)),
        raw(
            f"themis{probe}.mom.sc_pot",
            ScalarSeries,
            FileSource(mom, potential(probe), remote=on_cdaweb(f"TH{probe}_L2_MOM".upper())),
            granule="1d",
            description="spacecraft potential",
        ),
    )


def _of(probe: str, product: Product) -> tuple[Dataset, ...]:
    base = f"themis{probe}.{product.file}.{product.kind}"
    pattern = f"th{probe}_l2_{product.file}_{{start:%Y%m%d}}_v{{version}}.cdf"

    def files(adapter: Seen) -> FileSource:
        remote = on_cdaweb(f"TH{probe}_L2_{product.file}".upper())
        return FileSource(pattern, adapter, remote=remote)

    found = [
        raw(f"{base}.{name}", Moments, files(moments(probe, product, frame)), granule="1d",
            description=f"{product.words}: moments of the team, {frame.upper()}")
        for name, frame in (("moms", "dsl"), ("moms_gse", "gse"))
    ]  # fmt: skip
    if product.spectrum:
        found.append(
            raw(f"{base}.archive_spectrum", EnergySpectrum, files(spectrum(probe, product)),
                granule="1d", description=f"{product.words}: energy spectrum of the team")
        )  # fmt: skip
    return tuple(found)
