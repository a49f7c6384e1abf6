"""MMS Energetic Ion Spectrometer (EPD-EIS): intensities of six telescopes, by pitch angle.

No file was at hand: names as public readers use them (README of this folder).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sciqlop_pipe.datatypes import PitchAngleFlux
from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.conventions import converted, require
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.pitch_flux import PitchFluxAdapter
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.species import ELECTRON, PROTON
from sciqlop_pipe.sources.view import Seen
from sciqlop_pipe.standard import flux_products

if TYPE_CHECKING:
    from sciqlop_pipe.sources.cdf import CdfFile

# Product of the archive: what its variables call the particles, what they are.
PRODUCTS = {
    "extof": ("proton", PROTON, "protons, energy and time of flight"),
    "phxtof": ("proton", PROTON, "protons, pulse height and time of flight"),
    "electronenergy": ("electron", ELECTRON, "electrons"),
}
MODES = {"srvy": ("%Y%m%d", "1d"), "brst": ("%Y%m%d%H%M%S", "10min")}
SPAN = {"srvy": "1d", "brst": "15min"}

TELESCOPES = tuple(range(6))
_SAME_ENERGY = 0.05


@dataclass(frozen=True, slots=True)
class Intensities:
    """Intensity (record, telescope, energy) of the variables `{prefix}_P?_flux_t0` to `_t5`.

    Their names carry a version of the processing (P3, P4 ...), the same for all of a file.
    """

    name: str
    prefix: str
    like: str
    units: str = "cm^-2 s^-1 sr^-1 keV^-1"

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the intensities, once the telescopes are known to have the same energies."""
        form = re.compile(rf"{re.escape(self.prefix)}_(P\d+)_flux_t0")
        versions = [m[1] for name in cdf.names if (m := form.fullmatch(name))]
        if len(versions) != 1:
            raise SourceError(
                f"{len(versions) or 'no'} variables like {self.prefix}_P4_flux_t0",
                str(cdf.path),
                "Is it a file of this dataset, and of a version this adapter knows?",
            )
        names = [f"{self.prefix}_{versions[0]}_flux_t{t}" for t in TELESCOPES]
        tables = [f"{self.prefix}_t{t}_energy" for t in TELESCOPES]
        require(cdf, [*names, *tables])
        energies = np.stack([np.ravel(converted(cdf, table, "eV")) for table in tables])
        if (np.abs(energies / energies[0] - 1) > _SAME_ENERGY).any():
            raise SourceError("the telescopes differ in their energies", str(cdf.path))
        return np.stack([converted(cdf, name, self.units) for name in names], axis=1)


@dataclass(frozen=True, slots=True)
class PitchAngles:
    """Pitch angle (record, telescope) [deg] of the particles that each telescope sees."""

    name: str
    prefix: str
    like: str
    units: str = "deg"

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the pitch angles."""
        names = [f"{self.prefix}_t{t}" for t in TELESCOPES]
        require(cdf, names)
        return np.stack([converted(cdf, name, "deg") for name in names], axis=1)


def flux(probe: str, mode: str, product: str) -> Seen:
    """Return the adapter for the intensity of one product, one pitch angle per telescope."""
    who, species, _ = PRODUCTS[product]
    base = f"mms{probe}_epd_eis_{mode}_l2_{product}"
    angles, energy = f"{base}_pitch_angle", f"{base}_{who}_t0_energy"
    adapter = PitchFluxAdapter("flux", "pitch_angle", energy, species)
    return Seen(
        adapter,
        restated=tuple((f"{angles}_t{t}", (("UNITS", "deg"),)) for t in TELESCOPES),
        made=(
            Intensities("flux", f"{base}_{who}", like=f"{angles}_t0"),
            PitchAngles("pitch_angle", angles, like=f"{angles}_t0"),
        ),
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of EIS on one spacecraft."""
    return tuple(d for mode in MODES for product in PRODUCTS for d in _of(probe, mode, product))


def _of(probe: str, mode: str, product: str) -> tuple[Dataset, ...]:
    stamp, granule = MODES[mode]
    base = f"mms{probe}.eis.{product}.{mode}"
    pattern = f"mms{probe}_epd-eis_{mode}_l2_{product}_{{start:{stamp}}}_v{{version}}.cdf"
    source = FileSource(
        pattern,
        flux(probe, mode, product),
        span=SPAN[mode],
        remote=on_cdaweb(f"MMS{probe}_EPD-EIS_{mode}_L2_{product}".upper()),
    )
    return (
        raw(f"{base}.pad_flux", PitchAngleFlux, source, granule=granule,
            description=f"{PRODUCTS[product][-1]}: intensity by pitch angle and energy, {mode}"),
        *flux_products(f"{base}.pad_flux"),
    )  # fmt: skip
