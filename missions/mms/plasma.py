"""Field products of MMS: frames, boundaries and plasma parameters of one spacecraft."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Moments
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.recipes.geomagnetic import FORECASTS
from sciqlop_pipe.sources.conventions import Deltas, Quality
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import MomentsAdapter
from sciqlop_pipe.sources.species import ELECTRON, PROTON
from sciqlop_pipe.standard.fields import (
    drift_products,
    field_products,
    plasma_products,
    position_products,
)

from .fpi_flags import MOMENTS_FLAGS

# FPI's mode, FGM's, how long ions take, granule, span of files.
_MODES = (("fast", "srvy", "4.5s", "2h", "121min"), ("brst", "brst", "150ms", "10min", "15min"))
# Structure functions: windows, time between them, shortest lag.
_SCALING = {"srvy": ("10min", "5min", "1s"), "brst": ("1min", "10s", "100ms")}
WIND_B, WIND = "omni.hro.1min.b_gse", "omni.hro.1min.plasma"


def moments_gse(probe: str, sensor: str, mode: str) -> MomentsAdapter:
    """Return the adapter for the archive's moments in GSE."""
    name = f"mms{probe}_{sensor}_{{}}_{mode}".format
    return MomentsAdapter(
        density=name("numberdensity"),
        velocity=name("bulkv_gse"),
        temperature_tensor=name("temptensor_gse"),
        pressure=name("prestensor_gse"),
        temperature_parallel=name("temppara"),
        temperature_perpendicular=name("tempperp"),
        species=PROTON if sensor == "dis" else ELECTRON,
        frame="GSE",
        time_tag=Deltas(),
        quality=Quality(name("errorflags"), MOMENTS_FLAGS),
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything that follows from the fields and moments of one spacecraft."""
    mms = f"mms{probe}"
    found: list[Dataset] = []
    for mode, survey, accumulation, granule, span in _MODES:
        b, e = f"{mms}.fgm.{survey}.b_gse", f"{mms}.edp.{mode}.e_gse"
        ions, electrons = (f"{mms}.fpi.{s}.{mode}.moms_gse" for s in ("dis", "des"))
        for sensor, name in (("dis", ions), ("des", electrons)):
            pattern = (f"{mms}_fpi_{mode}_l2_{sensor}-moms_"
                       "{start:%Y%m%d%H%M%S}_v{version}.cdf")  # fmt: skip
            found.append(
                raw(name, Moments, FileSource(pattern, moments_gse(probe, sensor, mode), span=span,
                        remote=on_cdaweb(f"{mms}_FPI_{mode}_L2_{sensor}-MOMS".upper())),
                    granule=granule, description="moments of the FPI team, GSE")
            )  # fmt: skip
        # FGM gives b_gsm itself; it and MEC turn by the forecast of the dipole of their year.
        found += field_products(b, frames=("SM", "GEO"), geomagnetic_model=FORECASTS,
                                scaling=_SCALING[survey])  # fmt: skip
        found += plasma_products(ions, b=b, electrons=electrons, e=e, accumulation=accumulation,
                                 reach="9s" if mode == "fast" else "1s")  # fmt: skip
        found += drift_products(e, b=b)
        found += position_products(f"{mms}.mec.{survey}.position_gse", wind_b=WIND_B, wind=WIND,
                                   geomagnetic_model=FORECASTS)  # fmt: skip
    return tuple(found)
