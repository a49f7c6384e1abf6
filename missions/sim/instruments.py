"""Datasets of the instruments that `--extras` adds, and what they make with the ordinary ones."""

from __future__ import annotations

from sciqlop_pipe.datatypes import Attitude, Moments, Position, VectorSeries
from sciqlop_pipe.model import Dataset, product, raw
from sciqlop_pipe.recipes.merged_field import merged_field
from sciqlop_pipe.recipes.rotations import rotate_vector
from sciqlop_pipe.sources.attitude import AttitudeAdapter
from sciqlop_pipe.sources.files import FileSource
from sciqlop_pipe.sources.series import MomentsAdapter, PositionAdapter, VectorAdapter
from sciqlop_pipe.sources.species import ELECTRON, PROTON
from sciqlop_pipe.standard import drift_products, tetrahedron_products, wave_products
from sciqlop_pipe.standard.angles import rotated_products

COMPANIONS = ("2", "3", "4")
WIND_B, WIND = "sim.wind.b", "sim.wind.plasma"
E_DBCS, E_GSE = "sim.edp.e_dbcs", "sim.edp.e_gse"
ELECTRONS = "sim.electron.moments"
_STAMP = "{start:%Y%m%d%H%M%S}_v{version}.cdf"


def datasets() -> tuple[Dataset, ...]:
    """Return solar wind, E, electrons, search coil, attitude, companions and their products."""
    fields = ("sim.fgm.b", "sim2.fgm.b", "sim3.fgm.b", "sim4.fgm.b")
    places = ("sim.mec.position", "sim2.mec.position", "sim3.mec.position", "sim4.mec.position")
    e_prime = "sim.ion.electric_field_in_plasma"
    return (
        raw(WIND_B, VectorSeries, _file("wind", _b("wind"), "1d"), granule="1d",
            description="magnetic field of the solar wind at the nose, GSE"),
        raw(WIND, Moments, _file("wind", MomentsAdapter(
            "sim_wind_n", "sim_wind_v_gse", PROTON, "GSE", temperature="sim_wind_t"), "1d"),
            granule="1d", description="protons of the solar wind at the nose"),
        *(raw(f"sim.edp.e_{f}", VectorSeries, _file("edp", VectorAdapter(
            f"sim_edp_e_{f}", "mV m^-1", f.upper(), "electric field")), granule="2h",
            description=f"electric field at 16 Hz, {f.upper()}") for f in ("gse", "dbcs")),
        raw(ELECTRONS, Moments, _file("ele", MomentsAdapter(
            "sim_ele_n", "sim_ele_v_dbcs", ELECTRON, "DBCS", temperature="sim_ele_t")),
            granule="2h", description="electrons: moments at 16 Hz"),
        raw("sim.scm.b", VectorSeries, _file("scm", _b("scm")), granule="30min",
            description="search coil at 128 Hz, GSE"),
        raw("sim.mec.dbcs_to_gse", Attitude, _file("att", AttitudeAdapter(
            "sim_att_dbcs_to_gse", "DBCS", "GSE"), "1d"), granule="1d",
            description="quaternions from DBCS to GSE"),
        *(raw(f"sim{k}.fgm.b", VectorSeries, _file(f"fgm{k}", _b(f"fgm{k}")), granule="2h",
              description="magnetic field of a companion at 16 Hz, GSE") for k in COMPANIONS),
        *(raw(f"sim{k}.mec.position", Position, _file("att", PositionAdapter(
            f"sim_sim{k}_r_gse", "GSE"), "1d"), granule="1d",
            description="position of a companion, GSE") for k in COMPANIONS),
        *rotated_products("sim.ion.vdf", attitude="sim.mec.dbcs_to_gse", reach="2min"),
        *drift_products("sim.edp.e_gse", b="sim.fgm.b", accumulation="60ms"),
        product(f"{e_prime}_gse", rotate_vector, vector=e_prime, attitude="sim.mec.dbcs_to_gse",
                reach="2min"),
        *wave_products("sim.scm", "sim.scm.b", b="sim.fgm.b", moments="sim.ion.moments",
                       samples=256, step="10s"),
        product("sim.scm.b_merged", merged_field, fluxgate="sim.fgm.b", search_coil="sim.scm.b",
                window="2s", reach="200ms"),
        *tetrahedron_products("sim.four", fields, places, e=f"{e_prime}_gse",
                              accumulation="4.5s", reach="200ms",
                              window="1min", step="20s", longest_delay="10s"),
    )  # fmt: skip


def _b(kind: str) -> VectorAdapter:
    return VectorAdapter(f"sim_{kind}_b_gse", "nT", "GSE", "magnetic field")


def _file(kind: str, adapter: object, span: str = "54min") -> FileSource:
    return FileSource(f"sim_{kind}_l2_{_STAMP}", adapter, span=span)  # type: ignore[arg-type]
