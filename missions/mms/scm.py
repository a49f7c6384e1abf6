"""MMS search-coil magnetometer (SCM): waveforms of the magnetic field."""

from __future__ import annotations

from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import VectorAdapter

# Kind: mode, what it is, stamp in the file name, longest file, granule.
KINDS = {
    "scsrvy": ("srvy", "32 Hz", "%Y%m%d", "1d", "1d"),
    "scb": ("brst", "8192 Hz", "%Y%m%d%H%M%S", "15min", "10min"),
    "schb": ("brst", "16384 Hz", "%Y%m%d%H%M%S", "15min", "10min"),
}


def field(probe: str, kind: str) -> VectorAdapter:
    """Return the adapter for the waveform of one kind ("scb"), in GSE."""
    return VectorAdapter(
        variable=f"mms{probe}_scm_acb_gse_{kind}_{KINDS[kind][0]}_l2",
        units="nT",
        frame="GSE",
        long_name="waveform of the magnetic field (GSE), above about 1 Hz",
    )


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of SCM on one spacecraft."""
    return tuple(
        raw(
            f"mms{probe}.scm.{kind}.b_gse",
            VectorSeries,
            FileSource(
                f"mms{probe}_scm_{mode}_l2_{kind}_{{start:{stamp}}}_v{{version}}.cdf",
                field(probe, kind),
                span=span,
                remote=on_cdaweb(f"MMS{probe}_SCM_{mode}_L2_{kind}".upper()),
            ),
            granule=granule,
            description=f"search coil, GSE, {rate}",
        )
        for kind, (mode, rate, stamp, span, granule) in KINDS.items()
    )
