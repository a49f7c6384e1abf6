"""How the bytes of an array are compressed: found by trying, not by knowing what they are.

What suits depends on the numbers. Arrays made of counts repeat whole words, which any shuffle
destroys; fields and spectra want one; and bitshuffle leaves a block alone whose number of elements
is no multiple of eight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from numcodecs import Blosc, Zstd
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, ZstdCodec

#: Smaller arrays are not worth a trial.
TRIED = 16 << 10
#: A trial compresses so many bytes at each of two places.
SAMPLE = 16 << 10
#: Another codec must make so much less than one that was tried before it.
WORTH = 0.97


@dataclass(frozen=True)
class Codec:
    """Zstandard, after a shuffle of words where there is one; Zarr calls that one blosc.

    Parameters
    ----------
    level : int
        Of zstd, or of blosc, whose level 1 is zstd's level 1 and level 3 is zstd's level 5.
    shuffle : str
        "shuffle" (of bytes), "bitshuffle", or "" for none.
    typesize : int
        Bytes of a word.
    """

    level: int
    shuffle: str = ""
    typesize: int = 1

    @property
    def zarr(self) -> Any:
        """Return the same for Zarr."""
        if not self.shuffle:
            return ZstdCodec(level=self.level)
        shuffle: Any = self.shuffle
        return BloscCodec(cname="zstd", clevel=self.level, shuffle=shuffle, typesize=self.typesize)

    @cached_property
    def described(self) -> dict[str, Any]:
        """Return what the metadata of an array say of it."""
        said: dict[str, Any] = self.zarr.to_dict()
        return said

    @cached_property
    def _codec(self) -> Any:
        if not self.shuffle:
            return Zstd(level=self.level)
        shuffle = {"shuffle": Blosc.SHUFFLE, "bitshuffle": Blosc.BITSHUFFLE}[self.shuffle]
        return Blosc("zstd", self.level, shuffle=shuffle, typesize=self.typesize)

    def compress(self, data: Any) -> bytes:
        """Return the bytes of a buffer, compressed."""
        return bytes(self._codec.encode(data))


def decompress(name: str, data: bytes) -> bytes:
    """Return what a codec of that name in the metadata made compressed bytes of.

    Raises
    ------
    ValueError
        For a codec that no granule has.
    """
    if name not in ("blosc", "zstd"):
        raise ValueError(f"no granule is compressed with {name}")
    # What was compressed says how, all but by which of the two.
    return bytes((Blosc() if name == "blosc" else Zstd()).decode(data))


TEXT = Codec(level=3)


@lru_cache(maxsize=64)
def _candidates(typesize: int) -> tuple[Codec, ...]:
    return (Codec(1), Codec(1, "shuffle", typesize), Codec(1, "bitshuffle", typesize), Codec(3))


def codec_of(values: NDArray[Any]) -> Codec:
    """Return the codec that makes least of an array: of a few places in it where it is large.

    Parameters
    ----------
    values : array, C order
        Numbers, or words of unicode.
    """
    if values.dtype.kind == "U":
        return TEXT
    best, *others = _candidates(values.dtype.itemsize)
    if values.nbytes < TRIED:
        return others[1] if values.size % 8 == 0 else others[0]
    pieces = _pieces(values)
    least = _size(best, pieces)
    for codec in others:
        if (size := _size(codec, pieces)) < WORTH * least:
            best, least = codec, size
    return best


def _size(codec: Codec, pieces: list[NDArray[Any]]) -> int:
    return sum(len(codec.compress(piece)) for piece in pieces)


def _pieces(values: NDArray[Any]) -> list[NDArray[Any]]:
    flat = values.reshape(-1)
    count = SAMPLE // values.dtype.itemsize
    if flat.size <= 2 * count:
        return [flat]
    quarter = (flat.size - count) // 4
    return [flat[start : start + count] for start in (quarter, 3 * quarter)]
