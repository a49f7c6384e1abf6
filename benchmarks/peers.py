"""The same products by pyrfu and pyspedas, from the same distributions. Each is optional.

    pip install "sciqlop-pipe[peers]"

They are given what their own readers give: look directions, s^3 cm^-6, deltas of energy.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

ADVICE = 'pip install "sciqlop-pipe[peers]"'


@dataclass(frozen=True)
class Peer:
    """A product of a peer: its name in our table, what computes it, and of how many records."""

    tool: str
    product: str
    run: Callable[[], object]
    records: int
    repeats: int = 3


def missing() -> list[str]:
    """Names of the peers that are not installed."""
    return [n for n in ("pyrfu", "pyspedas") if importlib.util.find_spec(n) is None]


def quiet(run: Callable[[], object]) -> Callable[[], object]:
    """The same call without its progress bars and messages."""

    def silent() -> object:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            return run()

    return silent


def look_directions(ds: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """f [s^3 cm^-6] (time, phi, theta, energy), phi (time, phi) and theta [deg] of the look.

    Both ascend, as in FPI files: pyrfu takes the width of a bin from the median step, and a
    density of descending polar angles comes out negative.
    """
    phi = (np.broadcast_to(ds["phi"].values, ds["f"].shape[:2]) + 180.0) % 360.0
    theta = 180.0 - ds["theta"].values
    order, up = np.argsort(phi, axis=1), np.argsort(theta)
    f = np.take_along_axis(ds["f"].values, order[:, :, None, None], axis=1)[:, :, up]
    return f * np.float32(1e-12), np.take_along_axis(phi, order, axis=1), theta[up]


def pyrfu_skymap(ds: xr.Dataset, lower: np.ndarray, upper: np.ndarray) -> xr.Dataset:
    """A distribution as pyrfu's reader gives it."""
    from pyrfu import pyrf

    f, phi, theta = look_directions(ds)
    energy = np.tile(ds["energy"].values, (ds.sizes["time"], 1))
    about = {
        "species": "ions",
        "tmmode": "brst",
        "delta_energy_minus": (energy - lower).astype(np.float32),
        "delta_energy_plus": (upper - energy).astype(np.float32),
    }
    return pyrf.ts_skymap(
        ds["time"].values, np.transpose(f, (0, 3, 1, 2)), energy.astype(np.float32),
        phi.astype(np.float32), theta.astype(np.float32), energy0=energy[0], energy1=energy[0],
        esteptable=np.zeros(ds.sizes["time"], np.uint8),
        attrs={"UNITS": "s^3/cm^6", "FIELDNAM": "dist"}, glob_attrs=about,
    )  # fmt: skip


def pyrfu(ds: xr.Dataset, lower: np.ndarray, upper: np.ndarray) -> list[Peer]:
    """Products of pyrfu, on one thread."""
    import numba
    from pyrfu import mms, pyrf

    numba.set_num_threads(1)
    n = ds.sizes["time"]
    sky = pyrfu_skymap(ds, lower, upper)
    b = pyrf.ts_vec_xyz(ds["time"].values, np.tile([3.0, -8.0, 15.0], (n, 1)))
    volts = pyrf.ts_scalar(ds["time"].values, np.zeros(n))
    few = ds.isel(time=slice(0, 4))
    little = pyrfu_skymap(few, lower, upper)
    edges = np.linspace(-2500e3, 2500e3, 101)

    def everything() -> None:
        mms.psd_moments(sky, volts)
        mms.vdf_omni(mms.psd2def(sky))
        mms.get_pitch_angle_dist(sky, b, verbose=False)

    return [
        Peer("pyrfu", "moments", quiet(lambda: mms.psd_moments(sky, volts)), n),
        Peer("pyrfu", "energy spectrum", quiet(lambda: mms.vdf_omni(mms.psd2def(sky))), n),
        Peer("pyrfu", "pitch angles", quiet(lambda: mms.get_pitch_angle_dist(
            sky, b, verbose=False)), n),
        Peer("pyrfu", "moments + spectrum + pitch angles, fused", quiet(everything), n),
        Peer("pyrfu", "reduced, one axis", quiet(lambda: mms.reduce(
            little, np.eye(3), "1d", "pol", n_mc=100, vg_edges=edges)), 4, 1),
    ]  # fmt: skip


def pyspedas(ds: xr.Dataset) -> list[Peer]:
    """Products of pyspedas, which loops over records in Python."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    from pyspedas import store_data
    from pyspedas.projects.mms.particles.mms_part_products import mms_part_products

    logging.disable(logging.CRITICAL)
    name = "mms1_dis_dist_brst"

    def load(n: int) -> None:
        part = ds.isel(time=slice(0, n))
        f, phi, theta = look_directions(part)
        t = part["time"].values.astype("datetime64[ns]").astype(np.int64) * 1e-9
        store_data(name, data={"x": t, "y": f, "v1": phi, "v2": theta, "v3": np.tile(
            part["energy"].values, (n, 1))})  # fmt: skip
        for other, value in (("b", [3.0, -8, 15]), ("pos", [6e4, 2e4, 5e3])):
            store_data(other, data={"x": t, "y": np.tile(value, (n, 1))})
        store_data("scpot", data={"x": t, "y": np.zeros(n)})

    def product(what: str, n: int) -> Callable[[], object]:
        def run() -> object:
            return mms_part_products(
                name, units="eflux", species="i", data_rate="brst", probe="1", output=[what],
                mag_name="b", pos_name="pos", sc_pot_name="scpot",
                disable_photoelectron_corrections=True,
            )  # fmt: skip

        load(n)
        return quiet(run)

    return [
        Peer("pyspedas", "moments", product("moments", 2), 2, 2),
        Peer("pyspedas", "energy spectrum", product("energy", 2), 2, 1),
        Peer("pyspedas", "pitch angles", product("pa", 2), 2, 1),
    ]


def all_peers(ds: xr.Dataset, lower: np.ndarray, upper: np.ndarray) -> list[Peer]:
    """Products of whatever peer is installed."""
    warnings.simplefilter("ignore")
    gone = missing()
    found = [] if "pyrfu" in gone else pyrfu(ds, lower, upper)
    return found if "pyspedas" in gone else found + pyspedas(ds)
