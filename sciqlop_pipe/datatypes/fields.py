"""Waves, boundaries, currents and where a spacecraft is."""

from __future__ import annotations

from ..datatype import DataType, Var

_T = ("time",)
_TC = ("time", "component")
_TCC = ("time", "component", "component_2")
_TF = ("time", "frequency_bin")

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

RadioSpectrum = DataType(
    "RadioSpectrum",
    (
        Var("flux", (_TF,), "W m^-2 Hz^-1"),
        Var("frequency", (_TF,), "Hz", subset=True, along=_TF[1:]),
        Var("quality", (_T,), "1", required=False),
    ),
    main="flux",
    description="spectral flux density of radio waves, at the spacecraft",
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
        Var("proton_cyclotron_frequency", (_T,), "Hz", required=False),
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
        Var("electron_cyclotron_frequency", (_T,), "Hz", required=False),
        Var("proton_cyclotron_frequency", (_T,), "Hz", required=False),
        Var("quality", (_T,), "1"),
    ),
    main="flux_parallel",
    description="Poynting flux of waves per frequency",
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
        Var("count", (_T,), "1", required=False),
        Var("quality", (_T,), "1"),
    ),
    main="speed",
    description="normal and speed of plane fronts from four spacecraft",
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
        Var("count", (_T,), "1", required=False),
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
        Var("fast_mach", (_T,), "1"),
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
