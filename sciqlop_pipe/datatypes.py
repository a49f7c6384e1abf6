"""The shapes that missions share: recipes take and give these, adapters end in one of them."""

from __future__ import annotations

from .datatype import DataType, Var

_T = ("time",)
_TC = ("time", "component")
_TE = ("time", "energy_bin")
_TCC = ("time", "component", "component_2")
_TF = ("time", "frequency_bin")
_GRID = ("time", "phi_bin", "theta_bin", "energy_bin")
_LIST = ("time", "direction", "energy_bin")

Anything = DataType("Any", description="whatever has a time coordinate")

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
    numeric="counts",
    description="velocity distribution function; directions are velocities, NaN is unmeasured",
)

VectorSeries = DataType(
    "VectorSeries",
    (Var("vector", (_TC,), framed=True), Var("quality", (_T,), "1", required=False)),
    main="vector",
    description="a vector in time, in a named frame",
)

ScalarSeries = DataType(
    "ScalarSeries",
    (Var("value", (_T,)), Var("quality", (_T,), "1", required=False)),
    main="value",
    description="a number in time",
)

Position = DataType(
    "Position",
    (
        Var("position", (_TC,), "km", framed=True),
        Var("velocity", (_TC,), "km s^-1", False, framed=True),
    ),
    main="position",
    description="where the spacecraft is",
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

WaveSpectrum = DataType(
    "WaveSpectrum",
    (
        Var("power", (("time", "frequency_bin", "component"),)),
        Var("total", (_TF,)),
        Var("frequency", (_TF,), "Hz", subset=True, along=_TF[1:]),
        Var("coverage", (_T, _TF), "1"),
        Var("electron_cyclotron_frequency", (_T,), "Hz", required=False),
        Var("proton_cyclotron_frequency", (_T,), "Hz", required=False),
        Var("lower_hybrid_frequency", (_T,), "Hz", required=False),
        Var("plasma_frequency", (_T,), "Hz", required=False),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("method",),
    main="total",
    description="power spectral density of a field, by component and in total",
)

WavePolarization = DataType(
    "WavePolarization",
    (
        Var("power", (_TF,)),
        Var("frequency", (_TF,), "Hz", subset=True, along=_TF[1:]),
        Var("degree_of_polarization", (_TF,), "1"),
        Var("ellipticity", (_TF,), "1"),
        Var("planarity", (_TF,), "1"),
        Var("handedness", (_TF,), "1"),
        Var("wave_normal_angle", (_TF,), "deg"),
        Var("frames", (_T,), "1"),
        Var("coverage", (_T,), "1"),
        Var("electron_cyclotron_frequency", (_T,), "Hz", required=False),
        Var("quality", (_T,), "1"),
    ),
    attrs=("frame",),
    main="ellipticity",
    description="how a wave is polarized: ellipticity, handedness, wave normal, planarity",
)

WavePoynting = DataType(
    "WavePoynting",
    (
        Var("flux", (("time", "frequency_bin", "component"),), "uW m^-2 Hz^-1", framed=True),
        Var("flux_parallel", (_TF,), "uW m^-2 Hz^-1"),
        Var("frequency", (_TF,), "Hz", subset=True, along=_TF[1:]),
        Var("coverage", (_T,), "1"),
        Var("quality", (_T,), "1"),
    ),
    main="flux_parallel",
    description="Poynting flux of waves per frequency",
)

Attitude = DataType(
    "Attitude",
    (
        Var("quaternion", (("time", "part"),), "1"),
        Var("quality", (_T,), "1", required=False),
    ),
    attrs=("from_frame", "to_frame"),
    main="quaternion",
    description="how one frame lies in another: unit quaternions (x, y, z, w), v_to = R(q) v_from",
)

VarianceAnalysis = DataType(
    "VarianceAnalysis",
    (
        Var("axes", (("time", "axis", "component"),), "1", framed=True),
        Var("eigenvalues", (("time", "axis"),)),
        Var("error", (("time", "axis", "axis_2"),), "deg"),
        Var("ratio", (_T,), "1"),
        Var("ratio_lm", (_T,), "1"),
        Var("mean", (("time", "axis"),), framed=True),
        Var("normal_error", (_T,)),
        Var("count", (_T,), "1"),
        Var("quality", (_T,), "1"),
    ),
    main="ratio",
    description="axes L, M, N of maximum, intermediate and minimum variance, with errors",
)

FrameAnalysis = DataType(
    "FrameAnalysis",
    (
        Var("velocity", (_TC,), "km s^-1", framed=True),
        Var("correlation", (_T,), "1"),
        Var("residual", (_T,), "1"),
        Var("walen_slope", (_T,), "1"),
        Var("walen_slope_error", (_T,), "1"),
        Var("walen_correlation", (_T,), "1"),
        Var("count", (_T,), "1"),
        Var("quality", (_T,), "1"),
    ),
    main="velocity",
    description="de Hoffmann-Teller frame and Walen relation of windows",
)

TetrahedronShape = DataType(
    "TetrahedronShape",
    (
        Var("size", (_T,), "km"),
        Var("elongation", (_T,), "1"),
        Var("planarity", (_T,), "1"),
        Var("volume", (_T,), "km^3"),
        Var("quality_gm", (_T,), "1"),
        Var("quality_rr", (_T,), "1"),
        Var("separation", (("time", "pair"),), "km"),
        Var("barycentre", (_TC,), "km", framed=True),
        Var("quality", (_T,), "1"),
    ),
    main="size",
    description="size and shape of four spacecraft",
)

CurrentDensity = DataType(
    "CurrentDensity",
    (
        Var("current", (_TC,), "nA m^-2", framed=True),
        Var("current_parallel", (_T,), "nA m^-2"),
        Var("divergence", (_T,), "nA m^-2"),
        Var("ratio", (_T,), "1"),
        Var("quality", (_T,), "1"),
    ),
    main="current",
    description="current density from the curl of B, with what div B says of it",
)

FieldGradient = DataType(
    "FieldGradient",
    (
        Var("gradient", (_TCC,), framed=True),
        Var("mean", (_TC,), framed=True),
        Var("curvature", (_TC,), "km^-1", framed=True),
        Var("size", (_T,), "km"),
        Var("quality", (_T,), "1"),
    ),
    main="gradient",
    description="gradient of a vector between four spacecraft",
)

MagneticNull = DataType(
    "MagneticNull",
    (
        Var("offset", (_TC,), "km", framed=True),
        Var("distance", (_T,), "km"),
        Var("kind", (_T,), "1"),
        Var("eta", (_T,), "1"),
        Var("xi", (_T,), "1"),
        Var("quality", (_T,), "1"),
    ),
    main="distance",
    description="null of the linear magnetic field: where, of which kind, how far to be trusted",
)

TimingAnalysis = DataType(
    "TimingAnalysis",
    (
        Var("normal", (_TC,), "1", framed=True),
        Var("speed", (_T,), "km s^-1"),
        Var("delay", (("time", "spacecraft"),), "s"),
        Var("correlation", (("time", "spacecraft"),), "1"),
        Var("quality", (_T,), "1"),
    ),
    main="speed",
    description="normal and speed of plane fronts from four spacecraft",
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

Alfvenicity = DataType(
    "Alfvenicity",
    (
        Var("z_plus", (_TC,), "km s^-1", framed=True),
        Var("z_minus", (_TC,), "km s^-1", framed=True),
        Var("cross_helicity", (_T,), "1"),
        Var("residual_energy", (_T,), "1"),
        Var("alfven_ratio", (_T,), "1"),
        Var("count", (_T,), "1"),
    ),
    attrs=("species", "window"),
    main="cross_helicity",
    description="Elsasser fluctuations, cross-helicity and residual energy",
)

StructureFunctions = DataType(
    "StructureFunctions",
    (
        Var("structure", (("time", "order", "lag"),)),
        Var("lag_seconds", (("lag",),), "s"),
        Var("flatness", (("time", "lag"),), "1"),
        Var("count", (("time", "lag"),), "1"),
    ),
    main="flatness",
    description="moments of increments of a vector, by lag",
)

ShockSeries = DataType(
    "ShockSeries",
    (
        Var("normal", (("time", "technique", "component"),), "1", framed=True),
        Var("theta_bn", (("time", "technique"),), "deg"),
        Var("speed", (("time", "technique"),), "km s^-1"),
        Var("alfven_mach", (("time", "technique"),), "1"),
        Var("fast_mach", (("time", "technique"),), "1"),
        Var("compression", (_T,), "1"),
        Var("field_ratio", (_T,), "1"),
        Var("upstream_first", (_T,), "1"),
        Var("quality", (_T,), "1"),
    ),
    attrs=("species",),
    main="theta_bn",
    description="shock passages: normals by several methods, theta_Bn, Mach numbers, speed",
)

Upstream = DataType(
    "Upstream",
    (
        Var("b", (_TC,), "nT", framed=True),
        Var("density", (_T,), "cm^-3"),
        Var("velocity", (_TC,), "km s^-1", framed=True),
        Var("dynamic_pressure", (_T,), "nPa"),
        Var("alfven_mach", (_T,), "1"),
        Var("magnetopause", (_T,), "km"),
        Var("bow_shock", (_T,), "km"),
        Var("magnetopause_offset", (_T,), "km"),
        Var("bow_shock_offset", (_T,), "km"),
        Var("standoff", (_T,), "km"),
        Var("quality", (_T,), "1"),
    ),
    main="magnetopause_offset",
    description="the solar wind ahead of a spacecraft, and model boundaries along its orbit",
)

SolarConnection = DataType(
    "SolarConnection",
    (
        Var("distance", (_T,), "km"),
        Var("carrington_longitude", (_T,), "deg"),
        Var("heliographic_latitude", (_T,), "deg"),
        Var("speed", (_T,), "km s^-1"),
        Var("parker_angle", (_T,), "deg"),
        Var("field_angle", (_T,), "deg"),
        Var("source_longitude", (_T,), "deg"),
        Var("travel_time", (_T,), "s"),
        Var("quality", (_T,), "1"),
    ),
    main="source_longitude",
    description="where on the Sun the wind at a spacecraft comes from, and its Parker spiral",
)

MagneticLocation = DataType(
    "MagneticLocation",
    (
        Var("dipole_l", (_T,), "1"),
        Var("magnetic_local_time", (_T,), "h"),
        Var("magnetic_latitude", (_T,), "deg"),
        Var("distance", (_T,), "km"),
        Var("dipole_tilt", (_T,), "deg"),
    ),
    main="dipole_l",
    description="L and local time in the dipole",
)

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

PlasmaState = DataType(
    "PlasmaState",
    (
        Var("density", (_T,), "cm^-3"),
        Var("speed", (_T,), "km s^-1"),
        Var("temperature", (_T,), "eV"),
        Var("velocity", (_TC,), "km s^-1", framed=True),
        Var("core_temperature", (_T,), "eV", required=False),
        Var("magnetic_field", (_T,), "nT", required=False),
    ),
    description="what any mission can say of the plasma around it, on one clock",
)

Labels = DataType(
    "Labels",
    (Var("probability", (("time", "label"),), "1"), Var("gap", (_T,), "1", required=False)),
    main="probability",
    description="probability of each class in time",
)

Overview = DataType(
    "Overview",
    (),
    description="min, mean, max and count of every variable per time bin",
)

Events = DataType(
    "Events",
    in_sql=True,
    description="intervals with attributes; they live in the registry, not in files",
)
