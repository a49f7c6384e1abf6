"""Peak of memory while products are made of 2,000 FPI distributions that are in memory.

The resident set (VmHWM) above what the process had before each call, after a first call on a few
records has compiled everything. Run by itself: memory that was freed before would hide it.

    python -m benchmarks.product_memory
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import xarray as xr

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from granule_memory import resident  # noqa: E402
from kernels import burst, magnetic_field  # noqa: E402

from sciqlop_pipe.recipes.fused import fused  # noqa: E402
from sciqlop_pipe.recipes.moment_errors import moment_errors  # noqa: E402
from sciqlop_pipe.recipes.moments import moments  # noqa: E402
from sciqlop_pipe.recipes.pitch import pitch_angle_distribution  # noqa: E402
from sciqlop_pipe.recipes.spectra import energy_spectrum  # noqa: E402

Products = Callable[[xr.Dataset, xr.Dataset], tuple[xr.Dataset | None, ...]]

CASES: dict[str, Products] = {
    "moments": lambda ds, b: (moments(ds),),
    "energy spectrum": lambda ds, b: (energy_spectrum(ds),),
    "pitch angles": lambda ds, b: (pitch_angle_distribution(ds, b),),
    "errors of moments": lambda ds, b: (moment_errors(ds),),
    "all of them, fused": lambda ds, b: (*fused(ds, b), moment_errors(ds)),
}


def with_errors(records: int) -> xr.Dataset:
    """Distributions with errors, every page of them in memory."""
    ds = burst(records)
    return ds.assign(f_error=0.2 * ds["f"])


def main() -> None:
    """Print the peak of each case."""
    few, ds = with_errors(8), with_errors(2000)
    b = magnetic_field(ds)
    own = (ds["f"].nbytes + ds["f_error"].nbytes) / 2**20
    for products in CASES.values():
        products(few, magnetic_field(few))
    for name, products in CASES.items():
        rest = resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        made = products(ds, b)
        above = resident("VmHWM") - rest
        results = sum(product.nbytes for product in made if product is not None) / 2**20
        print(
            f"{name:22s} f and its errors {own:.0f} MB, peak above them {above:.0f} MB "
            f"({100 * above / own:.0f} %), results {results:.0f} MB"
        )


if __name__ == "__main__":
    main()
