"""Quality flags of MMS FPI: those of distributions, and those of moments, which are others."""

from __future__ import annotations

from sciqlop_pipe.quality import Flag, Flags

_SATURATED = Flag(1, "saturated", "overcounting or saturation effects likely in the sky map")
_MANUAL = Flag(0, "manually_flagged", "interval flagged by hand: ask the FPI team before using it")

DISTRIBUTION_FLAGS = Flags(
    "FPI error flags of the distribution",
    (_MANUAL, _SATURATED, Flag(2, "compression_error", "error in the compression pipeline")),
    masking=1 << 0,
    source="VAR_NOTES of mms1_dis_errorflags_brst, dis-dist v3.3.0",
)

# Bits 0-12 since v3.2, 13 since v3.3 (release notes), 14 in v3.4 files; none has changed meaning.
MOMENTS_FLAGS = Flags(
    "FPI error flags of the moments",
    (
        _MANUAL,
        _SATURATED,
        Flag(2, "potential_above_20V", "reported spacecraft potential above 20 V"),
        Flag(3, "no_potential", "spacecraft potential invalid or unavailable"),
        Flag(4, "cold_plasma", "more than 10 % of the plasma is cold (< 10 eV)"),
        Flag(5, "hot_plasma", "more than 25 % of the plasma is hot (> 30 keV)"),
        Flag(6, "high_mach", "sonic Mach number v/vth > 2.5"),
        Flag(7, "low_density", "DES: n < 0.05 cm^-3; DIS: n <= 0"),
        Flag(8, "bent_pipe_field", "onboard magnetic field used instead of the ground product"),
        Flag(9, "survey_field", "burst only: survey magnetic field used instead of burst"),
        Flag(10, "photoelectrons_left", "no photo-electron correction applied"),
        Flag(11, "compression_error", "error in the compression pipeline"),
        Flag(12, "spintone_error", "error in the spin tone calculation (DBCS only)"),
        Flag(13, "penetrating_radiation", "DIS: 20 % or more penetrating radiation"),
        Flag(14, "dis008_spintone", "DIS of MMS3: high spin tone after the DIS008 anomaly"),
    ),
    masking=1 << 0,
    source="VAR_NOTES of mms?_d?s_errorflags_*, d?s-moms v3.3.0 and v3.4.0",
)
