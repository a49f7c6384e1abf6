"""What is derived from moments and distributions."""

from __future__ import annotations

from ..datatype import DataType, Var

_T = ("time",)
_TC = ("time", "component")
_TCC = ("time", "component", "component_2")

PlasmaFit = DataType(
    "PlasmaFit",
    (
        Var("density", (_T,), "cm^-3"),
        Var("velocity", (_TC,), "km s^-1", framed=True),
        Var("velocity_parallel", (_T,), "km s^-1"),
        Var("temperature_parallel", (_T,), "eV"),
        Var("temperature_perpendicular", (_T,), "eV"),
        Var("temperature", (_T,), "eV"),
        Var("kappa", (_T,), "1", required=False),
        Var("density_error", (_T,), "cm^-3"),
        Var("velocity_error", (_TC,), "km s^-1", framed=True),
        Var("velocity_parallel_error", (_T,), "km s^-1"),
        Var("temperature_parallel_error", (_T,), "eV"),
        Var("temperature_perpendicular_error", (_T,), "eV"),
        Var("kappa_error", (_T,), "1", required=False),
        Var("reduced_chi2", (_T,), "1"),
        Var("residual", (_T,), "1"),
        Var("converged", (_T,), "1"),
        Var("iterations", (_T,), "1"),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species", "mass", "charge", "frame", "model"),
    main="density",
    description="parameters of a model distribution fitted to a measured one, with goodness",
)

NonMaxwellianity = DataType(
    "NonMaxwellianity",
    (
        Var("epsilon", (_T,), "1"),
        Var("epsilon_isotropic", (_T,), "1"),
        Var("epsilon_greco", (_T,), "1"),
        Var("entropy_deficit", (_T,), "1"),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species",),
    main="epsilon",
    description="how far a distribution is from the Maxwellian of its own moments",
)

Instabilities = DataType(
    "Instabilities",
    (
        Var("anisotropy", (_T,), "1"),
        Var("beta_parallel", (_T,), "1"),
        Var("threshold", (("time", "instability"),), "1"),
        Var("distance", (("time", "instability"),), "1"),
        Var("unstable", (("time", "instability"),), "1"),
        Var("mirror_parameter", (_T,), "1"),
        Var("firehose_parameter", (_T,), "1"),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species",),
    main="distance",
    description="temperature anisotropy against the thresholds of instabilities",
)

EnergyFlux = DataType(
    "EnergyFlux",
    (
        Var("kinetic", (_TC,), "mW m^-2", framed=True),
        Var("enthalpy", (_TC,), "mW m^-2", framed=True),
        Var("heat", (_TC,), "mW m^-2", required=False, framed=True),
        Var("total", (_TC,), "mW m^-2", framed=True),
        Var("poynting", (_TC,), "mW m^-2", required=False, framed=True),
        Var("kinetic_parallel", (_T,), "mW m^-2", required=False),
        Var("enthalpy_parallel", (_T,), "mW m^-2", required=False),
        Var("heat_parallel", (_T,), "mW m^-2", required=False),
        Var("total_parallel", (_T,), "mW m^-2", required=False),
        Var("poynting_parallel", (_T,), "mW m^-2", required=False),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("species",),
    main="total",
    description="flux of energy carried by bulk motion, enthalpy, heat and fields",
)

PotentialCalibration = DataType(
    "PotentialCalibration",
    (
        Var("amplitude", (("time", "term"),), "cm^-3"),
        Var("scale", (("time", "term"),), "V"),
        Var("potential_min", (_T,), "V"),
        Var("potential_max", (_T,), "V"),
        Var("residual", (_T,), "1"),
        Var("records", (_T,), "1"),
    ),
    main="residual",
    description="density as a sum of exponentials of the spacecraft potential, per window of time",
)

DensityFromPotential = DataType(
    "DensityFromPotential",
    (
        Var("value", (_T,), "cm^-3"),
        Var("relative_error", (_T,), "1"),
        Var("quality", (_T,), "1"),
    ),
    main="value",
    description="plasma density from the spacecraft potential, with its validity",
)

PressureStrain = DataType(
    "PressureStrain",
    (
        Var("pressure_strain", (_T,), "nW m^-3"),
        Var("p_theta", (_T,), "nW m^-3"),
        Var("pi_d", (_T,), "nW m^-3"),
        Var("divergence", (_T,), "s^-1"),
        Var("vorticity", (_TC,), "s^-1", framed=True),
        Var("velocity_gradient", (_TCC,), "s^-1", framed=True),
        Var("quality", (_T,), "1"),
    ),
    attrs=("species", "frame"),
    main="pressure_strain",
    description="work of pressure on the strain of the flow, from four spacecraft",
)

PlasmaParameters = DataType(
    "PlasmaParameters",
    (
        Var("beta", (_T,), "1"),
        Var("thermal_pressure", (_T,), "nPa"),
        Var("magnetic_pressure", (_T,), "nPa"),
        Var("dynamic_pressure", (_T,), "nPa"),
        Var("total_pressure", (_T,), "nPa"),
        Var("alfven_speed", (_T,), "km s^-1"),
        Var("sound_speed", (_T,), "km s^-1"),
        Var("fast_speed", (_T,), "km s^-1"),
        Var("alfven_mach", (_T,), "1"),
        Var("sonic_mach", (_T,), "1"),
        Var("fast_mach", (_T,), "1"),
        Var("entropy", (_T,), "eV cm^2"),
        Var("gyroradius", (_T,), "km"),
        Var("gyrofrequency", (_T,), "Hz"),
        Var("inertial_length", (_T,), "km"),
        Var("debye_length", (_T,), "km"),
        Var("plasma_frequency", (_T,), "Hz"),
        Var("quality", (_T,), "1"),
    ),
    attrs=("species",),
    main="beta",
    description="beta, pressures, characteristic speeds, Mach numbers, scales",
)
