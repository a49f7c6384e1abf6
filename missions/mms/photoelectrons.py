"""MMS FPI backgrounds: electrons knocked out of DES by sunlight, penetrating radiation in DIS.

DES: the team's model, in `photoelectron_model`. DIS: the dis-moms files carry one flux per record
(since v3.3).

What is known of them, and what is not, is in the README of this folder.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from sciqlop_pipe.datatypes import VDF, ScalarSeries
from sciqlop_pipe.errors import DataTypeError
from sciqlop_pipe.model import Dataset, product, raw, recipe
from sciqlop_pipe.recipes.background import without_background, without_radiation
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.sources.conventions import Deltas, Quality
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import ScalarAdapter

from .fpi import GRANULE, MODES
from .fpi_flags import MOMENTS_FLAGS
from .photoelectron_model import SPAN, STAMP, PhaseAdapter, Photoelectrons, PhotoelectronSource

_FLUX = "eV cm^-2 s^-1 sr^-1 eV^-1"
# Records that are corrected at once: 16 MB of f.
_CHUNK = 256


@recipe(gives=VDF, version=1)
def without_photoelectrons(
    vdf: VDF, photoelectrons: Photoelectrons, *, factor: float = 1.0, secondary: float = 0.0
) -> xr.Dataset:
    """F without the electrons that light knocks out of the instrument, in the layout of f.

    f - (factor * N * f_model + secondary * <f_model>), where N is the team's factor, f_model the
    model at the record's spin phase and energy table, bin by bin, and <> the mean over directions.
    Negative differences are kept. Records of unknown phase, or of a time that the model's inputs do
    not have, are NaN. Photo-electrons of the spacecraft are not in the model: they go with
    `energy_min` and the potential.

    Parameters
    ----------
    vdf : VDF
        f (time, phi_bin, theta_bin, energy_bin) of DES [s^3 m^-6].
    photoelectrons : Photoelectrons
        Model, and index and factor of each record, by the times of f.
    factor : float
        How much of the team's amount.
    secondary : float
        Isotropic part, in the unit of N; nothing measures it, so it is 0 unless asked for.

    Raises
    ------
    DataTypeError
        When the model is on other directions or energies.

    References
    ----------
    Gershman, D. J. et al. (2017), J. Geophys. Res. Space Physics 122, 11548,
    doi:10.1002/2017JA024518.
    """
    model, dims = photoelectrons["f"], vdf["f"].dims  # type: ignore[index]
    if dims[1:] != model.dims[2:] or vdf["f"].shape[1:] != model.shape[2:]:
        raise DataTypeError(f"the model has {model.dims[2:]} {model.shape[2:]}, f {dims[1:]} "
                            f"{vdf['f'].shape[1:]}", "without_photoelectrons")  # fmt: skip
    table, phase, amount = _at(vdf["time"].values, photoelectrons)
    left = np.empty(vdf["f"].shape, np.float32)
    for first in range(0, left.shape[0], _CHUNK):
        some = slice(first, first + _CHUNK)
        known = (table[some] >= 0) & (phase[some] >= 0)
        # Where the place is unknown the amount is NaN, so any record of the model will do.
        gone = model.values[np.where(known, table[some], 0), np.where(known, phase[some], 0)]
        amounts = np.where(known, factor * amount[some], np.nan).astype(np.float32)
        total = gone * amounts[:, None, None, None]
        part = vdf.isel(time=some)
        if secondary:
            total += np.float32(secondary) * _isotropic(gone, part)
        background = part.assign(f=(dims, total, dict(vdf["f"].attrs)))
        left[some] = without_background(part, background)["f"].values
    out = vdf.copy()
    out["f"] = (dims, left, dict(vdf["f"].attrs))
    out.attrs["background"] = "photo-electrons subtracted; negative differences kept"
    return out


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return electrons without photo-electrons and ions without penetrating radiation."""
    return tuple(d for m in MODES for d in (*_electrons(probe, m), *_ions(probe, m)))


def _electrons(probe: str, mode: str) -> tuple[Dataset, ...]:
    base = f"mms{probe}.fpi.des.{mode}"
    phases = PhaseAdapter(probe, mode)
    source = PhotoelectronSource(
        f"mms{probe}_fpi_{mode}_l2_des-moms_{STAMP}", phases, span=SPAN[mode], mode=mode
    )
    return (
        raw(f"{base}.photoelectrons", Photoelectrons, source, granule=GRANULE[mode], transient=True,
            description="electrons: the team's model of photo-electrons inside the instrument"),
        product(f"{base}.vdf_corrected", without_photoelectrons, vdf=f"{base}.vdf",
                photoelectrons=f"{base}.photoelectrons", transient=True),
        product(f"{base}.moments_corrected", moments, vdf=f"{base}.vdf_corrected",
                sc_pot=f"mms{probe}.edp.{mode}.sc_pot"),
    )  # fmt: skip


def _ions(probe: str, mode: str) -> tuple[Dataset, ...]:
    base = f"mms{probe}.fpi.dis.{mode}"

    def background(quantity: str, units: str, words: str) -> FileSource:
        quality = Quality(f"mms{probe}_dis_errorflags_{mode}", MOMENTS_FLAGS)
        name = f"mms{probe}_dis_{quantity}_bg_{mode}"
        adapter = ScalarAdapter(name, units, words, Deltas(), quality)
        return FileSource(f"mms{probe}_fpi_{mode}_l2_dis-moms_{STAMP}", adapter, span=SPAN[mode])

    kinds = (
        ("background_flux", "spectr", _FLUX, "differential energy flux of penetrating radiation"),
        ("background_density", "numberdensity", "cm^-3", "density of penetrating radiation"),
        ("background_pressure", "pres", "nPa", "pressure of penetrating radiation"),
    )
    return (
        *(raw(f"{base}.{name}", ScalarSeries, background(quantity, units, words),
              granule=GRANULE[mode], description=f"ions: {words}, of the FPI team")
          for name, quantity, units, words in kinds),
        product(f"{base}.vdf_without_radiation", without_radiation, vdf=f"{base}.vdf",
                background_flux=f"{base}.background_flux", transient=True),
        product(f"{base}.moments_without_radiation", moments, vdf=f"{base}.vdf_without_radiation",
                sc_pot=f"mms{probe}.edp.{mode}.sc_pot"),
    )  # fmt: skip


def _at(want: np.ndarray, known: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return table index, phase index (-1 if unknown) and factor at the very times that are wanted.

    Distributions and moments of FPI share their time tags.
    """
    at = known["time"].values
    table, phase = np.full(want.size, -1), np.full(want.size, -1)
    amount = np.full(want.size, np.nan)
    if at.size:
        place = np.clip(np.searchsorted(at, want), 0, at.size - 1)
        same = at[place] == want
        table = np.where(same, known["table_index"].values[place], -1)
        phase = np.where(same, known["phase_index"].values[place], -1)
        amount = np.where(same, known["factor"].values[place].astype(np.float64), np.nan)
    return table, phase, amount


def _isotropic(f: np.ndarray, vdf: xr.Dataset) -> np.ndarray:
    """Return the mean of f over directions, (time, 1, 1, energy_bin), by their solid angles."""
    shape = vdf["f"].isel(energy_bin=0, drop=True)
    weights = np.broadcast_to(vdf["solid_angle"].broadcast_like(shape)
                              .transpose(*shape.dims).values, shape.shape)  # fmt: skip
    mean = np.einsum("tpqe,tpq->te", f, weights) / weights.sum((1, 2))[:, None]
    return mean[:, None, None, :].astype(np.float32)
