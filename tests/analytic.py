"""Drifting bi-Maxwellians seen by ideal instruments: the truth that kernels and recipes answer to.

An ideal instrument reports the phase-space average of f over each bin. The average is taken with
Gauss-Legendre nodes in speed, cosine of colatitude and azimuth; nothing here is shared with the
kernels under test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

E = 1.602176634e-19
MASS = {"H+": 1.67262192595e-27, "e-": 9.1093837139e-31}
CHARGE = {"H+": 1.0, "e-": -1.0}

# The ion table of 2020-11-19 in its archive file; it is not uniform in log E.
FPI_2020 = np.array(
    [2.16, 3.91, 7.07, 10.93, 14.24, 18.54, 24.14, 31.44, 40.94, 53.32, 69.44, 90.43, 117.77,
     153.36, 199.72, 260.1, 338.72, 441.11, 574.45, 748.1, 974.23, 1268.72, 1652.24, 2151.68,
     2802.1, 3649.12, 4752.19, 6188.69, 8059.43, 10495.65, 13668.31, 17800.0]
)  # fmt: skip
FPI_2015 = np.geomspace(10.64, 28303.0, 32)
"""Early burst ions: a second table (FPI_2015_ODD) interleaves by half a step."""
FPI_2015_ODD = FPI_2015 * (12.06 / 10.64)
FPI_ELECTRONS = np.geomspace(6.52, 27525.0, 32)
THEMIS = np.geomspace(25000.0, 6.0, 32)
"""High to low, as THEMIS sweeps."""


@dataclass(frozen=True)
class BiMaxwellian:
    """Density [cm^-3], velocity [km/s], parallel and perpendicular temperature [eV] along b."""

    density: float
    velocity: tuple[float, float, float]
    parallel: float
    perpendicular: float
    b: tuple[float, float, float] = (0.0, 0.0, 1.0)
    species: str = "H+"

    @property
    def mass(self) -> float:
        return MASS[self.species]

    @property
    def direction(self) -> np.ndarray:
        return np.asarray(self.b) / np.linalg.norm(self.b)

    @property
    def temperature_tensor(self) -> np.ndarray:
        bb = np.outer(self.direction, self.direction)
        return self.perpendicular * (np.eye(3) - bb) + self.parallel * bb

    def f(self, v: np.ndarray) -> np.ndarray:
        """f [s^3 m^-6] at velocities (..., 3) in m/s."""
        w = v - 1e3 * np.asarray(self.velocity)
        along = w @ self.direction
        across2 = (w**2).sum(-1) - along**2
        par2, perp2 = 2 * E * self.parallel / self.mass, 2 * E * self.perpendicular / self.mass
        norm = 1e6 * self.density / (np.pi**1.5 * np.sqrt(par2) * perp2)
        return norm * np.exp(-(along**2) / par2 - across2 / perp2)

    def truth(self, lowest: float = 0.0, highest: float = np.inf) -> Truth:
        """Moments of what lies between two energies [eV], by fine quadrature."""
        spread = np.sqrt(2 * E * max(self.parallel, self.perpendicular) / self.mass)
        drift = 1e3 * np.linalg.norm(self.velocity)
        first = max(np.sqrt(2 * E * lowest / self.mass), drift - 7 * spread, 0.0)
        last = min(np.sqrt(2 * E * min(highest, 1e9) / self.mass), drift + 7 * spread)
        speed, dv = _nodes(first, last, 96)
        mu, dmu = _nodes(-1.0, 1.0, 96)
        phi = 2 * np.pi * (np.arange(96) + 0.5) / 96
        sin = np.sqrt(1 - mu**2)
        u = np.stack(
            [np.outer(sin, np.cos(phi)), np.outer(sin, np.sin(phi)),
             np.outer(mu, np.ones_like(phi))], -1
        )  # fmt: skip
        solid = np.outer(dmu, np.full(phi.size, 2 * np.pi / phi.size))
        zeroth, first_, second, third = 0.0, np.zeros(3), np.zeros((3, 3)), np.zeros(3)
        for s, ds in zip(speed, dv, strict=True):
            g = self.f(s * u) * solid * s**2 * ds
            zeroth += g.sum()
            first_ += s * np.einsum("ij,ijk->k", g, u)
            second += s**2 * np.einsum("ij,ijk,ijl->kl", g, u, u)
            third += s**3 * np.einsum("ij,ijk->k", g, u)
        bulk = first_ / zeroth
        central = second - zeroth * np.outer(bulk, bulk)
        energy = np.trace(second)
        heat = third - bulk * energy - 2 * second @ bulk + 2 * zeroth * bulk * (bulk @ bulk)
        return Truth(
            zeroth * 1e-6,
            bulk * 1e-3,
            self.mass * central * 1e9,
            self.mass * central / zeroth / E,
            0.5 * self.mass * heat * 1e3,
        )


@dataclass(frozen=True)
class Truth:
    """Density [cm^-3], velocity [km/s], pressure [nPa], temperature [eV], heat flux [mW/m^2]."""

    density: float
    velocity: np.ndarray
    pressure: np.ndarray
    temperature_tensor: np.ndarray
    heat_flux: np.ndarray

    @property
    def temperature(self) -> float:
        return float(np.trace(self.temperature_tensor)) / 3


@dataclass(frozen=True)
class Look:
    """Directions of an instrument: arrays (phi_bin, theta_bin) or (direction,) in degrees."""

    dims: tuple[str, ...]
    phi: np.ndarray
    theta: np.ndarray
    phi_width: np.ndarray
    theta_width: np.ndarray

    @property
    def solid_angle(self) -> np.ndarray:
        upper = np.cos(np.radians(self.theta - self.theta_width / 2))
        lower = np.cos(np.radians(self.theta + self.theta_width / 2))
        return np.radians(self.phi_width) * (upper - lower)


def fpi_look(phis: int = 32, thetas: int = 16) -> Look:
    """The grid of FPI: equal angles."""
    dphi, dtheta = 360.0 / phis, 180.0 / thetas
    phi, theta = np.meshgrid(
        dphi * (np.arange(phis) + 0.5), dtheta * (np.arange(thetas) + 0.5), indexing="ij"
    )
    full = np.ones((phis, thetas))
    return Look(("phi_bin", "theta_bin"), phi, theta, dphi * full, dtheta * full)


def esa_look(angles: int = 176) -> Look:
    """A list of 88 or 176 directions in rows of 22.5 degrees, fewer azimuths near the poles."""
    rows = {88: (4, 8, 16, 16), 176: (8, 16, 32, 32)}[angles]
    phi, theta, dphi = [], [], []
    for row, count in enumerate((*rows, *rows[::-1])):
        phi += list((np.arange(count) + 0.5) * 360 / count)
        theta += [11.25 + 22.5 * row] * count
        dphi += [360 / count] * count
    return Look(
        ("direction",), np.array(phi), np.array(theta), np.array(dphi), np.full(len(phi), 22.5)
    )


def flattened(vdf: xr.Dataset) -> xr.Dataset:
    """The same distribution with its (phi_bin, theta_bin) grid as a list of directions."""
    shape = vdf.sizes
    flat = xr.Dataset(coords={"time": vdf["time"]}, attrs=vdf.attrs)
    for name, a in vdf.data_vars.items():
        if not {"phi_bin", "theta_bin"} & set(a.dims):
            flat[name] = a
            continue
        if name == "f_error" or name == "f" or "energy_bin" in a.dims:
            lead = [d for d in ("time",) if d in a.dims]
            tail = [d for d in ("energy_bin",) if d in a.dims]
        else:
            lead, tail = [d for d in ("time",) if d in a.dims], []
        missing = {d: shape[d] for d in ("phi_bin", "theta_bin") if d not in a.dims}
        full = a.expand_dims(missing).transpose(*lead, "phi_bin", "theta_bin", *tail)
        sizes = [shape[d] for d in lead] + [-1] + [shape[d] for d in tail]
        flat[name] = ((*lead, "direction", *tail), full.values.reshape(sizes), a.attrs)
    return flat


def geometric(energy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper edges at geometric means, along the last axis."""
    log = np.log(energy)
    between = 0.5 * (log[..., 1:] + log[..., :-1])
    before = log[..., :1] - (between[..., :1] - log[..., :1])
    after = log[..., -1:] + (log[..., -1:] - between[..., -1:])
    edges = np.exp(np.concatenate([before, between, after], -1))
    return (
        np.minimum(edges[..., 1:], edges[..., :-1]),
        np.maximum(edges[..., 1:], edges[..., :-1]),
    )


