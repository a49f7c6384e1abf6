"""Compiled loops: numpy arrays in, numpy arrays out. Nothing here knows xarray, missions or files.

Arrays of f are (time, direction, energy) float32 with energy last; a (phi, theta) grid is the same
memory seen as a list of directions. Kernels are serial, release the GIL and are cached on disk, so
that threads and Dask workers run them side by side. One unit system holds inside: speeds in Mm/s
and f times 1e12, which keeps every product of a float32 sum far from its limits.
"""

from __future__ import annotations

import numpy as np

FASTMATH = {"reassoc", "contract", "nsz", "arcp"}
"""What vectorises sums. Without `nnan` and `ninf`: they would delete the tests for NaN.

`np.isfinite(x)` compiles to x - x == 0, which `reassoc` takes for true: kernels ask
`abs(x) <= LARGEST` instead.
"""

LARGEST = np.finfo(np.float32).max
"""abs(x) <= LARGEST is false for NaN and infinity."""

TINY = np.float32(1e-37)
"""f [s^3 m^-6] that counts as zero: far below one count of anything, above float32 denormals.

One denormal costs a processor as much as a hundred other numbers; models are full of them.
"""

# Numba's cache looks at the file of a function only: whoever changes a number here must clear it.
