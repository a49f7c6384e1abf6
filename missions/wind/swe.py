"""Wind Solar Wind Experiment (SWE): protons and alphas of the Faraday cups, about every 92 s."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Moments
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.conventions import Quality, begin
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter
from sciqlop_pipe.sources.species import ALPHA, PROTON, Species
from sciqlop_pipe.sources.view import Seen, Stacked, Thermal, Words

FILES = "wi_h1_swe_{start:%Y%m%d}_v{version}.cdf"
SPECTRUM = "92s"
"""How long a spectrum takes; its tag is the beginning."""

# Written where there is no value; FILLVAL is -1e31, which is not used.
_LARGEST = 9999.0

FLAGS = Flags(
    "SWE fit flag",
    (
        Flag(0, "no_fit", "the spectrum cannot be fit with a bi-Maxwellian"),
        Flag(1, "poor_peak", "poor peak identification"),
        Flag(2, "slow_alphas", "the speed of the alphas is unusually low"),
        Flag(3, "hot_alphas", "alphas relatively too hot, Tp = Ta constraint used"),
        Flag(4, "very_cold_alphas", "alphas unusually cold, Tp = Ta constraint used"),
        Flag(5, "equal_temperatures", "parameters good, but Tp = Ta constraint used"),
        Flag(6, "second_proton_peak", "alpha peak may be a second proton peak"),
        Flag(7, "fast_alphas", "alphas too fast, out of range"),
        Flag(8, "overlap", "alphas overlap with protons"),
        Flag(9, "cold_alphas", "alphas relatively too cold"),
        Flag(10, "good", "solar wind parameters good"),
    ),
    masking=1 << 0,
    source="VAR_NOTES of fit_flag, wi_h1_swe v01",
)


def _moments(names: dict[str, str], species: Species, quality: Quality | None) -> Seen:
    """Return the adapter for one set of variables: n, VX, VY, VZ, W, Wpar, Wperp."""
    velocity = (names["VX"], names["VY"], names["VZ"])
    thermal = (
        ("temperature", "W"),
        ("temperature_parallel", "Wpar"),
        ("temperature_perpendicular", "Wperp"),
    )
    adapter = MomentsAdapter(
        density=names["n"],
        velocity="velocity",
        temperature="temperature",
        temperature_parallel="temperature_parallel",
        temperature_perpendicular="temperature_perpendicular",
        species=species,
        frame="GSE",
        time_tag=begin(SPECTRUM),
        quality=quality,
    )
    return Seen(
        adapter,
        limits=tuple((name, -_LARGEST, _LARGEST) for name in names.values()),
        made=(
            Stacked("velocity", velocity, "km s^-1"),
            *(Thermal(name, names[w], species) for name, w in thermal),
            Words("flags", code="fit_flag"),
        ),
    )


def fit(species: Species) -> Seen:
    """Return the adapter for the non-linear bi-Maxwellian fits of protons or alphas."""
    who, n = ("Proton", "Np") if species is PROTON else ("Alpha", "Na")
    names = {q: f"{who}_{q}_nonlin" for q in ("VX", "VY", "VZ", "W", "Wpar", "Wperp")}
    return _moments(names | {"n": f"{who}_{n}_nonlin"}, species, Quality("flags", FLAGS))


def moments() -> Seen:
    """Return the adapter for the moments of the protons, which need no fit."""
    names = {q: f"Proton_{q}_moment" for q in ("VX", "VY", "VZ", "W", "Wpar", "Wperp")}
    return _moments(names | {"n": "Proton_Np_moment"}, PROTON, None)


def _files(adapter: Seen) -> FileSource:
    speeds = [name for name, _, _ in adapter.limits]
    return FileSource(FILES, adapter, remote=on_cdaweb("WI_H1_SWE", *speeds, "fit_flag"))


def datasets() -> tuple[Dataset, ...]:
    """Return everything of SWE."""
    return (
        raw("wind.swe.fit", Moments, _files(fit(PROTON)), granule="1d",
            description="protons: density, velocity (GSE), temperature, bi-Maxwellian fit"),
        raw("wind.swe.alpha_fit", Moments, _files(fit(ALPHA)), granule="1d",
            description="alphas: density, velocity (GSE), temperature, bi-Maxwellian fit"),
        raw("wind.swe.moms", Moments, _files(moments()), granule="1d",
            description="protons: density, velocity (GSE), temperature, moments"),
    )  # fmt: skip
