"""Distributions, spectra and pitch angles as the plasma sees them: moved to its bulk velocity."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr

from ..datatypes import VDF, EnergySpectrum, Moments, PitchAngle, VectorSeries
from ..errors import UsageError
from ..model import Margin, recipe
from .field_aligned import field_aligned_basis
from .rays import field_directions, require_same_frame
from .resample import Cells, Moved, bulk_velocity, resample
from .units import UNITS, per_f

RESTS = ("bulk", "instrument")


@recipe(gives=EnergySpectrum, version=1)
def bulk_frame_spectrum(vdf: VDF, moments: Moments) -> xr.Dataset:
    """Omnidirectional DEF in the plasma frame (time, energy_bin) [eV cm^-2 s^-1 sr^-1 eV^-1].

        J_E(E') = 2 E'^2 <f> / m^2,  E' = m |v - V|^2 / 2

    with <f> the mean over the sphere around the bulk velocity V, which 1536 points per energy look
    up in the distribution; f is constant inside the bins of the instrument.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
    moments : Moments
        Bulk velocity (time, component) [km/s] at the same times, in the frame of the distribution.

    Returns
    -------
    Dataset
        spectrum and coverage (time, energy_bin); energy [eV] those of the VDF, ascending, now in
        the moving frame; the lowest bin reaches down to zero. Coverage is the measured part of the
        shell: little at energies that the instrument's lowest one hides. NaN where V is unknown.

    Raises
    ------
    DataTypeError
        When the frames differ.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5: f is the same in moving frames.
    """
    velocity = bulk_velocity(moments, vdf["time"].values, str(vdf.attrs["frame"]))
    basis = np.tile(np.eye(3), (vdf.sizes["time"], 1, 1))
    moved = resample(vdf, basis, velocity, Cells(1, 1, (32, 16), 3))
    flux = moved.f[:, 0, 0] * per_f("def", moved.energy, float(vdf.attrs["mass"]))
    species, dims = vdf.attrs["species"], ("time", "energy_bin")
    about = {
        "units": UNITS["def"],
        "long_name": f"{species} omnidirectional differential energy flux, plasma frame",
    }
    variables: dict[str, object] = {
        "spectrum": (dims, flux.astype(np.float32), about),
        "energy": _energy(vdf, moved),
        "coverage": (
            dims,
            moved.seen[:, 0, 0],
            {"units": "1", "long_name": "measured part of the shell"},
        ),
    }
    return _finished(vdf, variables, {"rest_frame": "bulk"})


@recipe(gives=PitchAngle, version=1)
def bulk_frame_pitch_angles(
    vdf: VDF,
    b: Annotated[VectorSeries, Margin("accumulation"), Margin("reach")],
    moments: Moments,
    *,
    bins: int = 18,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """Mean of f per pitch angle and energy in the plasma frame (time, pitch_angle, energy_bin).

        <f>(alpha, E') over rings cos alpha = b . (v - V)/|v - V|,  E' = m |v - V|^2 / 2

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
    b : VectorSeries
        Magnetic field (time, component) [nT] in the frame of the distribution, averaged over the
        accumulation; without a sample there the nearest one within reach counts.
    moments : Moments
        Bulk velocity at the same times, in the frame of the distribution.
    bins : int
        Bins of equal width from 0 to 180 degrees.
    accumulation, reach : str
        How long a distribution takes, centred on its time; how far away a sample of b may be.

    Returns
    -------
    Dataset
        f [s^3 m^-6] and coverage; energy [eV] in the moving frame, as in `bulk_frame_spectrum`.

    Raises
    ------
    DataTypeError
        When the frames differ.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5.
    """
    if bins < 1:
        raise UsageError(f"{bins} bins of pitch angle", "bins", "Take at least one")
    frame = str(vdf.attrs["frame"])
    velocity = bulk_velocity(moments, vdf["time"].values, frame)
    require_same_frame(frame, b)
    along = field_directions(b, vdf["time"].values, accumulation, reach)
    # Rings are complete: any two axes across b will do.
    aside = np.where(np.abs(along[:, :1]) < 0.9, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    moved = resample(vdf, field_aligned_basis(along, aside), velocity, Cells(1, bins, (32, 2), 3))
    species, dims = vdf.attrs["species"], ("time", "pitch_angle", "energy_bin")
    about = {"units": "s^3 m^-6", "long_name": f"{species} mean distribution per pitch angle"}
    seen = {"units": "1", "long_name": "measured part of the pitch-angle bin"}
    variables: dict[str, object] = {
        "f": (dims, moved.f[:, 0], about),
        "energy": _energy(vdf, moved),
        "coverage": (dims, moved.seen[:, 0], seen),
    }
    width = 180.0 / bins
    axis: dict[str, object] = {"units": "deg", "long_name": "pitch angle", "bin_width": width}
    centres = ("pitch_angle", width * (np.arange(bins) + 0.5), axis)
    return _finished(vdf, variables, {"rest_frame": "bulk"}).assign_coords(pitch_angle=centres)


@recipe(gives=VDF, version=1)
def moved_to_bulk(vdf: VDF, moments: Moments, *, phis: int = 32, thetas: int = 16) -> xr.Dataset:
    """Distribution (time, phi_bin, theta_bin, energy_bin) [s^3 m^-6] around the bulk velocity.

        f'(w) = f(V + w)

    Deterministic: 2 x 2 x 2 points of equal volume per cell look up the bin they lie in, their mean
    over what was measured is f of the cell. The density is kept to about 1 %
    (Maxwellians on FPI and THEMIS tables; `density_kept` tells it per record), what lies beyond the
    highest energy is told by `outside`. Nothing is interpolated: the result is as coarse as the
    instrument.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
    moments : Moments
        Bulk velocity V at the same times, in the frame of the distribution.
    phis, thetas : int
        Cells of equal angle.

    Returns
    -------
    Dataset
        A VDF in the axes of the input with its energies, ascending, the lowest bin reaching down
        to zero; density_kept and outside (time) [1], parts of the density of the input; attribute
        `rest_frame`. NaN where nothing was measured or V is unknown.

    Raises
    ------
    DataTypeError
        When the frames differ.
    UsageError
        For a grid without cells.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5: f is the same in moving frames.
    """
    velocity = bulk_velocity(moments, vdf["time"].values, str(vdf.attrs["frame"]))
    basis = np.tile(np.eye(3), (vdf.sizes["time"], 1, 1))
    return _rebinned(vdf, basis, velocity, (phis, thetas), ("azimuth", "colatitude"), "bulk")


@recipe(gives=VDF, version=1)
def rebinned_to_field(
    vdf: VDF,
    b: Annotated[VectorSeries, Margin("accumulation"), Margin("reach")],
    moments: Moments,
    *,
    rest: str = "bulk",
    phis: int = 32,
    thetas: int = 16,
    accumulation: str = "150ms",
    reach: str = "2s",
) -> xr.Dataset:
    """Distribution (time, phi_bin, theta_bin, energy_bin) [s^3 m^-6], gyrophase by pitch angle.

        f'(w) = f(V + x perp1 + y perp2 + z par),  w = (x, y, z)

    with V = 0 for rest="instrument"; par = b, perp2 along b x V, perp1 = perp2 x b. Made as in
    `moved_to_bulk`.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) or (time, direction, energy_bin) [s^3 m^-6].
    b : VectorSeries
        Magnetic field (time, component) [nT] in the frame of the distribution, averaged over the
        accumulation; without a sample there the nearest one within reach counts.
    moments : Moments
        Bulk velocity V at the same times, in the frame of the distribution.
    rest : str
        "bulk": velocities relative to V; "instrument": as measured.
    phis, thetas : int
        Cells of equal angle.
    accumulation, reach : str
        How long a distribution takes, centred on its time; how far away a sample of b may be.

    Returns
    -------
    Dataset
        A VDF as of `moved_to_bulk`, in the frame "FAC": theta is the pitch angle, phi the gyrophase
        (0 along the perpendicular V, 90 along b x V). NaN also where b or the perpendicular V is
        undefined.

    Raises
    ------
    DataTypeError
        When the frames differ.
    UsageError
        For another `rest`, or a grid without cells.

    References
    ----------
    Paschmann, G. et al. (1998), ISSI SR-001, chapter 5.
    """
    if rest not in RESTS:
        raise UsageError(f"rest '{rest}'", "rest", "Take 'bulk' or 'instrument'")
    frame, times = str(vdf.attrs["frame"]), vdf["time"].values
    velocity = bulk_velocity(moments, times, frame)
    require_same_frame(frame, b)
    basis = field_aligned_basis(field_directions(b, times, accumulation, reach), velocity)
    origin = velocity if rest == "bulk" else np.zeros_like(velocity)
    made = _rebinned(vdf, basis, origin, (phis, thetas), ("gyrophase", "pitch angle"), rest)
    return made.assign_attrs(frame="FAC")


def _rebinned(
    vdf: xr.Dataset,
    basis: np.ndarray,
    origin: np.ndarray,
    shape: tuple[int, int],
    words: tuple[str, str],
    rest: str,
) -> xr.Dataset:
    phis, thetas = shape
    if phis < 1 or thetas < 1:
        raise UsageError(f"{phis} x {thetas} cells", "phis, thetas", "Take at least one")
    cells = Cells(phis, thetas)
    moved = resample(vdf, basis, origin, cells)
    width = 360.0 / phis, 180.0 / thetas
    angle, down = ({"units": "deg", "long_name": w} for w in words)
    energy = ("time", "energy_bin")
    about = {"units": "s^3 m^-6", "long_name": f"{vdf.attrs['species']} velocity distribution"}
    variables: dict[str, object] = {
        "f": (("time", "phi_bin", "theta_bin", "energy_bin"), moved.f, about),
        "energy": _energy(vdf, moved),
        "energy_lower": (energy, moved.lower, {"units": "eV", "long_name": "lower edge"}),
        "energy_upper": (energy, moved.upper, {"units": "eV", "long_name": "upper edge"}),
        "phi": ("phi_bin", width[0] * (np.arange(phis) + 0.5), angle),
        "theta": ("theta_bin", width[1] * (np.arange(thetas) + 0.5), down),
        "phi_width": ("phi_bin", np.full(phis, width[0]), angle),
        "theta_width": ("theta_bin", np.full(thetas, width[1]), down),
        "solid_angle": (
            "theta_bin",
            cells.solid_angle,
            {"units": "sr", "long_name": "solid angle"},
        ),
        "density_kept": (
            "time",
            moved.kept.astype(np.float32),
            {"units": "1", "long_name": "density on the grid over that of the input"},
        ),
        "outside": (
            "time",
            moved.outside.astype(np.float32),
            {"units": "1", "long_name": "part of the density beyond the highest energy"},
        ),
    }
    attrs = {"rest_frame": rest, "charge": vdf.attrs["charge"], "energy_kind": "energy"}
    return _finished(vdf, variables, attrs)


def _energy(vdf: xr.Dataset, moved: Moved) -> tuple[object, ...]:
    about = {"units": "eV", "long_name": f"{vdf.attrs['species']} energy"}
    return ("time", "energy_bin"), moved.energy, about


def _finished(
    vdf: xr.Dataset, variables: dict[str, object], attrs: dict[str, object]
) -> xr.Dataset:
    if "quality" in vdf:
        variables["quality"] = vdf["quality"].variable
    kept = {k: vdf.attrs[k] for k in ("species", "mass", "charge", "frame")}
    return xr.Dataset(variables, {"time": vdf["time"]}, kept | attrs)
