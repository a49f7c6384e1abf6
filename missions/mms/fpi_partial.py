"""MMS FPI partial moments: moments of all energies from each step of the table upwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from sciqlop_pipe.datatype import DataType, Var
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.cdf import CdfFile
from sciqlop_pipe.sources.conventions import (
    Deltas,
    Quality,
    converted,
    extent_of,
    finished,
    require,
    table,
    time_of,
)
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.species import ELECTRON, PROTON

from .fpi import CADENCE, GRANULE, MODES
from .fpi_flags import MOMENTS_FLAGS

SENSORS = {"dis": (PROTON, "ions"), "des": (ELECTRON, "electrons")}

# As of the distributions.
_SPAN = {"fast": "121min", "brst": "15min"}

_TE = ("time", "energy_bin")
_TEC = (*_TE, "component")
_TECC = (*_TEC, "component_2")

PartialMoments = DataType(
    "PartialMoments",
    (
        Var("density", (_TE,), "cm^-3"),
        Var("velocity", (_TEC,), "km s^-1", framed=True),
        Var("temperature_tensor", (_TECC,), "eV", framed=True),
        Var("pressure", (_TECC,), "nPa", framed=True),
        Var("energy", (_TE,), "eV", subset=True, along=("energy_bin",)),
        Var("first_energy", (("time",),), "1"),
        Var("quality", (("time",),), "1", required=False),
    ),
    attrs=("species",),
    main="density",
    description="moments of the energies from each step of a table upwards",
)

_PARTS = {
    "density": ("numberdensity_part", _TE, "cm^-3", "number density above the energy"),
    "velocity": ("bulkv_part_dbcs", _TEC, "km s^-1", "bulk velocity above the energy"),
    "temperature_tensor": ("temptensor_part_dbcs", _TECC, "eV", "temperature above the energy"),
    "pressure": ("prestensor_part_dbcs", _TECC, "nPa", "pressure above the energy"),
}


@dataclass(frozen=True, slots=True)
class PartialAdapter:
    """Reads the PartialMoments of one sensor in one mode; `first_energy` begins the team's own."""

    probe: str
    sensor: str
    mode: str

    def _name(self, quantity: str) -> str:
        return f"mms{self.probe}_{self.sensor}_{quantity}_{self.mode}"

    def extent(self, cdf: CdfFile) -> tuple[int, int] | None:
        """Return the first and last centre time [ns] of a file, None when it has no record."""
        require(cdf, [self._name("numberdensity_part")])
        return extent_of(time_of(cdf, self._name("numberdensity_part"), Deltas()))

    def __call__(self, cdf: CdfFile) -> xr.Dataset:
        """Return the whole file as PartialMoments."""
        energy, index = self._name("energy"), self._name("part_index")
        require(cdf, [*(self._name(part[0]) for part in _PARTS.values()), energy, index])
        found = {}
        for name, (quantity, dims, units, words) in _PARTS.items():
            values = np.array(converted(cdf, self._name(quantity), units))
            framed = {"frame": "DBCS"} if "component" in dims else {}
            about = {"units": units, "long_name": words, **framed}
            found[name] = xr.DataArray(values, dims=dims, attrs=about)
        sizes = found["density"].sizes
        found["energy"] = table(cdf, energy, ("energy_bin",), "eV", sizes)
        found["energy"].attrs = {"units": "eV", "long_name": "energy"}
        first = np.ravel(cdf.raw(index)).astype(np.int32)
        found["first_energy"] = xr.DataArray(
            first, dims=("time",),
            attrs={"units": "1", "long_name": "index of the lowest energy of the team's moments"},
        )  # fmt: skip
        time = time_of(cdf, self._name("numberdensity_part"), Deltas())
        axes = {d: ["x", "y", "z"] for d in ("component", "component_2")}
        ds = xr.Dataset(found, coords={"time": time, **axes},
                        attrs={"species": SENSORS[self.sensor][0].name})  # fmt: skip
        return finished(ds, cdf, Quality(self._name("errorflags"), MOMENTS_FLAGS), list(_PARTS))


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return the partial moments of one spacecraft."""
    return tuple(
        raw(f"mms{probe}.fpi.{sensor}.{mode}.partmoms", PartialMoments,
            FileSource(f"mms{probe}_fpi_{mode}_l2_{sensor}-partmoms_{{start:%Y%m%d%H%M%S}}"
                       "_v{version}.cdf", PartialAdapter(probe, sensor, mode), span=_SPAN[mode],
                       remote=on_cdaweb(f"MMS{probe}_FPI_{mode}_L2_{sensor}-PARTMOMS".upper())),
            granule=GRANULE[mode], cadence=CADENCE[sensor, mode],
            description=f"{words}: moments above each energy, of the FPI team")
        for sensor, (_, words) in SENSORS.items() for mode in MODES
    )  # fmt: skip
