"""Every DataType has a picture, those of others too: drawn from dimensions, units and names."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from sciqlop_pipe import datatypes
from sciqlop_pipe.datatype import DataType
from sciqlop_pipe.granule import MINUTE, Interval, instant
from sciqlop_pipe.publish.anything import axis_of, scale_of
from sciqlop_pipe.publish.painters import Spectrogram
from sciqlop_pipe.publish.panels import Panel, rows
from sciqlop_pipe.publish.quicklook import draw, figure
from sciqlop_pipe.publish.snapshots import Snapshots
from tests import builders

pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra `plot`)")

START = instant(builders.START)
MINUTES = Interval(START, START + 5 * MINUTE)
ALL = [
    t for t in vars(datatypes).values() if isinstance(t, DataType) and t.variables
]  # fmt: skip
SIZES = {"time": 12, "energy_bin": 8, "phi_bin": 6, "theta_bin": 4, "component": 3,
         "component_2": 3, "component_b": 3, "axis": 3, "axis_2": 3, "plane": 3, "part": 4}  # fmt: skip


def an_example(datatype: DataType, records: int = 12) -> xr.Dataset:
    """A dataset with every variable that a DataType declares, its sizes and units those declared."""
    random = np.random.default_rng(1)
    sizes = SIZES | {"time": records}
    ds = xr.Dataset(coords={"time": builders.times(records, step="20s")})
    for var in datatype.variables:
        dims = var.dims[0]
        shape = [sizes.get(d, 10) for d in dims]
        values = random.uniform(1, 100, shape)
        if var.name in ("energy", "frequency"):
            values = np.broadcast_to(np.geomspace(10, 1e4, shape[-1]), shape).copy()
        if var.name == "quality":
            values = np.zeros(shape, np.uint32)
        attrs = {
            "units": var.units if var.units != "*" else "nT",
            "long_name": var.name,
            "frame": "GSE",
        }
        ds[var.name] = (dims, values, attrs)
    for d in ds.dims:
        if d in ("v", "v1", "v2", "v3", "vx", "vy", "vz"):
            about = {"units": "km s^-1", "long_name": "velocity"}
            ds = ds.assign_coords({d: (d, np.linspace(-900, 900, ds.sizes[d]), about)})
        elif d == "pitch_angle":
            ds = ds.assign_coords({d: (d, 9.0 + 18 * np.arange(10), {"units": "deg"})})
        elif d == "plane":
            ds = ds.assign_coords({d: ["perp1_perp2", "perp1_par", "perp2_par"]})
    attrs = dict.fromkeys(datatype.attrs, "word")
    ds.attrs = attrs | {"species": "H+", "mass": 1.67262192595e-27, "charge": 1.0,
                        "energy_kind": "energy"}  # fmt: skip
    return ds


@pytest.mark.parametrize("datatype", ALL, ids=lambda t: t.name)
def test_every_datatype_has_a_picture(datatype):
    fig = figure([Panel("sim.it", datatype.name, an_example(datatype))], MINUTES, "SIM")
    drawn = [ax for ax in fig.axes if ax.lines or ax.images or ax.collections or ax.child_axes]
    assert drawn


@pytest.mark.parametrize("name", ["Reduced2D", "VDF", "MomentErrors"])
def test_nothing_measured_is_drawn_as_nothing(name, tmp_path):
    datatype = getattr(datatypes, name)
    ds = an_example(datatype)
    for var in datatype.variables:
        if var.name not in ("energy", "phi", "theta", "solid_angle", "quality"):
            ds[var.name] = ds[var.name] * np.nan
    draw([Panel("sim.it", name, ds)], MINUTES, tmp_path / "it.png", "SIM")
    draw([Panel("sim.it", name, ds.isel(time=[]))], MINUTES, tmp_path / "it.png", "SIM")


def plane(f: np.ndarray) -> xr.Dataset:
    v = np.linspace(-950, 950, 20)
    about = {"units": "km s^-1"}
    return xr.Dataset(
        {"f": (("time", "plane", "v1", "v2"), f, {"units": "s^2 m^-5", "long_name": "f"})},
        {"time": builders.times(len(f), step="20s"), "plane": ["perp1_par"],
         "v1": ("v1", v, about), "v2": ("v2", v, about)},
        {"species": "H+"},
    )  # fmt: skip


def test_the_first_axis_of_a_plane_runs_to_the_right():
    f = np.full((3, 1, 20, 20), 1e-9)
    f[:, :, 17, 4] = 1e-5  # v1 = 750, v2 = -550 km/s
    fig = figure([Panel("p", "Reduced2D", plane(f))], MINUTES, "SIM")
    outer = next(ax for ax in fig.axes if ax.get_label().startswith("p/f"))
    inner = next(ax for ax in outer.child_axes if "@" in ax.get_label())
    image = inner.images[0]
    row, column = np.unravel_index(np.argmax(image.get_array()), image.get_array().shape)
    left, right, bottom, top = image.get_extent()
    rows_, columns = image.get_array().shape
    assert left + (column + 0.5) * (right - left) / columns == pytest.approx(750, abs=60)
    assert bottom + (row + 0.5) * (top - bottom) / rows_ == pytest.approx(-550, abs=60)
    assert inner.get_xlabel().startswith(r"$v_{\perp1}$")


def test_pictures_of_a_plane_are_means_over_stretches_of_time():
    f = np.ones((12, 1, 20, 20))
    f[6:] = 3.0
    seen = Snapshots.of(plane(f), "f", 0)
    assert seen.values.shape == (12, 20, 20)
    fig = figure([Panel("p", "Reduced2D", plane(f))], MINUTES, "SIM")
    outer = next(ax for ax in fig.axes if ax.get_label().startswith("p/f"))
    levels = [
        float(ax.images[0].get_array().mean()) for ax in outer.child_axes if "@" in ax.get_label()
    ]
    assert levels[0] == 1.0
    assert levels[-1] == 3.0


def test_numbers_with_errors_have_a_band_and_the_errors_no_row():
    time = builders.times(5)
    about = {"units": "cm^-3", "long_name": "n"}
    ds = xr.Dataset({"n": ("time", np.arange(5.0), about), "n_error": ("time", np.ones(5), about)},
                    {"time": time})  # fmt: skip
    (row,) = rows(Panel("x", "New", ds))
    line = row.paint.lines[0]
    assert (line.high - line.low == 2).all()


def test_an_axis_is_that_of_its_coordinate_or_table_and_logarithmic_over_decades():
    ds = an_example(datatypes.EnergySpectrum)
    values, label, log = axis_of(ds, "energy_bin")
    assert log and values[0, 0] == pytest.approx(10)
    assert "eV" in label
    angles, _, log = axis_of(an_example(datatypes.PitchAngle), "pitch_angle")
    assert not log and angles[0, -1] == pytest.approx(171)


def test_signed_numbers_have_zero_in_the_middle_of_their_colours():
    assert scale_of(np.array([-0.2, 1.0]), "1") == "signed"
    assert scale_of(np.array([0.2, 1.0]), "1") == "linear"
    assert scale_of(np.array([0.2, 1.0]), "s^3 m^-6") == "log"
    ellipticity = xr.Dataset(
        {"ellipticity": (("time", "frequency_bin"), np.linspace(-1, 0.5, 40).reshape(5, 8),
                         {"units": "1", "long_name": "ellipticity"}),
         "frequency": ("frequency_bin", np.geomspace(1, 100, 8), {"units": "Hz"})},
        {"time": builders.times(5)},
    )  # fmt: skip
    (row,) = rows(Panel("w", "New", ellipticity))
    assert isinstance(row.paint, Spectrogram)
    fig = figure([Panel("w", "New", ellipticity)], MINUTES, "SIM")
    norm = fig.axes[0].images[0].norm
    assert norm.vmin == -norm.vmax


def test_cuts_and_planes_have_a_row_each_and_are_never_averaged():
    f = np.stack([np.full((5, 8), 10.0**k) for k in range(3)], axis=1)
    ds = xr.Dataset(
        {"f": (("time", "cut", "energy_bin"), f, {"units": "s^3 m^-6", "long_name": "cut of f"}),
         "energy": ("energy_bin", np.geomspace(10, 1e4, 8), {"units": "eV"})},
        {"time": builders.times(5), "cut": ["parallel", "perpendicular", "antiparallel"]},
    )  # fmt: skip
    found = rows(Panel("x", "New", ds))
    assert [row.title for row in found] == [
        f"cut of f ({w})" for w in ("parallel", "perpendicular", "antiparallel")
    ]
    assert [row.paint.values.max() for row in found] == [1.0, 10.0, 100.0]
    assert found[0].paint.log_axis
    assert len(rows(Panel("x", "Slices", an_example(datatypes.Slices)))) == 3
