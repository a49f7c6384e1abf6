"""Instruments: energy tables and directions, read from real files where there are any.

Without the files the tables are rebuilt from published numbers, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from sciqlop_pipe.sources.cdf import open_cdf
from tests.analytic import (
    CHARGE,
    FPI_2015,
    FPI_2015_ODD,
    FPI_2020,
    FPI_ELECTRONS,
    MASS,
    THEMIS,
    UNITS,
    esa_look,
    geometric,
)

from .plasmas import BiMaxwellian, nodes, speed_of


@dataclass(frozen=True)
class Instrument:
    """Energy tables (record, energy) [eV], descending or ascending, and directions in degrees.

    `phi`, `phi_width` and `theta`, `theta_width` are along `dims[0]` and `dims[-1]`: a grid of
    azimuth and colatitude, or one list. `edges` are the instrument's own, where it has them.
    """

    name: str
    source: str
    species: str
    energy: np.ndarray
    dims: tuple[str, ...]
    phi: np.ndarray
    theta: np.ndarray
    phi_width: np.ndarray
    theta_width: np.ndarray
    edges: tuple[np.ndarray, np.ndarray] | None = None
    whole: bool = True
    v_max: float = 2500.0

    @property
    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper edges of the energies (record, energy)."""
        return geometric(self.energy) if self.edges is None else self.edges

    @property
    def field_of_view(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Limits of azimuth and colatitude."""
        if self.whole:
            return (0.0, 360.0), (0.0, 180.0)
        return _reach(self.phi, self.phi_width), _reach(self.theta, self.theta_width)

    def widest(self, plasma: BiMaxwellian) -> float:
        """Width of the bins at the peak of a plasma, in thermal standard deviations."""
        sigma = speed_of(min(plasma.parallel, plasma.perpendicular), plasma.mass) / np.sqrt(2)
        drift = 1e3 * np.linalg.norm(plasma.velocity)
        # Where most particles of that temperature fly.
        speed = np.hypot(drift, sigma)
        lower, upper = self.limits
        energy = np.clip(0.5 * plasma.mass * speed**2 / 1.602176634e-19, lower.min(), None)
        k = np.argmin(np.abs(np.log(self.energy[0] / energy)))
        radial = speed_of(upper[0, k], plasma.mass) - speed_of(lower[0, k], plasma.mass)
        angle = np.radians(max(self.theta_width.max(), self.phi_width.min()))
        return float(max(radial, speed * angle) / sigma)

    def observe(self, plasma: BiMaxwellian, count: int = 4) -> xr.Dataset:
        """What it makes of a plasma if each bin is the phase-space average of f, as a VDF."""
        grid = len(self.dims) == 2
        phi, theta, dphi, dtheta = self.phi, self.theta, self.phi_width, self.theta_width
        if grid:
            phi, theta = np.meshgrid(phi, theta, indexing="ij")
            dphi, dtheta = np.meshgrid(dphi, dtheta, indexing="ij")
        lower, upper = self.limits
        f = np.stack([_seen(plasma, *e, (phi, theta, dphi, dtheta), count)
                      for e in zip(lower, upper, strict=True)])  # fmt: skip
        records = len(f)
        time = np.datetime64("2020-01-01", "ns") + np.arange(records) * np.timedelta64(150, "ms")
        ds = xr.Dataset(coords={"time": time}, attrs={
            "species": self.species, "mass": MASS[self.species], "charge": CHARGE[self.species],
            "energy_kind": "energy", "frame": "DBCS"})  # fmt: skip
        ds["f"] = (("time", *self.dims, "energy_bin"), f.astype(np.float32))
        tables = {"energy": self.energy}
        if self.edges is not None:
            tables |= {"energy_lower": lower, "energy_upper": upper}
        for name, table in tables.items():
            ds[name] = (("time", "energy_bin"), table)
        first, last = self.dims[:1], self.dims[-1:]
        top, bottom = (np.cos(np.radians(self.theta + s * self.theta_width / 2)) for s in (-1, 1))
        width = self.phi_width[0] if grid else self.phi_width
        for name, dims, values in (
            ("phi", first, self.phi % 360), ("phi_width", first, self.phi_width),
            ("theta", last, self.theta), ("theta_width", last, self.theta_width),
            ("solid_angle", last, np.radians(width) * (top - bottom)),
        ):  # fmt: skip
            ds[name] = (dims, values)
        for key, array in ds.data_vars.items():
            units = UNITS.get(str(key), "eV")
            array.attrs.update(units=units, long_name=str(key).replace("_", " "))
        return ds


def _reach(centre: np.ndarray, width: np.ndarray) -> tuple[float, float]:
    return float((centre - width / 2).min()), float((centre + width / 2).max())


def _seen(plasma: BiMaxwellian, lower: np.ndarray, upper: np.ndarray,
          sky: tuple[np.ndarray, ...], count: int) -> np.ndarray:  # fmt: skip
    """Phase-space average of f over each bin, (*directions, energy), by Gauss-Legendre nodes."""
    phi, theta, dphi, dtheta = sky
    slow, fast = speed_of(lower, plasma.mass), speed_of(upper, plasma.mass)
    top, bottom = (np.cos(np.radians(theta + s * dtheta / 2)) for s in (-1, 1))
    total, volume = np.zeros((*phi.shape, lower.size)), np.zeros(lower.size)
    unit, share = nodes(-1.0, 1.0, count)
    for xs, ws in zip(unit, share, strict=True):
        speed = 0.5 * (fast - slow) * xs + 0.5 * (fast + slow)
        weight = ws * speed**2
        volume += weight
        for xm, wm in zip(unit, share, strict=True):
            mu = 0.5 * (top - bottom) * xm + 0.5 * (top + bottom)
            sin = np.sqrt(1 - mu**2)
            for xp, wp in zip(unit, share, strict=True):
                around = np.radians(phi + 0.5 * dphi * xp)
                u = np.stack([sin * np.cos(around), sin * np.sin(around), mu], -1)
                total += wm * wp * weight * plasma.f(u[..., None, :] * speed[:, None])
    return total / (4 * volume)


# -- those there are -------------------------------------------------------------------------


def instruments(data: Path) -> list[Instrument]:
    """Return all instruments, with the tables of real files where a folder has them."""
    return [
        fpi("FPI DIS 2015", data / "mms/burst_20151016",
            "mms1_fpi_brst_l2_dis-moms_20151016130524_v3.3.0.cdf", "mms1_dis_energy_brst", "H+",
            np.stack([FPI_2015, FPI_2015_ODD])),
        fpi("FPI DIS 2020", data / "mms/burst_20201119",
            "mms1_fpi_brst_l2_dis-dist_20201119233433_v3.3.0.cdf", "mms1_dis_energy_brst", "H+",
            FPI_2020[None]),
        fpi("FPI DES 2017", data / "mms/burst_20170726",
            "mms2_fpi_brst_l2_des-moms_20170726073113_v3.3.0.cdf", "mms2_des_energy_brst", "e-",
            FPI_ELECTRONS[None]),
        themis(88), themis(176), hia(data), pas(),
    ]  # fmt: skip


def _read(path: Path, how: Callable[[Path], dict], otherwise: dict) -> tuple[dict, str]:
    if path.is_file():
        return how(path), path.name
    return otherwise, "rebuilt, file absent"


def fpi(name: str, folder: Path, file: str, variable: str, species: str,
        otherwise: np.ndarray) -> Instrument:  # fmt: skip
    """FPI: 32 x 16 directions of 11.25 degrees; the energy tables of one file."""

    def tables(path: Path) -> dict:
        with open_cdf(path) as cdf:
            rows = np.atleast_2d(cdf.values(variable))[:8].astype(float)
        return {"energy": np.unique(rows, axis=0)}

    found, source = _read(folder / file, tables, {"energy": otherwise})
    return Instrument(
        name, source, species, found["energy"], ("phi_bin", "theta_bin"),
        # Azimuths turn with the spin: any will do.
        3.7 + 11.25 * np.arange(32), 5.625 + 11.25 * np.arange(16),
        np.full(32, 11.25), np.full(16, 11.25), v_max=2500.0 if species == "H+" else 40000.0,
    )  # fmt: skip


def themis(angles: int) -> Instrument:
    """THEMIS ESA-like list: rows of 22.5 degrees, fewer azimuths near the poles."""
    look = esa_look(angles)
    return Instrument(
        f"ESA-like {angles}", "list of directions like ESA's (McFadden et al. 2008)", "H+",
        THEMIS[None], ("direction",), look.phi, look.theta, look.phi_width, look.theta_width,
    )  # fmt: skip


def hia(data: Path) -> Instrument:
    """Cluster HIA: 16 x 8 directions of 22.5 degrees, 31 energies with edges of their own."""
    file = "C1_CP_CIS_HIA_HS_MAG_IONS_PSD__20010731_201417_20010731_201617_V070824.cdf"

    def tables(path: Path) -> dict:
        name = "{}__C1_CP_CIS-HIA_HS_MAG_IONS_PSD".format
        with open_cdf(path) as cdf:
            e, plus, minus, phi, theta = (
                np.ravel(cdf.values(name(v))).astype(float)
                for v in ("energy_table", "delta_plus_energy_table", "delta_minus_energy_table",
                          "phi", "theta")
            )  # fmt: skip
        return {"energy": e, "edges": (e - minus, e + plus), "phi": phi, "theta": 90 - theta}

    energy = np.geomspace(28898.33, 5.56, 31)
    published = {
        "energy": energy,
        "edges": geometric(energy),
        "phi": 134.583 - 22.5 * np.arange(16),
        "theta": 168.75 - 22.5 * np.arange(8),
    }
    found, source = _read(data / "cluster/vdf_20010731" / file, tables, published)
    return Instrument(
        "Cluster HIA", source, "H+", found["energy"][None], ("phi_bin", "theta_bin"),
        found["phi"], found["theta"], np.full(16, 22.5), np.full(8, 22.5),
        tuple(e[None] for e in found["edges"]),
    )  # fmt: skip


def pas() -> Instrument:
    """Solar Orbiter PAS-like: 11 x 9 directions around the flow from the Sun, 96 energies."""
    return Instrument(
        "PAS-like", "11 x 9 directions, 66 x 45 degrees (Owen et al. 2020)", "H+",
        np.geomspace(20000.0, 200.0, 96)[None], ("phi_bin", "theta_bin"),
        180.0 + 6.0 * np.arange(-5, 6), 90.0 + 5.0 * np.arange(-4, 5),
        np.full(11, 6.0), np.full(9, 5.0), whole=False, v_max=1250.0,
    )  # fmt: skip
