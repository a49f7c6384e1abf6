"""The electrostatic analyser: ion distributions in 88 directions and 32 energies, once per spin."""

from __future__ import annotations

from sciqlop_pipe.datatypes import VDF
from sciqlop_pipe.model import Dataset, product, raw
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.spectra import energy_spectrum
from sciqlop_pipe.sources.conventions import Quality, begin
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.skymap import Angle, SkymapAdapter
from sciqlop_pipe.sources.species import PROTON

SPIN = "3s"

FLAGS = Flags(
    "flags of the analyser",
    (Flag(0, "bad_spin", "telemetry of the spin incomplete"), Flag(1, "sun", "sunlight seen")),
    masking=1 << 0,
    source="VAR_NOTES of demo_esa_flags",
)

DISTRIBUTION = SkymapAdapter(
    f="demo_esa_f",
    # One list of directions: both angles, and their widths, depend on it.
    phi=Angle("demo_esa_phi", "demo_esa_phi_half", ("direction",)),
    theta=Angle("demo_esa_latitude", "demo_esa_latitude_half", ("direction",)),
    energy="demo_esa_energy",
    species=PROTON,
    frame="DSL",
    directions="look",
    polar="latitude",
    time_tag=begin(SPIN),
    quality=Quality("demo_esa_flags", FLAGS),
)


def datasets() -> tuple[Dataset, ...]:
    """Return the distributions and what the shared recipes make of them."""
    files = FileSource("demo_esa_l2_{start:%Y%m%d%H%M}_v{version}.cdf", DISTRIBUTION, span="31min")
    vdf = "demo_probe.esa.vdf"
    return (
        raw(vdf, VDF, files, granule="10min",
            description="ions: velocity distribution, 88 directions x 32 energies"),
        product("demo_probe.esa.moments", moments, vdf=vdf),
        product("demo_probe.esa.energy_spectrum", energy_spectrum, vdf=vdf),
    )  # fmt: skip
