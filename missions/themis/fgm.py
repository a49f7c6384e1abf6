"""THEMIS fluxgate magnetometers (FGM): spin fits (3 s), 4 Hz and 128 Hz."""

from __future__ import annotations

from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import VectorAdapter
from sciqlop_pipe.sources.view import Seen

from .flags import CENTRED_UNIX, dated

MODES = {"fgs": "spin fits", "fgl": "4 Hz", "fgh": "128 Hz"}
FRAMES = ("gse", "gsm", "dsl")

_GRANULE = {"fgs": "1d", "fgl": "1d", "fgh": "2h"}


def field(probe: str, mode: str, frame: str) -> Seen:
    """Return the adapter for the magnetic field of one mode in one frame."""
    variable = f"th{probe}_{mode}_{frame}"
    adapter = VectorAdapter(
        variable=variable,
        units="nT",
        frame=frame.upper(),
        long_name=f"magnetic field ({frame.upper()})",
        time_tag=CENTRED_UNIX,
    )
    return Seen(adapter, restated=(dated(variable, f"th{probe}_{mode}_time"),))


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of FGM on one spacecraft."""
    pattern = f"th{probe}_l2_fgm_{{start:%Y%m%d}}_v{{version}}.cdf"
    return tuple(
        raw(
            f"themis{probe}.fgm.{mode}.b_{frame}",
            VectorSeries,
            FileSource(
                pattern, field(probe, mode, frame), remote=on_cdaweb(f"TH{probe}_L2_FGM".upper())
            ),
            granule=_GRANULE[mode],
            description=f"magnetic field, {frame.upper()}, {words}",
        )
        for mode, words in MODES.items()
        for frame in FRAMES
    )
