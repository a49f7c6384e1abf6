"""Distributions, and what sums over them give."""

from __future__ import annotations

from ..datatype import DataType, Var

_T = ("time",)
_TC = ("time", "component")
_TE = ("time", "energy_bin")
_TCC = ("time", "component", "component_2")
_GRID = ("time", "phi_bin", "theta_bin", "energy_bin")
_LIST = ("time", "direction", "energy_bin")

VDF = DataType(
    "VDF",
    (
        Var("f", (_GRID, _LIST), "s^3 m^-6"),
        Var("energy", (_TE,), "eV", subset=True, along=_TE[1:]),
        Var("phi", (_GRID, _LIST), "deg", subset=True),
        Var("theta", (_GRID, _LIST), "deg", subset=True),
        Var("solid_angle", (_GRID[:3], _LIST[:2]), "sr", subset=True),
        Var("f_error", (_GRID, _LIST), "s^3 m^-6", required=False),
        Var("energy_lower", (_TE,), "eV", required=False, subset=True, along=_TE[1:]),
        Var("energy_upper", (_TE,), "eV", required=False, subset=True, along=_TE[1:]),
        Var("phi_width", (_GRID, _LIST), "deg", required=False, subset=True),
        Var("theta_width", (_GRID, _LIST), "deg", required=False, subset=True),
        Var("first_energy", (_T,), "1", required=False),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species", "mass", "charge", "energy_kind", "frame"),
    main="f",
    records=50,
    description="velocity distribution function; directions are velocities, NaN is unmeasured",
)

Moments = DataType(
    "Moments",
    (
        Var("density", (_T,), "cm^-3"),
        Var("velocity", (_TC,), "km s^-1", framed=True),
        Var("temperature", (_T,), "eV", required=False),
        Var("temperature_tensor", (_TCC,), "eV", required=False, framed=True),
        Var("pressure", (_TCC,), "nPa", required=False, framed=True),
        Var("temperature_parallel", (_T,), "eV", required=False),
        Var("temperature_perpendicular", (_T,), "eV", required=False),
        Var("heat_flux", (_TC,), "mW m^-2", required=False, framed=True),
        Var("coverage", (_T,), "1", required=False),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species",),
    main="density",
    description="density, velocity, pressure, temperature, heat flux",
)

EnergySpectrum = DataType(
    "EnergySpectrum",
    (
        Var("spectrum", (_TE,), "eV cm^-2 s^-1 sr^-1 eV^-1"),
        Var("energy", (_TE,), "eV", subset=True, along=_TE[1:]),
        Var("coverage", (_T, _TE), "1", required=False),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species",),
    main="spectrum",
    description="omnidirectional differential energy flux",
)

PitchAngle = DataType(
    "PitchAngle",
    (
        Var("f", (("time", "pitch_angle", "energy_bin"),), "s^3 m^-6"),
        Var("energy", (_TE,), "eV", subset=True, along=_TE[1:]),
        Var("coverage", (("time", "pitch_angle", "energy_bin"),), "1"),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species", "mass", "charge", "frame"),
    main="f",
    description="mean distribution function per pitch angle and energy",
)

_DIRECTIONAL = "cm^-2 s^-1 sr^-1 MeV^-1"

DirectionalFlux = DataType(
    "DirectionalFlux",
    (
        Var("flux", (_TE,), _DIRECTIONAL),
        Var("flux_error", (_TE,), _DIRECTIONAL, required=False),
        Var("energy_lower", (_TE[1:],), "eV"),
        Var("energy_upper", (_TE[1:],), "eV"),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species",),
    main="flux",
    description="differential intensity of energetic particles in one field of view",
)

PitchAngleFlux = DataType(
    "PitchAngleFlux",
    (
        Var("flux", (("time", "pitch_angle_bin", "energy_bin"),), "cm^-2 s^-1 sr^-1 keV^-1"),
        Var("pitch_angle", ((*_T, "pitch_angle_bin"),), "deg", subset=True),
        Var("energy", (_TE,), "eV", subset=True, along=_TE[1:]),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species", "mass", "charge"),
    main="flux",
    description="differential intensity per pitch angle and energy; NaN is unmeasured",
)

FieldAligned = DataType(
    "FieldAligned",
    (
        Var("temperature_parallel", (_T,), "eV"),
        Var("temperature_perpendicular", (_T,), "eV"),
        Var("anisotropy", (_T,), "1"),
        Var("agyrotropy", (_T,), "1"),
        Var("perpendicular_asymmetry", (_T,), "1", required=False),
        Var("nongyrotropy", (_T,), "1", required=False),
        Var("pressure", (_TCC,), "nPa", framed=True),
        Var("velocity", (_TC,), "km s^-1", framed=True),
        Var("heat_flux", (_TC,), "mW m^-2", required=False, framed=True),
        Var("b_direction", (("time", "component_b"),), "1", framed=True),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species",),
    main="temperature_parallel",
    description="moments along and across the magnetic field",
)

Reduced1D = DataType(
    "Reduced1D",
    (
        Var("f", (("time", "v"),), "s m^-4"),
        Var("outside", (_T,), "1"),
        Var("coverage", (_T,), "1"),
        Var("count", (_T,), "1", required=False),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species", "mass", "charge", "frame", "axis"),
    main="f",
    description="distribution of one velocity component, the other two integrated",
)

Reduced2D = DataType(
    "Reduced2D",
    (
        Var("f", (("time", "plane", "v1", "v2"),), "s^2 m^-5"),
        Var("outside", (("time", "plane"),), "1"),
        Var("coverage", (_T,), "1"),
        Var("count", (_T,), "1", required=False),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species", "mass", "charge", "frame", "basis"),
    main="f",
    description="distributions in three planes of velocity, the third component integrated",
)

Slices = DataType(
    "Slices",
    (
        Var("f", (("time", "plane", "v1", "v2"),), "s^3 m^-6"),
        Var("coverage", (_T,), "1"),
        Var("count", (_T,), "1", required=False),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species", "mass", "charge", "frame", "basis"),
    main="f",
    description="the distribution itself in three planes of velocity",
)

Cartesian = DataType(
    "Cartesian",
    (
        Var("f", (("time", "v1", "v2", "v3"),), "s^3 m^-6"),
        Var("outside", (_T,), "1"),
        Var("coverage", (_T,), "1"),
        Var("count", (_T,), "1", required=False),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species", "mass", "charge", "frame", "basis"),
    main="f",
    records=4,
    description="the distribution on a cube of velocity",
)

MomentErrors = DataType(
    "MomentErrors",
    (
        Var("density_error", (_T,), "cm^-3"),
        Var("velocity_error", (_TC,), "km s^-1", framed=True),
        Var("temperature_error", (_T,), "eV"),
        Var("temperature_tensor_error", (_TC,), "eV", framed=True),
        Var("density_limit", (_T,), "cm^-3"),
        Var("velocity_limit", (_TC,), "km s^-1", framed=True),
        Var("temperature_limit", (_T,), "eV"),
        Var("temperature_tensor_limit", (_TC,), "eV", framed=True),
        Var("counts", (_T,), "1"),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species",),
    main="density_error",
    description="statistical errors of moments, without and with one count in empty bins",
)

AngleDistribution = DataType(
    "AngleDistribution",
    (
        Var("f", (("time", "angle", "energy_bin"),), "s^3 m^-6"),
        Var("energy", (_TE,), "eV", subset=True, along=_TE[1:]),
        Var("coverage", (("time", "angle", "energy_bin"),), "1"),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species", "mass", "charge", "frame", "angle"),
    main="f",
    description="mean distribution function per energy and one angle: theta, phi or gyrophase",
)

AngleSpectrum = DataType(
    "AngleSpectrum",
    (
        Var("spectrum", (("time", "angle"),)),
        Var("coverage", (("time", "angle"),), "1"),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species", "quantity", "angle"),
    main="spectrum",
    description="mean over a range of energies per angle, as f or a differential flux",
)

ParticleSpectrum = DataType(
    "ParticleSpectrum",
    (
        Var("spectrum", (_TE,)),
        Var("energy", (_TE,), "eV", subset=True, along=_TE[1:]),
        Var("coverage", (_T, _TE), "1", required=False),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species", "quantity"),
    main="spectrum",
    description="omnidirectional spectrum as f or a differential flux, on any grid of energies",
)

PitchCuts = DataType(
    "PitchCuts",
    (
        Var("spectrum", (("time", "cut", "energy_bin"),)),
        Var("energy", (_TE,), "eV", subset=True, along=_TE[1:]),
        Var("coverage", (("time", "cut", "energy_bin"),), "1"),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species", "quantity"),
    main="spectrum",
    description="spectra along, across and against the magnetic field",
)

MomentCorrelations = DataType(
    "MomentCorrelations",
    (
        Var("correlation", (("time", "moment", "moment_2"),), "1", framed=True),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species",),
    main="correlation",
    description="how the statistical errors of moments go together",
)
