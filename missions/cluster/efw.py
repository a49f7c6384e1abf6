"""Cluster Electric Field and Waves (EFW): electric field, and both fields in internal bursts."""

from __future__ import annotations

from sciqlop_pipe.datatypes import VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.conventions import Quality
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import VectorAdapter
from sciqlop_pipe.sources.view import Seen, Words

from .names import patterns
from .spinplane import SpinPlane

FLAGS = Flags(
    "EFW bitmask",
    (
        Flag(0, "reset", "reset"),
        Flag(1, "bad_bias", "bad bias"),
        Flag(2, "probe_latchup", "probe latchup"),
        Flag(3, "low_density_saturation", "low density saturation (-68 V)"),
        Flag(4, "sweep", "sweep (collection and dump)"),
        Flag(5, "burst_dump", "burst dump"),
        Flag(6, "non_standard", "non-standard operations"),
        Flag(7, "manual", "flagged by hand"),
        Flag(8, "single_probe_pair", "single probe pair"),
        Flag(9, "asymmetric", "asymmetric mode"),
        Flag(10, "solar_wind_wake_corrected", "solar wind wake correction applied"),
        Flag(11, "lobe_wake", "lobe wake"),
        Flag(12, "plasmaspheric_wake", "plasmaspheric wake"),
        Flag(13, "whisper", "WHISPER operating"),
        Flag(14, "bias_saturation", "saturation due to high bias current"),
        Flag(15, "bias_dac", "bias current DAC not responding correctly"),
    ),
    # The archive has put fill where it holds the data for lost; nothing more is taken away.
    masking=0,
    source="DATASET_DESCRIPTION of C2_CP_EFW_L2_EB, file of 2007-04-10",
)


def _seen(adapter: VectorAdapter, bits: str) -> Seen:
    # FILLVAL of the bitmask is 0, which is also "no flag": it is no fill.
    return Seen(
        adapter, restated=((bits, (("FILLVAL", None),)),), made=(Words("flags", bits=bits),)
    )


def field_3d(probe: str) -> Seen:
    """Return the adapter for E in GSE; its third direction assumes E . B = 0."""
    suffix = f"__C{probe}_CP_EFW_L2_E3D_GSE"
    adapter = VectorAdapter(
        variable=f"E_Vec_xyz_GSE{suffix}",
        units="mV m^-1",
        frame="GSE",
        long_name="electric field (GSE), from the spin plane with E . B = 0",
        quality=Quality("flags", FLAGS),
    )
    return _seen(adapter, f"E_bitmask{suffix}")


def burst(probe: str, quantity: str) -> Seen:
    """Return the adapter for one field ("e" or "b") of the internal bursts, in ISR2."""
    letter = quantity.upper()
    suffix = f"__C{probe}_CP_EFW_L2_{letter}B"
    variable = f"{letter}_Vec_{'xy' if quantity == 'e' else 'xyz'}_ISR2{suffix}"
    adapter = VectorAdapter(
        variable="spin_plane" if quantity == "e" else variable,
        units="mV m^-1" if quantity == "e" else "nT",
        frame="ISR2",
        long_name="electric field in the spin plane, internal burst (ISR2)"
        if quantity == "e"
        else "waveform of the search coil, internal burst (ISR2)",
        quality=Quality("flags", FLAGS),
    )
    seen = _seen(adapter, f"{letter}_bitmask{suffix}")
    if quantity == "b":
        return seen
    plane = SpinPlane("spin_plane", variable, "mV m^-1")
    return Seen(adapter, seen.restated, made=(*seen.made, plane))


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of EFW on one spacecraft."""
    base = f"cluster{probe}.efw"
    return (
        raw(f"{base}.l2.e_gse", VectorSeries,
            FileSource(patterns(probe, "EFW_L2_E3D_GSE"), field_3d(probe)), granule="1d",
            description="electric field, GSE, full resolution"),
        raw(f"{base}.burst.e_isr2", VectorSeries,
            FileSource(patterns(probe, "EFW_L2_EB"), burst(probe, "e")), granule="1d",
            description="electric field of internal bursts, x and y of ISR2"),
        raw(f"{base}.burst.b_isr2", VectorSeries,
            FileSource(patterns(probe, "EFW_L2_BB"), burst(probe, "b")), granule="1d",
            description="search coil of internal bursts, ISR2"),
    )  # fmt: skip
