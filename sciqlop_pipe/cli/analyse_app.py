"""The `analyse` commands: one interval of what the store holds, judged by a named method."""

from __future__ import annotations

import json as json_
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import DEFAULT_STORE, JsonOpt, RegistryOpt, StoreOpt
from .output import wide

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

analyse_app = typer.Typer(
    no_args_is_help=True,
    help="Analyses of one interval: minimum variance, de Hoffmann-Teller and Walen, shocks.",
)

Field = Annotated[str, typer.Argument(help="Magnetic field, e.g. mms1.fgm.brst.b_gse.")]
Plasma = Annotated[str, typer.Argument(help="Moments, e.g. mms1.fpi.dis.brst.moms_gse.")]
StartOpt = Annotated[str, typer.Option(help="First instant, UTC.")]
StopOpt = Annotated[str, typer.Option(help="End, not included.")]
AccumulationOpt = Annotated[
    str, typer.Option(help="How long a record of the moments takes; B is averaged over it.")
]
ReachOpt = Annotated[
    str, typer.Option(help="How far apart records may be that are interpolated where none is in.")
]
PictureOpt = Annotated[Path | None, typer.Option("-o", "--output", help="Draw it: a PNG file.")]


_FIELD, _PLASMA = "VectorSeries", "Moments"
_WANTED = {_FIELD: "a field such as mms1.fgm.brst.b_gse",
           _PLASMA: "moments such as mms1.fpi.dis.brst.moms_gse, before the field"}  # fmt: skip


@analyse_app.command("mva")
def mva(
    field: Field,
    start: StartOpt,
    stop: StopOpt,
    output: PictureOpt = None,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    json: JsonOpt = False,
) -> None:
    """Minimum variance: axes L, M, N with variances, errors, and whether the normal is certain.

    The picture has the field along L, M, N and its hodograms.

    Example: `sciqlop-pipe analyse mva mms1.fgm.brst.b_gse --start 2015-10-16T13:05:40 --stop
    2015-10-16T13:06:09 -o mva.png`
    """
    from ..recipes.minimum_variance import variance_of

    b = _read(field, _FIELD, start, stop, store, registry)
    found = variance_of(b["vector"].values)
    frame = b["vector"].attrs["frame"]
    _show(
        {
            **{f"{name} ({frame})": _rounded(axis, 4)
               for name, axis in zip("LMN", found.axes, strict=True)},
            "variances [nT^2]": _rounded(found.eigenvalues, 3),
            "lambda2/lambda3": round(found.ratio, 3),
            "normal": "certain" if found.certain else "uncertain (lambda2/lambda3 below 4)",
            "error of N to L, to M [deg]": _rounded(found.errors[2, :2], 3),
            "mean along L, M, N [nT]": _rounded(found.mean, 3),
            "error along N [nT]": round(found.normal_error, 3),
            "records": found.records,
        },
        json,
    )  # fmt: skip
    if output:
        from ..publish.analysis_picture import draw_variance

        draw_variance(b, found, output, f"Minimum variance of {field}, {start} to {stop}")
        _told(output, json)


@analyse_app.command("ht")
def ht(
    moments: Plasma,
    field: Field,
    start: StartOpt,
    stop: StopOpt,
    accumulation: AccumulationOpt = "150ms",
    reach: ReachOpt = "2s",
    output: PictureOpt = None,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    json: JsonOpt = False,
) -> None:
    """De Hoffmann-Teller frame, its quality, and the Walen test.

    The picture has E against that of the frame, and V - V_HT against the Alfven velocity.

    Example: `sciqlop-pipe analyse ht mms1.fpi.dis.brst.moms_gse mms1.fgm.brst.b_gse --start
    2015-10-16T13:06:42 --stop 2015-10-16T13:06:58 -o ht.png`
    """
    from ..recipes.de_hoffmann_teller import frame_of, walen_of
    from ..recipes.plasma import plasma_of

    plasma = plasma_of(
        _read(moments, _PLASMA, start, stop, store, registry),
        _read(field, _FIELD, start, stop, store, registry),
        accumulation,
        reach,
    )
    frame = frame_of(plasma.velocity, plasma.b)
    walen = walen_of(plasma, frame)
    _show(
        {
            f"V_HT ({plasma.frame}) [km/s]": _rounded(frame.velocity, 2),
            "correlation": round(frame.correlation, 4),
            "D/D0": round(frame.residual, 4),
            "frame": "good" if frame.good else "poor",
            "Walen slope": round(walen.slope, 4),
            "its error": round(walen.slope_error, 4),
            "Walen correlation": round(walen.correlation, 4),
            "Walen test": "passed" if walen.passed else "failed",
            "records": frame.records,
        },
        json,
    )
    if output:
        from ..publish.analysis_picture import draw_frame

        title = f"De Hoffmann-Teller frame of {moments}, {start} to {stop}"
        draw_frame(plasma, frame, walen, output, title)
        _told(output, json)


