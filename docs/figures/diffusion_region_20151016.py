"""The encounter of MMS1 with an electron diffusion region, 2015-10-16 13:07 UT, from files to PNG.

    python docs/figures/diffusion_region_20151016.py ../shared/data/mms/burst_20151016

After the overview of Burch et al. 2016, Science 352, aaf2939, doi:10.1126/science.aaf2939: magnetic
field, ion spectrum, density, ion velocity and temperatures in the boundary coordinates of the
paper, which the minimum variance of the crossing at 13:05:43 is compared with. What the paper shows
of electrons (velocity, temperatures, current, electric field, distributions) needs DES and EDP
files, which are not at hand: those panels are left out, not filled with something else.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from sciqlop_pipe.campaign import run_campaign
from sciqlop_pipe.cluster import Profile, open_cluster
from sciqlop_pipe.datatypes import EnergySpectrum
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.recipes.minimum_variance import Variance, variance_of
from sciqlop_pipe.sources.archive import list_archives
from sciqlop_pipe.store import Store

PICTURE = Path(__file__).resolve().parent.parent / "images/diffusion_region_20151016.png"
WHOLE = Interval.of("2015-10-16T13:05:30", "2015-10-16T13:07:20")
CROSSING = slice("2015-10-16T13:05:40", "2015-10-16T13:06:09")
#: L, M, N of the paper, GSE.
LMN = np.array([[0.3665, -0.1201, 0.9226], [0.5694, -0.7553, -0.3245], [0.7358, 0.6443, -0.2084]])
FIELD, IONS, SPECTRUM = (
    "mms1.fgm.brst.b_gse", "mms1.fpi.dis.brst.moms_gse", "mms1.fpi.dis.brst.archive_spectrum",
)  # fmt: skip
WHOLE_CROSSING = (CROSSING.start, CROSSING.stop)
#: When the spacecraft was in the electron diffusion region, in the paper.
REGION = "2015-10-16T13:07:02"
COLOURS = ("#0072B2", "#009E73", "#D55E00")


def read(data: Path) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    """Return field, moments and spectrum of the ions, made from the archive's files."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(Path(folder) / "store", create=True) as store,
        open_cluster(Profile(workers=0)) as client,
    ):
        names = [FIELD, IONS, SPECTRUM]
        listing = list_archives([str(data)])
        report = run_campaign(store, Graph.discover(), names, [WHOLE], listing, lambda: client)
        if report.failures:
            raise SystemExit(f"{report.failures[0].granule}: {report.failures[0].error}")
        span = slice(*WHOLE.slice64)
        b, ions, spectrum = (store.read(name).load().sel(time=span) for name in names)
    return b, ions, spectrum


def angle(a: np.ndarray, b: np.ndarray) -> float:
    """Return the angle between two axes [deg], whatever their signs."""
    return float(np.degrees(np.arccos(min(1.0, abs(float(a @ b))))))


def draw(b: xr.Dataset, ions: xr.Dataset, spectrum: xr.Dataset, output: Path) -> Variance:
    """Draw the figure; return the minimum variance that is compared with the axes of the paper."""
    found = variance_of(b["vector"].sel(time=CROSSING).values)
    figure, axes = plt.subplots(
        5, 1, figsize=(8, 9), sharex=True, layout="constrained",
        gridspec_kw={"height_ratios": [1, 1.2, 0.8, 1, 0.8]},
    )  # fmt: skip
    field = b["vector"].values @ LMN.T
    for k, name in enumerate("LMN"):
        axes[0].plot(b["time"], field[:, k], COLOURS[k], lw=0.7, label=f"$B_{name}$")
    axes[0].plot(b["time"], np.linalg.norm(field, axis=1), "k", lw=0.7, label="|B|")
    axes[0].set_ylabel("B [nT]")
    flux = spectrum[EnergySpectrum.main]
    energy = spectrum["energy"]
    energy = energy.isel(time=0) if "time" in energy.dims else energy
    mesh = axes[1].pcolormesh(
        spectrum["time"], energy, np.where(flux > 0, flux, np.nan).T, norm="log", cmap="viridis",
        shading="nearest", rasterized=True,
    )  # fmt: skip
    axes[1].set(yscale="log", ylabel="ion energy [eV]")
    bar = figure.colorbar(mesh, ax=axes[1], pad=0.01, aspect=12)
    bar.set_label("DEF\n[eV / (cm$^2$ s sr eV)]", fontsize=8)
    axes[2].plot(ions["time"], ions["density"], "k", lw=1)
    axes[2].set(ylabel="$n_i$ [cm$^{-3}$]", yscale="log")
    velocity = ions["velocity"].values @ LMN.T
    for k, name in enumerate("LMN"):
        axes[3].plot(ions["time"], velocity[:, k], COLOURS[k], lw=1, label=f"$V_{name}$")
    axes[3].set_ylabel("ion V [km s$^{-1}$]")
    for name, label, colour in (
        ("temperature_parallel", "parallel", COLOURS[2]),
        ("temperature_perpendicular", "perpendicular", COLOURS[0]),
    ):
        axes[4].plot(ions["time"], ions[name], colour, lw=1, label=label)
    axes[4].set(ylabel="$T_i$ [eV]", xlabel="2015-10-16, UTC")
    for axis in axes:
        axis.axvspan(*np.array(WHOLE_CROSSING, "M8[ns]"), color="0.92", zorder=0)
        axis.axvline(np.datetime64(REGION), color="0.4", lw=0.8, ls="--")
        if axis.get_legend_handles_labels()[0]:
            axis.legend(
                loc="lower left" if axis is not axes[4] else "upper center",
                ncols=4,
                fontsize=8,
                frameon=False,
            )
    axes[0].set_title(
        "MMS1 at the magnetopause (L, M, N of Burch et al. 2016)\n"
        f"grey: minimum variance, N {angle(found.axes[2], LMN[2]):.1f}° and "
        f"L {angle(found.axes[0], LMN[0]):.1f}° from the paper; dashed: electron diffusion region",
        fontsize=10,
    )
    for axis in axes:
        axis.set_xlim(*WHOLE.slice64)
    figure.savefig(output, dpi=110)
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    made = draw(*read(Path(sys.argv[1])), PICTURE)
    print(f"{PICTURE}; lambda2/lambda3 {made.ratio:.2f}, N {made.axes[2].round(4)}")
