"""Parker Solar Probe SWEAP: SPAN-I, partial moments of the protons (channel sf00)."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Moments
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.conventions import Quality
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter
from sciqlop_pipe.sources.species import PROTON
from sciqlop_pipe.sources.view import Seen, Symmetric

FILES = "psp_swp_spi_sf00_l3_mom_{start:%Y%m%d}_v{version}.cdf"
ID = "PSP_SWP_SPI_SF00_L3_MOM"

FLAGS = Flags(
    "SPAN-I quality flag",
    (
        Flag(0, "counter_overflow", "counter overflow"),
        Flag(1, "survey_snapshot", "survey snapshot on"),
        Flag(2, "alternate_energies", "alternate energy table"),
        Flag(3, "spoiler_test", "spoiler test"),
        Flag(4, "attenuator", "attenuator engaged"),
        Flag(5, "highest_archive_rate", "highest archive rate"),
        Flag(6, "no_targeted_sweep", "no targeted sweep"),
        Flag(7, "new_mass_table", "new mass table"),
        Flag(8, "over_deflection", "over-deflection"),
        Flag(9, "archive_snapshot", "archive snapshot on"),
        Flag(10, "bad_energies", "bad energy table"),
        Flag(11, "mcp_test", "MCP test"),
        Flag(12, "survey_available", "survey available"),
        Flag(13, "archive_available", "archive available"),
    ),
    masking=0,
    source="VAR_NOTES of QUALITY_FLAG, spi_sf00_l3_mom v04",
)
_QUALITY = Quality("QUALITY_FLAG", FLAGS)


def moments_rtn() -> MomentsAdapter:
    """Return the adapter for density, velocity in RTN (spacecraft motion removed) and T."""
    return MomentsAdapter(
        density="DENS",
        velocity="VEL_RTN_SUN",
        temperature="TEMP",
        species=PROTON,
        frame="RTN",
        quality=_QUALITY,
    )


def moments_inst() -> Seen:
    """Return the adapter for velocity and temperature tensor in the instrument's frame."""
    adapter = MomentsAdapter(
        density="DENS",
        velocity="VEL_INST",
        temperature_tensor="tensor",
        species=PROTON,
        frame="SPAN-I",
        quality=_QUALITY,
    )
    return Seen(adapter, made=(Symmetric("tensor", "T_TENSOR_INST", "eV"),))


def datasets() -> tuple[Dataset, ...]:
    """Return everything of SPAN-I."""
    return (
        raw("psp.spi.sf00.moms", Moments, FileSource(FILES, moments_rtn(), remote=on_cdaweb(
                ID, "DENS", "VEL_RTN_SUN", "TEMP", "QUALITY_FLAG")), granule="1d",
            description="protons: partial moments, RTN"),
        raw("psp.spi.sf00.moms_inst", Moments, FileSource(FILES, moments_inst(), remote=on_cdaweb(
                ID, "DENS", "VEL_INST", "T_TENSOR_INST", "QUALITY_FLAG")), granule="1d",
            description="protons: partial moments with temperature tensor, instrument frame"),
    )  # fmt: skip
