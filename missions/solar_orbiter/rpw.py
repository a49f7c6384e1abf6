"""Solar Orbiter Radio and Plasma Waves (RPW): density (BIA), radio spectra (TNR and HFR)."""

from __future__ import annotations

from sciqlop_pipe.datatypes import RadioSpectrum, ScalarSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.frequency import RadioAdapter
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import ScalarAdapter

# Dataset: what file names call it, words, granule.
PRODUCTS = {
    "density": ("bia-density", "full cadence", "6h"),
    "density_10s": ("bia-density-10-seconds", "10 s", "1d"),
}

# Receiver: words.
RECEIVERS = {"tnr": "thermal noise, 4 kHz to 1 MHz", "hfr": "high frequencies, 0.4 to 16 MHz"}


def density() -> ScalarAdapter:
    """Return the adapter for the density of electrons."""
    return ScalarAdapter("DENSITY", "cm^-3", "density of electrons, from the probes' potential")


def radio() -> RadioAdapter:
    """Return the adapter for the flux density of radio waves at the spacecraft."""
    return RadioAdapter("PSD_FLUX", "FREQUENCY")


def datasets() -> tuple[Dataset, ...]:
    """Return everything of RPW."""
    densities = tuple(
        raw(f"solar_orbiter.rpw.bia.{name}", ScalarSeries,
            FileSource(_patterns(kind), density(),
                       remote=on_cdaweb(f"SOLO_L3_RPW-{kind}".upper(), "DENSITY")),
            granule=granule, description=f"electrons: density by BIA, {words}")
        for name, (kind, words, granule) in PRODUCTS.items()
    )  # fmt: skip
    spectra = tuple(
        raw(f"solar_orbiter.rpw.{receiver}.flux", RadioSpectrum,
            FileSource(_patterns(f"{receiver}-surv-flux"), radio(),
                       remote=on_cdaweb(f"SOLO_L3_RPW-{receiver}-SURV-FLUX".upper())),
            granule="1d", description=f"flux density of radio waves, {words}")
        for receiver, words in RECEIVERS.items()
    )  # fmt: skip
    return (*densities, *spectra)


def _patterns(kind: str) -> tuple[str, ...]:
    # Preliminary files carry "cdag".
    return tuple(
        f"solo_{level}_rpw-{kind}{draft}_{{start:%Y%m%d}}_{v}{{version}}.cdf"
        for level, v in (("L3", "V"), ("l3", "v"))
        for draft in ("", "-cdag")
    )
