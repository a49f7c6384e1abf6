"""MMS electric field double probes (EDP): the electric field and the spacecraft potential."""

from __future__ import annotations

from sciqlop_pipe.datatypes import ScalarSeries, VectorSeries
from sciqlop_pipe.model import Dataset, raw
from sciqlop_pipe.quality import Flag, Flags
from sciqlop_pipe.sources.conventions import Quality
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.remote import on_cdaweb
from sciqlop_pipe.sources.series import ScalarAdapter, VectorAdapter
from sciqlop_pipe.sources.view import MeanOf, Seen, Words

MODES = ("fast", "slow", "brst")
FRAMES = ("gse", "dsl")
GRANULE = {"fast": "1d", "slow": "1d", "brst": "10min"}

_SPAN = {"fast": "1d", "slow": "1d", "brst": "15min"}

FLAGS = Flags(
    "EDP bitmask and quality",
    (
        Flag(0, "signal_off", "signal off"),
        Flag(1, "bad_bias", "bias not nominal"),
        Flag(2, "probe_saturation", "probe saturated"),
        Flag(3, "low_density_saturation", "probe saturated in low density"),
        Flag(4, "sweep", "sweep"),
        Flag(5, "axial_shadow", "shadow on an axial probe"),
        Flag(6, "aspoc", "active potential control (ASPOC) running"),
        Flag(8, "asymmetric", "asymmetric configuration of probes"),
        Flag(9, "manoeuvre", "manoeuvre"),
        Flag(10, "wake_removed", "wake in the solar wind removed"),
        Flag(11, "eclipse", "eclipse"),
        Flag(16, "bad", "quality 0: bad data, not to be used"),
        Flag(17, "known_problems", "quality 1: known problems"),
        Flag(18, "caution", "quality 2: with caution"),
        Flag(19, "good", "quality 3: good"),
    ),
    masking=1 << 16,
    source="mms_constants.m and mms_sdp_bitmask2quality.m of the processing (irfu-matlab)",
)


def field(probe: str, mode: str, frame: str) -> Seen:
    """Return the adapter for the electric field in "gse" or "dsl"."""
    adapter = VectorAdapter(
        variable=f"mms{probe}_edp_dce_{frame}_{mode}_l2",
        units="mV m^-1",
        frame=frame.upper(),
        long_name=f"electric field ({frame.upper()})",
        quality=Quality("flags", FLAGS),
    )
    return Seen(adapter, made=(_words(probe, mode),))


def parallel(probe: str, mode: str) -> Seen:
    """Return the adapter for E along B; the file has its error in the first of two columns."""
    adapter = ScalarAdapter(
        "parallel", "mV m^-1", "electric field along the magnetic field",
        quality=Quality("flags", FLAGS),
    )  # fmt: skip
    both = f"mms{probe}_edp_dce_par_epar_{mode}_l2"
    return Seen(
        adapter, made=(_words(probe, mode), MeanOf("parallel", both, (1,), "mV m^-1"))
    )  # fmt: skip


def potential(probe: str, mode: str) -> Seen:
    """Return the adapter for the potential of the spacecraft against the plasma."""
    adapter = ScalarAdapter(
        f"mms{probe}_edp_scpot_{mode}_l2", "V", "spacecraft potential",
        quality=Quality("flags", FLAGS),
    )  # fmt: skip
    return Seen(adapter, made=(Words("flags", bits=f"mms{probe}_edp_bitmask_{mode}_l2"),))


def _words(probe: str, mode: str) -> Words:
    name = f"mms{probe}_edp_{{}}_{mode}_l2".format
    return Words("flags", bits=name("bitmask"), code=name("quality"), offset=16)


def datasets(probe: str) -> tuple[Dataset, ...]:
    """Return everything of EDP on one spacecraft."""
    return tuple(d for mode in MODES for d in _of_mode(probe, mode))


def _of_mode(probe: str, mode: str) -> tuple[Dataset, ...]:
    base, granule = f"mms{probe}.edp.{mode}", GRANULE[mode]

    def files(kind: str, adapter: Seen) -> FileSource:
        # Survey files have been named by day and by second.
        stamps = ("%Y%m%d%H%M%S",) if mode == "brst" else ("%Y%m%d", "%Y%m%d%H%M%S")
        patterns = tuple(
            f"mms{probe}_edp_{mode}_l2_{kind}_{{start:{stamp}}}_v{{version}}.cdf"
            for stamp in stamps
        )
        remote = on_cdaweb(f"MMS{probe}_EDP_{mode}_L2_{kind}".upper())
        return FileSource(patterns, adapter, span=_SPAN[mode], remote=remote)

    return (
        *(raw(f"{base}.e_{frame}", VectorSeries, files("dce", field(probe, mode, frame)),
              granule=granule, description=f"electric field, {frame.upper()}")
          for frame in FRAMES),
        raw(f"{base}.e_parallel", ScalarSeries, files("dce", parallel(probe, mode)),
            granule=granule, description="electric field along the magnetic field"),
        raw(f"{base}.sc_pot", ScalarSeries, files("scpot", potential(probe, mode)),
            granule=granule, description="spacecraft potential"),
    )  # fmt: skip
