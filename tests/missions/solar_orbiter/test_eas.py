"""Solar Orbiter SWA-EAS: files made with the names, shapes and signs of public readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sciqlop_missions.solar_orbiter import mission
from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.recipes.rotations import rotate_distribution
from tests.missions.claims import read
from tests.sources.archive_cdfs import FILL, Writer, times

ELEVATION = -42.0 + 5.6 * np.arange(16)
AZIMUTH = 5.625 + 11.25 * np.arange(32)
ENERGY = np.geomspace(5000, 1, 64)
NAME = "solo_L2_swa-eas{}-nm3d-psd_20201119T233430-20201119T233530_V01.cdf"
HALF_TURN = np.array([[0.6, 0.8, 0.0], [0.8, -0.6, 0.0], [0.0, 0.0, -1.0]])


def beam(elevation: float, azimuth: float, n: int = 3) -> np.ndarray:
    """Return f (n, 16, 64, 32) of electrons that come out at one bin's angles."""
    away = np.hypot(ELEVATION[:, None] - elevation, (AZIMUTH - azimuth + 180) % 360 - 180)
    over = np.exp(-(np.log(ENERGY / 300) ** 2) / 0.05)
    return np.tile(np.exp(-((away / 8) ** 2))[:, None] * over[:, None], (n, 1, 1, 1))


def eas_file(folder: Path, f: np.ndarray, *, head: str = "1", matrix: np.ndarray = HALF_TURN,
             by_record: bool = True, flags: np.ndarray | None = None) -> Path:  # fmt: skip
    n, out = len(f), Writer().time("EPOCH", times(len(f), "10s"))
    out.add(f"SWA_EAS{head}_Data", f.astype("f4"), DEPEND_0="EPOCH", UNITS="s^3 km^-6",
            FILLVAL=FILL)  # fmt: skip
    ratio = np.sqrt(ENERGY[0] / ENERGY[1])
    name = f"SWA_EAS{head}_ENERGY"
    for variable, values in ((name, ENERGY), (f"{name}_delta_upper", ENERGY * (ratio - 1)),
                             (f"{name}_delta_lower", ENERGY * (1 - 1 / ratio))):  # fmt: skip
        varies = by_record and variable == name
        attrs = {"DEPEND_0": "EPOCH"} if varies else {}
        values = np.tile(values, (n, 1)) if varies else values
        out.add(variable, values.astype("f4"), fixed=not varies, UNITS="ElectronVolts", **attrs)
    for variable, values, half in (("ELEVATION", ELEVATION, 2.8), ("AZIMUTH", AZIMUTH, 5.625)):
        out.add(f"SWA_EAS_{variable}", values.astype("f4"), fixed=True, UNITS="Degrees")
        for side in ("upper", "lower"):
            out.add(f"SWA_EAS_{variable}_delta_{side}", np.full(values.size, half, "f4"),
                    fixed=True, UNITS="Degrees")  # fmt: skip
    if by_record:
        out.add(f"EAS{head}_TO_SRF", np.tile(matrix, (n, 1, 1)), DEPEND_0="EPOCH")
    else:
        out.add(f"EAS{head}_TO_SRF", matrix, fixed=True)
    quality = np.full(n, 3, np.uint8) if flags is None else flags
    out.add("QUALITY_FLAG", quality, DEPEND_0="EPOCH", FILLVAL=np.uint8(255))
    return out.save(folder / NAME.format(head))


@pytest.mark.parametrize("head", ["1", "2"])
@pytest.mark.parametrize("by_record", [True, False])
def test_a_beam_comes_out_where_the_readers_put_it(tmp_path: Path, head: str, by_record: bool):
    path = eas_file(tmp_path, beam(14.0, 95.625), head=head, by_record=by_record)
    vdf = read(mission, f"solar_orbiter.swa.eas{head}.vdf_head", path)
    attitude = read(mission, f"solar_orbiter.swa.eas{head}.to_srf", path)
    turned = rotate_distribution.fn(vdf, attitude)
    assert turned.attrs["frame"] == "SRF"
    el, az = np.deg2rad([14.0, 95.625])
    flies = np.array([np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), -np.sin(el)])
    for ds, expected in ((vdf, flies), (turned, HALF_TURN @ flies)):
        v = moments.fn(ds)["velocity"].values
        v /= np.linalg.norm(v, axis=1, keepdims=True)
        assert np.degrees(np.arccos(v @ expected)).max() < 1.0


def test_units_edges_and_bad_records(tmp_path: Path):
    f = beam(0.0, 5.625)
    f[1, 3, 10, 2] = FILL
    path = eas_file(tmp_path, f, flags=np.array([3, 3, 0], np.uint8))
    vdf = read(mission, "solar_orbiter.swa.eas1.vdf_head", path)
    got = vdf["f"].values
    assert got.shape == (3, 32, 16, 64)
    np.testing.assert_allclose(got[0], 1e-18 * f[0].transpose(2, 0, 1), rtol=1e-5, atol=1e-40)
    assert np.isnan(got[1, 2, 3, 10])
    assert np.isnan(got[1]).sum() == 1
    assert np.isnan(got[2]).all()
    lower, upper = (vdf[name].values[..., :] for name in ("energy_lower", "energy_upper"))
    assert (lower < vdf["energy"].values).all()
    assert (upper > vdf["energy"].values).all()
    # 16 elevations of 5.6 deg around the equator.
    expected = 4 * np.pi * np.sin(np.deg2rad(44.8))
    assert float(np.broadcast_to(vdf["solid_angle"], (32, 16)).sum()) == pytest.approx(
        expected, rel=1e-3
    )


def test_a_matrix_that_is_no_rotation_is_refused(tmp_path: Path):
    path = eas_file(tmp_path, beam(0, 0), matrix=np.diag([1.0, 1.0, -1.0]))
    with pytest.raises(SourceError, match="no rotation"):
        read(mission, "solar_orbiter.swa.eas1.to_srf", path)


def test_axes_in_another_order_are_refused(tmp_path: Path):
    path = eas_file(tmp_path, beam(0, 0).transpose(0, 3, 1, 2))
    with pytest.raises(SourceError):
        read(mission, "solar_orbiter.swa.eas1.vdf_head", path)
