"""Attitude of Cluster: the spin axis in GSE, how ISR2 lies in GSE, and vectors turned with it.

ISR2 (inverted spin reference) has z along the spin axis, towards the north (the spacecraft turn
about the opposite direction), and x in the spin plane, as near to the Sun as can be. One direction,
the axis, thus says how ISR2 lies in GSE.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from sciqlop_pipe.datatypes import Attitude, VectorSeries
from sciqlop_pipe.kernels.quaternions import of_matrices
from sciqlop_pipe.model import Dataset, product, recipe
from sciqlop_pipe.recipes.attitude import attitude_dataset
from sciqlop_pipe.recipes.rotations import rotate_vector
from sciqlop_pipe.standard.angles import rotated_products

from .cis import HIA_PROBES

# The axis is a fit to what two velocities of the archive say; the two agree to 1e-4 km/s.
_UNIT_WITHIN = 1e-3


@recipe(gives=VectorSeries, version=1)
def spin_axis(isr2: VectorSeries, gse: VectorSeries, *, window: int = 600) -> xr.Dataset:
    """Spin axis (z of ISR2) in GSE as a unit vector, one per window of time; (time, component) [1].

    The component of a vector along the axis a is the same in both frames: v_z(ISR2) = a . v(GSE),
    linear in a. A window gives the least-squares a of its records; those whose velocities span no
    volume, or whose a is not of length 1 within 0.001, give none.

    Parameters
    ----------
    isr2, gse : VectorSeries
        The same vector in both frames (HIA velocity), (time, component).
    window : int
        Length of a window [s], counted from 1970-01-01.

    References
    ----------
    ISR2: description of the EFW data sets (CSA, quoted by AMDA). The relation was checked on HIA's
    moments of 2001-07-31, README.
    """
    time, a, b = np.intersect1d(isr2["time"].values, gse["time"].values, return_indices=True)
    z = isr2["vector"].values[a, 2].astype(np.float64)
    v = gse["vector"].values[b].astype(np.float64)
    known = np.isfinite(z) & np.isfinite(v).all(axis=1)
    step = window * 1_000_000_000
    number = time.astype("datetime64[ns]").astype(np.int64) // step
    found: dict[int, np.ndarray] = {}
    for k in np.unique(number[known]):
        inside = known & (number == k)
        axis, _, rank, _ = np.linalg.lstsq(v[inside], z[inside], rcond=1e-3)
        length = float(np.linalg.norm(axis))
        if rank == 3 and abs(length - 1) < _UNIT_WITHIN:
            found[int(k)] = axis / length
    centres = np.array([k * step + step // 2 for k in found], "datetime64[ns]")
    attrs = {"units": "1", "long_name": "spin axis (z of ISR2)", "frame": "GSE"}
    values = np.array(list(found.values()), np.float64).reshape(-1, 3)
    return _series(values, centres, attrs)


@recipe(gives=Attitude, version=1)
def isr2_attitude(axis: VectorSeries) -> xr.Dataset:
    """Attitude from GSE to ISR2, one quaternion (time, part) per spin axis [1].

    Parameters
    ----------
    axis : VectorSeries
        The spin axis (z of ISR2) in GSE, (time, component).
    """
    q = of_matrices(rotation(axis["vector"].values))
    return attitude_dataset(axis["time"].values, q, "GSE", "ISR2")


def rotation(axis: np.ndarray) -> np.ndarray:
    """Return the matrices that turn GSE into ISR2, (n, 3, 3), of spin axes in GSE (n, 3)."""
    z = np.asarray(axis, np.float64).reshape(-1, 3)
    y = np.cross(z, [1.0, 0.0, 0.0])
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    return np.stack([np.cross(y, z), y, z], axis=1)


def _series(values: np.ndarray, time: np.ndarray, attrs: dict[str, str]) -> xr.Dataset:
    return xr.Dataset(
        {"vector": (("time", "component"), values, attrs)},
        coords={"time": time, "component": ["x", "y", "z"]},
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return the spin axis of a spacecraft with HIA, its attitude, and its B in ISR2."""
    if probe not in HIA_PROBES:
        return ()
    base, axis = f"cluster{probe}", f"cluster{probe}.attitude.spin_axis"
    return (
        product(axis, spin_axis, isr2=f"{base}.cis.hia.v_isr2", gse=f"{base}.cis.hia.v_gse"),
        product(f"{base}.attitude.gse_to_isr2", isr2_attitude, axis=axis),
        *rotated_products(
            f"{base}.cis.hia.hs_mag.vdf", attitude=f"{base}.attitude.gse_to_isr2", reach="1d"
        ),
        *(
            product(
                f"{base}.attitude.b_{mode}_isr2",
                rotate_vector,
                vector=f"{base}.fgm.{mode}.b_gse",
                attitude=f"{base}.attitude.gse_to_isr2",
                reach="1d",
            )
            for mode in ("spin", "full")
        ),
    )
