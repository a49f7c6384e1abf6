"""How many samples a second the shipped region model labels, features included, on one core.

::

    python -m benchmarks.detection

Synthetic spectra of 32 energies with n, T and |B| at 4.5 s; time is that of the process, so that
other work on the machine counts little.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from sciqlop_pipe.detect import drift, spectral
from sciqlop_pipe.detect.learning.windows import ENERGIES
from sciqlop_pipe.detect.models import load_model
from sciqlop_pipe.detect.promoted import shipped


def main() -> None:
    """Print samples per second of processor time: labels, and labels with their distance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=200_000)
    size = parser.parse_args().samples
    rng = np.random.default_rng(0)
    clock = np.arange(size, dtype=np.int64) * 4_500_000_000
    flux = np.exp(rng.normal(12, 2, (size, 32))).astype(np.float32)
    n, t, b = (np.exp(rng.normal(m, 0.5, size)) for m in (1.5, 6.0, 2.5))
    spectra = spectral.Spectra(flux, ENERGIES, t, b)
    around = spectral.Around(clock, n, t, b)
    model = load_model(shipped()["plasma_regions"])
    columns = [spectral.NAMES.index(f) for f in model.features]

    def labels() -> np.ndarray:
        matrix = spectral.matrix(spectra, clock, around)[:, columns]
        model.probability(matrix)
        return matrix

    drift.distance(model, labels()[:9])  # compiles
    began = time.process_time()
    matrix = labels()
    seconds = time.process_time() - began
    began = time.process_time()
    drift.distance(model, matrix)
    both = seconds + time.process_time() - began
    year = 365.25 * 86400 / 4.5
    print(f"labels with features: {size / seconds:,.0f} samples/s")
    print(f"and their distance from the training set: {size / both:,.0f} samples/s")
    print(f"a year of 4.5 s data: {year * both / size:.0f} s")


if __name__ == "__main__":
    main()
