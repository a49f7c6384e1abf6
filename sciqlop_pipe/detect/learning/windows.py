"""Labelled windows of ion spectra and field: read, checked, and told apart by pass."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...granule import SECOND
from .. import spectral

Array = NDArray[np.float64]

CLASSES = (
    "solar_wind", "foreshock", "magnetosheath", "magnetosphere", "plasma_sheet", "lobe",
)  # fmt: skip
"""What the numbers of labels mean; "magnetosphere" is the dayside one."""

ENERGIES = np.geomspace(11.3, 26585.0, 32)
"""Energies of fast FPI/DIS spectra [eV], where a file of windows has none of its own."""

_JUMP = 0.1  # RE between the end of a window and the start of the next: another pass begins
_PAUSE = 600 * SECOND  # between the starts of windows: another pass begins
_BLOCKS = 20  # where nothing tells passes apart
_FILL = 1e30  # and above, or -1e30 and below: a fill that slipped through


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one length, each of one region.

    Parameters
    ----------
    flux : ndarray (window, record, energy)
        Omnidirectional differential energy flux [eV cm^-2 s^-1 sr^-1 eV^-1].
    energy : ndarray (energy)
        [eV].
    field, temperature : ndarray (window, record)
        |B| [nT] and ion temperature [eV].
    label : ndarray of int (window)
        Place in CLASSES.
    group : ndarray of int (window)
        What belongs together: a pass.
    how : str
        How groups were told: "group", "time", "position", "blocks".
    by : str
        What a group is: "pass", "day", "year", "group" or "block".
    time : ndarray of int64 (window), optional
        When each begins [ns].
    """

    flux: NDArray[np.float32]
    energy: Array
    field: Array
    temperature: Array
    label: NDArray[np.int64]
    group: NDArray[np.int64]
    how: str
    by: str = "pass"
    time: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.label)

    @property
    def length(self) -> int:
        """Return how many records a window has."""
        return self.flux.shape[1]

    @property
    def groups(self) -> str:
        """Return in words how many groups there are."""
        return counted(len(np.unique(self.group)), self.by)

    @property
    def content(self) -> str:
        """Return the hash of everything in them."""
        digest = hashlib.blake2b(digest_size=16)
        for part in (self.flux, self.energy, self.field, self.temperature, self.label, self.group):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def matrix(self, density: float = 1.0, field: float = 1.0) -> Array:
        """Return the features, (window, record, feature).

        Parameters
        ----------
        density, field : float
            What n and |B| are multiplied by first: would it know the region in another climate?
        """
        rows = self.flux.shape[0] * self.length
        spectra = spectral.Spectra(
            self.flux.reshape(rows, -1) * np.float32(density), self.energy,
            self.temperature.ravel(), self.field.ravel() * field,
        )  # fmt: skip
        return spectral.of_windows(spectra, self.length).reshape(len(self), self.length, -1)


def counted(count: int, by: str) -> str:
    """Return how many groups there are, in words.

    Parameters
    ----------
    count : int
        How many.
    by : str
        What each is: "pass", "day", "year", "group", "block".
    """
    plural = "es" if by == "pass" else "s"
    return f"{count} {by}{plural if count != 1 else ''}"


def read_windows(paths: Sequence[str | Path], split: str = "") -> Windows:
    """Return the windows of files in the layout of `mms_regions`, joined.

    A file is an .npz without pickles: `flux` (window, record, energy), `params` (window, record, 3:
    |B| nT, T eV, X RE), `label` (window); `energy` (energy) [eV] where the table is another,
    `classes` where the order of the classes is. Passes are told by `group` (window), else by `time`
    (window, ns or datetime64: a gap of more than 10 min), else where X jumps by more than 0.1 RE;
    without any of these, contiguous blocks stand for them.

    Parameters
    ----------
    paths : sequence of path
        The files.
    split : str
        What stays together: "pass", "day", "year", "group", "block"; the first of group, pass and
        block that the files allow when left out.

    Raises
    ------
    UsageError
        When a file has not these arrays, shapes or classes, a whole column says nothing, or there
        is nothing to split by.
    """
    parts = [_read(Path(p), split) for p in paths]
    if not parts:
        raise UsageError("there are no windows", todo="Give --input FILE.npz")
    if len({p.flux.shape[1:] for p in parts}) > 1:
        raise UsageError("the files have windows of different shapes", todo="Give them apart")
    if len({(p.by, p.how) for p in parts}) > 1:
        raise UsageError("the files tell their groups in different ways "
                         f"({', '.join(sorted({p.how for p in parts}))})", "--split",
                         "Say what stays together: --split block does for all")  # fmt: skip
    shared = split in ("day", "year")  # a day in two files is one
    offset = np.cumsum([0, *(0 if shared else int(p.group.max()) + 1 for p in parts)])

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(p, name) for p in parts])

    group = np.concatenate([p.group + offset[k] for k, p in enumerate(parts)])
    timed = all(p.time is not None for p in parts)
    return Windows(
        joined("flux"), parts[0].energy, joined("field"), joined("temperature"), joined("label"),
        np.unique(group, return_inverse=True)[1].astype(np.int64), parts[0].how, parts[0].by,
        joined("time") if timed else None,
    )  # fmt: skip