def vdf(
    plasmas: BiMaxwellian | list[BiMaxwellian],
    energy: np.ndarray,
    look: Look | None = None,
    *,
    spin: np.ndarray | None = None,
    potential: float = 0.0,
    nodes: int = 3,
    widths: bool = True,
    frame: str = "DBCS",
) -> xr.Dataset:
    """What an ideal instrument makes of one plasma per record, as a VDF dataset.

    `energy` is (energy_bin,) or (time, energy_bin) [eV]; `spin` (time,) [deg] turns the azimuths
    of each record; `potential` [V] shifts the energies at which particles arrive.
    """
    plasmas = plasmas if isinstance(plasmas, list) else [plasmas]
    look = fpi_look() if look is None else look
    first, count = plasmas[0], len(plasmas)
    tables = np.broadcast_to(energy, (count, energy.shape[-1]))
    turn = np.zeros(count) if spin is None else np.asarray(spin, float)
    f = np.stack(
        [
            _seen(p, table, look, angle, CHARGE[first.species] * potential, nodes)
            for p, table, angle in zip(plasmas, tables, turn, strict=True)
        ]
    ).astype(np.float32)
    time = np.datetime64("2020-11-19T23:34:33", "ns") + np.arange(count) * np.timedelta64(150, "ms")
    ds = xr.Dataset(
        coords={"time": time},
        attrs={
            "species": first.species,
            "mass": first.mass,
            "charge": CHARGE[first.species],
            "energy_kind": "energy",
            "frame": frame,
        },
    )
    grid = look.dims == ("phi_bin", "theta_bin")
    ds["f"] = (("time", *look.dims, "energy_bin"), f)
    ds["energy"] = (("time", "energy_bin")[-energy.ndim :], np.asarray(energy, np.float32))
    phi = look.phi[:, 0] if grid else look.phi
    if spin is None:
        ds["phi"] = (look.dims[:1], phi)
    else:
        ds["phi"] = (("time", look.dims[0]), (phi + turn[:, None]) % 360)
    ds["theta"] = (look.dims[-1:], look.theta[0] if grid else look.theta)
    ds["solid_angle"] = (look.dims[-1:], look.solid_angle[0] if grid else look.solid_angle)
    if widths:
        ds["phi_width"] = (look.dims[:1], look.phi_width[:, 0] if grid else look.phi_width)
        ds["theta_width"] = (look.dims[-1:], look.theta_width[0] if grid else look.theta_width)
    for name, unit in UNITS.items():
        if name in ds:
            ds[name].attrs.update(units=unit, long_name=name.replace("_", " "))
    return ds


