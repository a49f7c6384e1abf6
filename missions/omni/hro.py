"""OMNI high resolution (HRO, HRO2), 1 and 5 min, shifted to the nose of the bow shock."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Moments, ScalarSeries, VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.conventions import begin
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter, ScalarAdapter, VectorAdapter
from sciqlop_pipe.sources.species import PROTON
from sciqlop_pipe.sources.view import Seen, Stacked

PRODUCTS = ("hro", "hro2")
CADENCES = ("1min", "5min")

# What the files write where there is no value, whatever FILLVAL they declare.
_LIMITS = (
    *((name, -9999.0, 9999.0) for name in ("BX_GSE", "BY_GSE", "BZ_GSE", "BY_GSM", "BZ_GSM")),
    *((name, -99999.0, 99999.0) for name in ("Vx", "Vy", "Vz")),
    ("proton_density", 0.0, 999.0), ("T", 0.0, 9999998.0),
)  # fmt: skip
_SCALARS = {
    "dynamic_pressure": ("Pressure", "nPa", "dynamic pressure of the solar wind", 99.0),
    "sym_h": ("SYM_H", "nT", "SYM-H index", 99998.0),
    "ae": ("AE_INDEX", "nT", "AE index", 99998.0),
}


def field(cadence: str, frame: str) -> Seen:
    """Return the adapter for the magnetic field in "gse" or "gsm", which share x."""
    adapter = VectorAdapter(
        variable="b",
        units="nT",
        frame=frame.upper(),
        long_name=f"magnetic field at the nose of the bow shock ({frame.upper()})",
        time_tag=begin(cadence),
    )
    return Seen(adapter, limits=_LIMITS, made=(Stacked("b", _parts(frame), "nT"),))


def _parts(frame: str) -> tuple[str, str, str]:
    return "BX_GSE", f"BY_{frame.upper()}", f"BZ_{frame.upper()}"


def plasma(cadence: str) -> Seen:
    """Return the adapter for density, velocity (GSE, without aberration) and temperature."""
    adapter = MomentsAdapter(
        density="proton_density",
        velocity="velocity",
        temperature="T",
        species=PROTON,
        frame="GSE",
        time_tag=begin(cadence),
    )
    units = (("proton_density", (("UNITS", "cm-3"),)), ("T", (("UNITS", "K"),)))
    made = (Stacked("velocity", ("Vx", "Vy", "Vz"), "km s^-1"),)
    return Seen(adapter, restated=units, limits=_LIMITS, made=made)


def scalar(cadence: str, quantity: str) -> Seen:
    """Return the adapter for one number per time ("sym_h")."""
    variable, units, words, largest = _SCALARS[quantity]
    adapter = ScalarAdapter(variable, units, words, time_tag=begin(cadence), declared=units)
    return Seen(adapter, limits=((variable, -largest, largest),))


def datasets() -> tuple[Dataset, ...]:
    """Return everything of the high resolution data."""
    return tuple(d for product in PRODUCTS for cadence in CADENCES for d in _of(product, cadence))


def _of(product: str, cadence: str) -> tuple[Dataset, ...]:
    pattern = f"omni_{product}_{cadence}_{{start:%Y%m%d}}_v{{version}}.cdf"
    base, where = f"omni.{product}.{cadence}", f"at the bow shock's nose, {cadence}"

    def files(adapter: Seen, *parameters: str) -> FileSource:
        remote = on_cdaweb(f"OMNI_{product}_{cadence}".upper(), *parameters)
        return FileSource(pattern, adapter, span="31d", remote=remote)

    return (
        *(
            raw(
                f"{base}.b_{frame}",
                VectorSeries,
                files(field(cadence, frame), *_parts(frame)),
                granule="1d",
                cadence=cadence,
                description=f"magnetic field, {frame.upper()}, {where}",
            )
            for frame in ("gse", "gsm")
        ),
        raw(
            f"{base}.plasma",
            Moments,
            files(plasma(cadence), "proton_density", "Vx", "Vy", "Vz", "T"),
            granule="1d",
            cadence=cadence,
            description=f"ions: density, velocity (GSE), temperature, {where}",
        ),
        *(
            raw(
                f"{base}.{name}",
                ScalarSeries,
                files(scalar(cadence, name), variable),
                granule="1d",
                cadence=cadence,
                description=f"{words}, {cadence}",
            )
            for name, (variable, _, words, _) in _SCALARS.items()
        ),
    )