def _read(path: Path, split: str) -> Windows:
    where = str(path)
    if not path.is_file():
        raise UsageError("there is no such file", where)
    try:
        with np.load(path, allow_pickle=False) as archive:
            data = {name: archive[name] for name in archive.files}
    except (ValueError, OSError) as error:
        raise UsageError(f"not an .npz of numbers ({error})", where,
                         "Pickles are not read") from error  # fmt: skip
    missing = [n for n in ("flux", "params", "label") if n not in data]
    if missing:
        raise UsageError(f"there is no {', '.join(missing)}; there are {', '.join(data)}", where,
                         "See the layout in docs/detection.md")  # fmt: skip
    flux, params, label = data["flux"], data["params"], data["label"]
    shape = flux.shape
    if flux.ndim != 3 or params.shape[:2] != shape[:2] or params.shape[2:] < (2,):
        raise UsageError(f"flux {shape} and params {params.shape} do not fit", where)
    if label.shape != shape[:1] or not shape[0]:
        raise UsageError(f"{label.size} labels for {shape[0]} windows", where)
    energy = np.asarray(data.get("energy", ENERGIES), np.float64)
    if energy.shape != shape[2:]:
        raise UsageError(f"{shape[2]} energies in flux, {energy.size} known", where, "Add `energy`")
    values = params.astype(np.float64)
    values[np.abs(values) >= _FILL] = np.nan
    number = _numbered(label, data.get("classes"), where)
    for k, name in enumerate(("|B|", "temperature")):
        _refuse_constant(values[:, :, k], name, where)
    time = None
    if "time" in data:
        time = data["time"].reshape(shape[0], -1)[:, 0].astype("M8[ns]").astype(np.int64)
    given = None if "group" not in data else np.unique(data["group"], return_inverse=True)[1]
    group, how, by = _groups(split, given, time, values, where)
    clean = np.where(np.abs(flux) < _FILL, flux, np.nan).astype(np.float32)
    return Windows(clean, energy, values[:, :, 0], values[:, :, 1], number, group, how, by, time)


def _numbered(
    label: NDArray[np.generic], classes: NDArray[np.generic] | None, where: str
) -> NDArray[np.int64]:
    """Return labels as places in CLASSES; the names in a file decide where they are known."""
    names: NDArray[Any] | None
    own = {"sw": 0, "fs": 1, "msh": 2, "msp": 3, "ps": 4}
    own |= {name: k for k, name in enumerate(CLASSES)}
    if label.dtype.kind in "US":
        names, number = np.unique(label.astype(str), return_inverse=True)
    else:
        number = label.astype(np.int64)
        names = None if classes is None else classes.astype(str)
        if names is not None and not all(str(n).lower() in own for n in names):
            names = None
    limit = len(CLASSES) if names is None else len(names)
    if number.min() < 0 or number.max() >= limit:
        odd = number[(number < 0) | (number >= limit)][0]
        raise UsageError(f"label {odd} is none of the classes", where,
                         f"0 to 5 are {', '.join(CLASSES)}")  # fmt: skip
    if names is None:
        return number
    unknown = [str(n) for n in names if str(n).lower() not in own]
    if unknown:
        raise UsageError(f"'{unknown[0]}' is none of the classes", where,
                         f"There are: {', '.join(CLASSES)}")  # fmt: skip
    return np.array([own[str(n).lower()] for n in names], np.int64)[number]


def _refuse_constant(values: Array, name: str, where: str) -> None:
    known = values[np.isfinite(values)]
    if known.size > 1 and known.min() == known.max():
        raise UsageError(
            f"{name} is {known[0]:g} in all windows: a constant is no measurement", where,
            "Give NaN where it is not known",
        )  # fmt: skip


def _groups(
    split: str, given: NDArray[np.intp] | None, time: NDArray[np.int64] | None, params: Array,
    where: str,
) -> tuple[NDArray[np.int64], str, str]:  # fmt: skip
    """Return the group of each window, how it was told, and what it is."""
    if given is not None and split in ("", "group"):
        return given.astype(np.int64), "group", split or "pass"
    if time is not None and split in ("day", "year"):
        unit = time.astype("M8[ns]").astype(f"M8[{split[0].upper()}]")
        return unit.astype(np.int64), "time", split
    if time is not None and split in ("", "pass"):
        return _runs(np.abs(np.diff(time)) > _PAUSE), "time", "pass"
    if params.shape[2] > 2 and split in ("", "pass"):
        x = params[:, :, 2]
        return _runs(~(np.abs(x[1:, 0] - x[:-1, -1]) <= _JUMP)), "position", "pass"
    if split in ("", "block"):
        count = len(params)
        return (np.arange(count) // max(count // _BLOCKS, 1)).astype(np.int64), "blocks", "block"
    need = {"group": "`group`", "pass": "`time` or positions"}.get(split, "`time`")
    raise UsageError(f"the windows cannot be split by {split}: there is no {need}", where,
                     "Use --split block: contiguous blocks do without")  # fmt: skip


def _runs(cut: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.r_[0, np.cumsum(cut)].astype(np.int64)
