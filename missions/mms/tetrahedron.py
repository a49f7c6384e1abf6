"""The four spacecraft of MMS as one instrument: currents, gradients, nulls, timing, shape.

Fields and positions are both those of the FGM files: their GSE is turned by 0.007 deg against that
of MEC, 9 km at 72,000 km, which is more than the spacecraft are apart.
"""

from __future__ import annotations

from sciqlop_pipe.datatypes import Position
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import PositionAdapter
from sciqlop_pipe.standard.fields import tetrahedron_products

from .fgm import GRANULE, MODES

_STAMP = {"srvy": "{start:%Y%m%d}", "brst": "{start:%Y%m%d%H%M%S}"}
_SPAN = {"srvy": "1d", "brst": "17min"}


def position(probe: str, mode: str) -> PositionAdapter:
    """Return the adapter for the position that comes with the field, every 30 s."""
    return PositionAdapter(f"mms{probe}_fgm_r_gse_{mode}_l2", "GSE")


def datasets() -> tuple[Dataset, ...]:
    """Return the positions of the FGM files, and what four spacecraft make together."""
    found: list[Dataset] = []
    for mode in MODES:
        fields = tuple(f"mms{p}.fgm.{mode}.b_gse" for p in "1234")
        places = tuple(f"mms{p}.fgm.{mode}.position_gse" for p in "1234")
        for probe, name in zip("1234", places, strict=True):
            stem = f"mms{probe}_fgm_{mode}_l2_{_STAMP[mode]}"
            # A burst file's positions begin up to a minute before its field.
            source = FileSource((f"{stem}_v{{version}}.cdf", f"{stem}.cdf"), position(probe, mode),
                                span=_SPAN[mode], pad="3min")  # fmt: skip
            found.append(raw(name, Position, source, granule=GRANULE[mode],
                             description="spacecraft position of FGM, GSE"))  # fmt: skip
        found += tetrahedron_products(
            f"mms.fgm.{mode}",
            fields,  # type: ignore[arg-type]
            places,  # type: ignore[arg-type]
            e=f"mms1.fpi.dis.{'brst' if mode == 'brst' else 'fast'}.electric_field_in_plasma",
            accumulation="150ms" if mode == "brst" else "4.5s",
            reach="40ms" if mode == "brst" else "300ms",
            position_reach="2min",
        )
    return tuple(found)