@analyse_app.command("shock")
def shock(
    moments: Plasma,
    field: Field,
    upstream: Annotated[str, typer.Option(help="START/STOP of the upstream side, UTC.")],
    downstream: Annotated[str, typer.Option(help="START/STOP of the downstream side, UTC.")],
    normal: Annotated[
        str,
        typer.Option(help="A normal of your own, X,Y,Z in the frame of the data: of timing, say."),
    ] = "",
    accumulation: AccumulationOpt = "150ms",
    reach: ReachOpt = "2s",
    output: PictureOpt = None,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
    json: JsonOpt = False,
) -> None:
    """Shock normals by all methods, theta_Bn, speed along the normal and Mach numbers.

    Minimum variance takes the field between the two sides. Give the sides without foreshock, ramp
    and overshoot; whichever comes first. The picture has both sides and all normals.

    Example: `sciqlop-pipe analyse shock mms1.fpi.dis.brst.moms_gse mms1.fgm.brst.b_gse --upstream
    2020-11-19T23:35:00/2020-11-19T23:36:00 --downstream 2020-11-19T23:36:25/2020-11-19T23:36:33
    -o shock.png`
    """
    from ..granule import datetime64, iso
    from ..recipes.shocks import FLAGS, quality_of, shock_analysis, shock_of, side_of, upstream_side

    ends = [_span(upstream, "--upstream"), _span(downstream, "--downstream")]
    edges = _apart(ends)
    ions, b = (
        _read(name, gives, iso(edges[0]), iso(edges[3]), store, registry)
        for name, gives in ((moments, _PLASMA), (field, _FIELD))
    )
    up, down = (side_of(_part(ions, *end), _part(b, *end), accumulation, reach) for end in ends)
    across = _part(b, edges[1], edges[2])["vector"].values
    found = shock_analysis(up, down, across)
    flags = list(FLAGS.names(quality_of(up, down, found)))
    if normal:
        given = upstream_side(_three(normal, "--normal"), down.velocity - up.velocity)
        found = (*found, shock_of(up, down, "given", given))
    rows: dict[str, Any] = {
        s.method: {
            "normal": _rounded(s.normal, 4),
            "theta_bn [deg]": round(s.theta_bn, 2),
            "speed [km/s]": round(s.speed, 2),
            "alfven_mach": round(s.alfven_mach, 2),
            "fast_mach": round(s.fast_mach, 2),
        }
        for s in found
    }
    rows["compression"] = round(down.density / up.density, 3)
    rows["flags"] = flags
    _show(rows, json)
    if output:
        from ..publish.analysis_picture import draw_shock

        times = [(datetime64(start), datetime64(stop)) for start, stop in ends]
        title = f"Shock in {moments} and {field}"
        draw_shock(ions, b, times, (up, down), found, flags, output, title)
        _told(output, json)


def _read(dataset: str, gives: str, start: str, stop: str, store: str, registry: str) -> xr.Dataset:
    """Return the records of a dataset of a DataType.

    Raises
    ------
    UsageError
        When it is of another one, or has no record there.
    UnknownName
        When the store has nothing of it, with near names.
    """
    from ..errors import UsageError
    from ..granule import Interval
    from ..publish.levels import kind_of
    from ..store import Store

    with Store.open(store, read_only=True, registry=registry) as opened:
        kind = kind_of(opened, dataset, Interval.of(start, stop))
        if kind != gives:
            raise UsageError(f"{dataset} is {kind}, not {gives}", store,
                             f"Give {_WANTED[gives]}")  # fmt: skip
        ds = opened.read(dataset, start, stop).load()
    if not ds.sizes["time"]:
        raise UsageError(f"{dataset} has no record from {start} to {stop}", store,
                         "Run it first: 'sciqlop-pipe run'")  # fmt: skip
    return ds


def _span(text: str, option: str) -> tuple[int, int]:
    from ..errors import UsageError
    from ..granule import instant

    start, slash, stop = text.partition("/")
    if not (slash and start and stop):
        raise UsageError(f"'{text}' is not START/STOP", option,
                         "Give two times: 2015-10-16T13:05/2015-10-16T13:06")  # fmt: skip
    found = instant(start), instant(stop)
    if found[1] <= found[0]:
        raise UsageError(f"'{text}' ends at or before it starts", option, "Swap its two times")
    return found


def _three(text: str, option: str) -> np.ndarray:
    import numpy as np

    from ..errors import UsageError

    try:
        found = np.array([float(x) for x in text.split(",")])
    except ValueError:
        found = np.zeros(0)
    if found.shape != (3,) or not (np.isfinite(found).all() and found.any()):
        raise UsageError(f"'{text}' is not a direction", option, "Give X,Y,Z: 0.95,0.2,-0.1")
    return found


def _apart(ends: list[tuple[int, int]]) -> list[int]:
    """Return the four edges of two sides [ns], in order.

    Raises
    ------
    UsageError
        When the sides overlap.
    """
    from ..errors import UsageError

    first, second = sorted(ends)
    if second[0] < first[1]:
        raise UsageError("the two sides overlap", "--upstream, --downstream",
                         "Leave the ramp between them")  # fmt: skip
    return [*first, *second]


def _part(ds: xr.Dataset, start: int, stop: int) -> xr.Dataset:
    """Return the records in [start, stop) [ns]."""
    import numpy as np

    low, high = np.searchsorted(ds["time"].values.astype("int64"), [start, stop])
    return ds.isel(time=slice(low, high))


def _told(output: Path, json: bool) -> None:
    if not json:
        print(f"wrote {output}")


def _rounded(values: np.ndarray, digits: int) -> list[float]:
    return [round(float(v), digits) for v in values.ravel()]


def _known(value: Any) -> Any:
    """Return a value with null for what is not a number: JSON has no other word for it."""
    if isinstance(value, dict):
        return {k: _known(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_known(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _show(rows: dict[str, Any], json: bool) -> None:
    if json:
        print(json_.dumps(_known(rows), indent=1))
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_header=False)
    for name, value in rows.items():
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        # Units in brackets would be taken for colours.
        table.add_row(escape(name), escape(str(text)))
    wide().print(table)
