"""The four spacecraft of Cluster as one instrument, and field products of each.

Fields and positions are both those of the FGM files of the Cluster Science Archive.
"""

from __future__ import annotations

from sciqlop_pipe.datatypes import Position
from sciqlop_pipe.model import Dataset, product, raw
from sciqlop_pipe.recipes.drifts import particle_current
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import PositionAdapter
from sciqlop_pipe.standard.fields import (
    drift_products,
    field_products,
    plasma_products,
    position_products,
    tetrahedron_products,
)

from .cis import HIA_PROBES
from .names import patterns

PROBES = ("1", "2", "3", "4")
# Mode: name in the archive, reach of the field, windows of the timing, lag of PVI.
_MODES = {
    "full": ("FGM_FULL", "300ms", {"window": "2min", "step": "1min", "longest_delay": "30s"}, "1s"),
    "5vps": ("FGM_5VPS", "500ms", {"window": "2min", "step": "1min", "longest_delay": "30s"}, "1s"),
    "spin": ("FGM_SPIN", "9s", {"window": "10min", "step": "2min", "longest_delay": "2min"}, "8s"),
}
_VARIANCE = {"full": ("1min", "30s"), "5vps": ("1min", "30s"), "spin": ("5min", "1min")}


def position(probe: str, mode: str) -> PositionAdapter:
    """Return the adapter for the position that comes with every record of the field."""
    return PositionAdapter(f"sc_pos_xyz_gse__C{probe}_CP_{_MODES[mode][0]}", "GSE")


def datasets() -> tuple[Dataset, ...]:
    """Return what follows from the fields of each spacecraft, and of all four together."""
    found: list[Dataset] = []
    for mode, (archive, reach, timing, lag) in _MODES.items():
        fields = tuple(f"cluster{p}.fgm.{mode}.b_gse" for p in PROBES)
        places = tuple(f"cluster{p}.fgm.{mode}.position_gse" for p in PROBES)
        window, step = _VARIANCE[mode]
        for probe, b, place in zip(PROBES, fields, places, strict=True):
            source = FileSource(patterns(probe, archive), position(probe, mode))
            found.append(raw(place, Position, source, granule="1d",
                             description="spacecraft position of FGM, GSE"))  # fmt: skip
            scaling = ("80min" if mode == "spin" else "20min", "10min", lag)
            found += field_products(b, window=window, step=step, lag=lag, scaling=scaling)
        found += tetrahedron_products(
            f"cluster.fgm.{mode}",
            fields,  # type: ignore[arg-type]
            places,  # type: ignore[arg-type]
            # Ions of HIA take a spin: J . E' of full and five vectors per second alike.
            e="cluster1.cis.hia.electric_field_in_plasma",
            accumulation="4s",
            reach=reach,
            position_reach="2min",
            **timing,
        )
    for probe in PROBES:
        found += position_products(
            f"cluster{probe}.ephemeris.position_gse",
            wind_b="omni.hro.1min.b_gse",
            wind="omni.hro.1min.plasma",
        )
    for probe in HIA_PROBES:
        found += plasma_products(
            f"cluster{probe}.cis.hia.moms",  # GSE, like both fields
            b=f"cluster{probe}.fgm.full.b_gse",
            e=f"cluster{probe}.efw.l2.e_gse",
            accumulation="4s",
            reach="9s",
            window="5min",
            step="1min",
        )
        found.append(product(f"cluster{probe}.cis.hia.current", particle_current,
                             ions=f"cluster{probe}.cis.hia.moms",
                             electrons=f"cluster{probe}.peace.moms",
                             accumulation="4s", reach="9s"))  # fmt: skip
    for probe in PROBES:
        found += drift_products(f"cluster{probe}.efw.l2.e_gse", b=f"cluster{probe}.fgm.full.b_gse",
                                accumulation="60ms")  # fmt: skip
    return tuple(found)