UNITS = {
    "f": "s^3 m^-6", "energy": "eV", "phi": "deg", "theta": "deg", "solid_angle": "sr",
    "phi_width": "deg", "theta_width": "deg",
}  # fmt: skip


def _nodes(a: float, b: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    x, w = np.polynomial.legendre.leggauss(count)
    return 0.5 * (b - a) * x + 0.5 * (b + a), 0.5 * (b - a) * w


def _seen(
    plasma: BiMaxwellian, energy: np.ndarray, look: Look, turn: float, shift: float, count: int
) -> np.ndarray:
    """Phase-space average of f over each bin, (*directions, energy_bin)."""
    x, w = np.polynomial.legendre.leggauss(count)
    lower, upper = (np.clip(e + shift, 0, None) for e in geometric(energy))
    slow, fast = (np.sqrt(2 * E * e / plasma.mass) for e in (lower, upper))
    top = np.cos(np.radians(look.theta - look.theta_width / 2))
    bottom = np.cos(np.radians(look.theta + look.theta_width / 2))
    total = np.zeros((*look.phi.shape, energy.size))
    volume = np.zeros(energy.size)
    for xs, ws in zip(x, w, strict=True):
        speed = 0.5 * (fast - slow) * xs + 0.5 * (fast + slow)
        weight = ws * speed**2
        volume += weight
        for xm, wm in zip(x, w, strict=True):
            mu = 0.5 * (top - bottom) * xm + 0.5 * (top + bottom)
            sin = np.sqrt(1 - mu**2)
            for xp, wp in zip(x, w, strict=True):
                phi = np.radians(look.phi + turn + 0.5 * look.phi_width * xp)
                u = np.stack([sin * np.cos(phi), sin * np.sin(phi), mu], -1)
                total += wm * wp * weight * plasma.f(u[..., None, :] * speed[:, None])
    with np.errstate(invalid="ignore"):
        return np.where(volume > 0, total / (4 * volume), 0.0)


def field(
    ds: xr.Dataset, b: tuple[float, float, float] | np.ndarray, *, frame: str = "DBCS"
) -> xr.Dataset:
    """A constant magnetic field (time, component) [nT] around all records of a dataset."""
    span = ds["time"].values[[0, -1]] + np.array([-2, 2]) * np.timedelta64(1, "s")
    time = np.arange(span[0], span[1], np.timedelta64(50, "ms"))
    attrs = {"units": "nT", "long_name": "magnetic field", "frame": frame}
    values = np.tile(np.asarray(b, float), (time.size, 1))
    return xr.Dataset(
        {"vector": (("time", "component"), values, attrs)},
        {"time": time, "component": ["x", "y", "z"]},
    )
