"""What every mission has: series, positions, attitudes, labels, events."""

from __future__ import annotations

from ..datatype import DataType, Var

_T = ("time",)
_TC = ("time", "component")

Anything = DataType("Any", description="whatever has a time coordinate")

VectorSeries = DataType(
    "VectorSeries",
    (
        Var("vector", (_TC,), framed=True),
        Var("quality", (_T,), "1", required=False),
        Var("count", (_T,), "1", required=False),
    ),
    main="vector",
    description="a vector in time, in a named frame",
)

ScalarSeries = DataType(
    "ScalarSeries",
    (
        Var("value", (_T,)),
        Var("quality", (_T,), "1", required=False),
        Var("count", (_T,), "1", required=False),
    ),
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
