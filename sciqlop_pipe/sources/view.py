"""A CDF file seen with corrections: metadata that are wrong, values that have to be put together.

Archives leave attributes out, write a fill value that they do not declare, keep a vector as three
variables or a temperature as a speed. `Seen` wraps an adapter: what it reads is the file with such
facts put right, each of them one declaration. The adapter itself stays the generic one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..constants import ELEMENTARY_CHARGE
from ..quality import FLAGS_MISSING
from .cdf import CdfFile
from .conventions import converted, require
from .species import Species

if TYPE_CHECKING:
    import xarray as xr

    from .cdf_backends import VariableInfo


class Made(Protocol):
    """A variable that a file does not have, made of those it has."""

    @property
    def name(self) -> str:
        """The name it gets."""

    @property
    def like(self) -> str:
        """A variable of the file with the same times."""

    @property
    def units(self) -> str:
        """Its unit."""

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return its values (record, ...), NaN for fill."""


@dataclass(frozen=True, slots=True)
class Stacked:
    """A vector [units] of components that are variables of their own."""

    name: str
    parts: tuple[str, str, str]
    units: str

    @property
    def like(self) -> str:
        """Return the first component."""
        return self.parts[0]

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the vector (record, 3)."""
        require(cdf, self.parts)
        return np.stack([converted(cdf, part, self.units) for part in self.parts], axis=1)


@dataclass(frozen=True, slots=True)
class Thermal:
    """A temperature [eV] of a most probable speed W [km/s]: T = m W^2 / 2."""

    name: str
    speed: str
    species: Species
    units: str = "eV"

    @property
    def like(self) -> str:
        """Return the speed."""
        return self.speed

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the temperature (record,)."""
        require(cdf, [self.speed])
        speed = converted(cdf, self.speed, "km s^-1")
        ev = 0.5e6 * self.species.mass / ELEMENTARY_CHARGE
        return (ev * speed.astype(np.float64) ** 2).astype(speed.dtype)


@dataclass(frozen=True, slots=True)
class Symmetric:
    """A tensor of its six components xx, yy, zz, xy, xz, yz."""

    name: str
    six: str
    units: str

    @property
    def like(self) -> str:
        """Return the variable with the six."""
        return self.six

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the tensor (record, 3, 3)."""
        require(cdf, [self.six])
        six = converted(cdf, self.six, self.units)
        return six[:, [[0, 3, 4], [3, 1, 5], [4, 5, 2]]]


@dataclass(frozen=True, slots=True)
class Scaled:
    """A variable times a number, in a unit that then is the house's."""

    name: str
    variable: str
    factor: float
    units: str

    @property
    def like(self) -> str:
        """Return the variable."""
        return self.variable

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the scaled values."""
        require(cdf, [self.variable])
        return cdf.values(self.variable) * self.factor


@dataclass(frozen=True, slots=True)
class MeanOf:
    """The mean of some columns of a variable, as of the two temperatures across the field."""

    name: str
    variable: str
    columns: tuple[int, ...]
    units: str

    @property
    def like(self) -> str:
        """Return the variable."""
        return self.variable

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the mean (record,)."""
        require(cdf, [self.variable])
        columns = converted(cdf, self.variable, self.units)[:, list(self.columns)]
        mean: np.ndarray = columns.mean(axis=1, dtype=columns.dtype)
        return mean


def density_per_energy_flux(energy: np.ndarray, species: Species) -> np.ndarray:
    """Return f / J_E = m^2 / (2 E^2), [s^3 m^-6] per [eV cm^-2 s^-1 sr^-1 eV^-1], of energies [eV].

    J_E = 2 E^2 f / m^2, from J = v^2 f / m and E = m v^2 / 2. NaN where the energy is not above 0.
    """
    # In float32 the squares of masses and energies in SI would be zero.
    joule = np.where(energy > 0, energy, np.nan).astype(np.float64) * ELEMENTARY_CHARGE
    ratio: np.ndarray = 1e4 * species.mass**2 / (2 * joule**2)
    return ratio


@dataclass(frozen=True, slots=True)
class Words:
    """A flag word of a word of bits, of a code (0, 1, 2 ...) as one bit each, or of both.

    Bits stay where they are; code k becomes bit `offset` + k. Where either is fill, bit 31 says so.
    Of several words (or codes) per record, what is set in any of them is set.
    """

    name: str
    bits: str = ""
    code: str = ""
    offset: int = 0
    units: str = "1"

    @property
    def like(self) -> str:
        """Return the variable that tells the times."""
        return self.bits or self.code

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the words (record,) as uint32."""
        require(cdf, [self.bits, self.code])
        word = np.zeros(len(cdf.raw(self.like)), np.uint32)
        if self.bits:
            bits = cdf.raw(self.bits).astype(np.uint32)
            fill = _is_fill(cdf, self.bits)
            word |= _any_of(np.where(fill, np.uint32(1 << FLAGS_MISSING), bits))
        if self.code:
            code, fill = cdf.raw(self.code), _is_fill(cdf, self.code)
            fill |= (code < 0) | (code.astype(np.int64) + self.offset >= FLAGS_MISSING)
            shift = np.where(fill, FLAGS_MISSING, code.astype(np.int64) + self.offset)
            word |= _any_of(np.uint32(1) << shift.astype(np.uint32))
        return word


@dataclass(frozen=True, slots=True)
class WordsAt:
    """The flag words of a slower series at the times of a faster one: the last one before each.

    Parameters
    ----------
    name : str
        The name of the result.
    words, words_time : str
        The words, and their times: each holds from its time on, at most for `reach` [ns].
    like : str
        The faster series.
    """

    name: str
    words: str
    words_time: str
    like: str
    reach: int
    units: str = "1"

    def values(self, cdf: CdfFile) -> np.ndarray:
        """Return the words (record,) as uint32; where there is none, bit 31 says so."""
        require(cdf, [self.words, self.words_time, self.like])
        at = cdf.times(cdf.depend(self.like, 0) or "").astype(np.int64)
        since = cdf.times(self.words_time).astype(np.int64)
        word = np.where(_is_fill(cdf, self.words), 1 << FLAGS_MISSING, cdf.raw(self.words))
        if since.size == 0:
            return np.full(at.shape, 1 << FLAGS_MISSING, np.uint32)
        k = np.searchsorted(since, at, side="right") - 1
        known = (k >= 0) & (at - since[np.maximum(k, 0)] < self.reach)
        return np.where(known, word[np.maximum(k, 0)], 1 << FLAGS_MISSING).astype(np.uint32)


def _any_of(words: np.ndarray) -> np.ndarray:
    """Return one word per record of (record, ...) words: the bits set in any of them."""
    joined: np.ndarray = np.bitwise_or.reduce(words, axis=tuple(range(1, words.ndim)))
    return joined


def _is_fill(cdf: CdfFile, name: str) -> np.ndarray:
    raw, fill = cdf.raw(name), cdf.attrs(name).get("FILLVAL")
    return raw == fill if isinstance(fill, int) else np.zeros(raw.shape, bool)


Attributes = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """An adapter that reads a file as if it had been written right.

    Parameters
    ----------
    adapter : adapter
        What reads it then.
    restated : tuple of (str, tuple of (str, value))
        Attributes of variables that the file lacks or has wrong: UNITS, DEPEND_0, FILLVAL ...
    limits : tuple of (str, float, float)
        Variables that are fill outside of a range (a fill value not declared as one).
    made : tuple of Made
        Variables that the file does not have as such.
    """

    adapter: Any
    restated: tuple[tuple[str, Attributes], ...] = ()
    limits: tuple[tuple[str, float, float], ...] = ()
    made: tuple[Made, ...] = ()

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        found: tuple[int, int] | None = self.adapter.extent(_View(cdf, self))
        return found

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return what the adapter makes of the file."""
        found: xr.Dataset = self.adapter(_View(cdf, self))
        return found


class _View(CdfFile):
    """The file of another CdfFile, with the corrections of a `Seen`."""

    def __init__(self, cdf: CdfFile, seen: Seen) -> None:
        super().__init__(cdf.path, cdf._backend)
        self._restated = {name: dict(attrs) for name, attrs in seen.restated}
        self._limits = {name: (low, high) for name, low, high in seen.limits}
        self._made = {made.name: made for made in seen.made}

    @property
    def names(self) -> tuple[str, ...]:
        return (*super().names, *self._made)

    def has(self, name: str) -> bool:
        return name in self._made or super().has(name)

    def raw(self, name: str) -> np.ndarray:
        made = self._made.get(name)
        return super().raw(name) if made is None else made.values(self)

    def take(self, name: str) -> np.ndarray:
        if name in self._made or name in self._limits:
            return np.array(self.values(name))
        return super().take(name)

    def values(self, name: str) -> np.ndarray:
        values = super().values(name)
        if name not in self._limits:
            return values
        low, high = self._limits[name]
        outside = (values < low) | (values > high)
        nothing = values.dtype.type(np.nan) if values.dtype.kind == "f" else np.nan
        return np.where(outside, nothing, values) if outside.any() else values

    def _info(self, name: str) -> VariableInfo:
        made = self._made.get(name)
        if made is None:
            info = super()._info(name)
            attrs: Mapping[str, Any] = {**info.attrs, **self._restated.get(name, {})}
            return replace(info, attrs=MappingProxyType(dict(attrs)))
        info = self._info(made.like)
        kept = {k: v for k, v in info.attrs.items() if k == "DEPEND_0"}
        return replace(info, name=name, attrs={**kept, "UNITS": made.units})
