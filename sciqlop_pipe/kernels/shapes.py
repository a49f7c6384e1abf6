"""Shape of omnidirectional spectra, and how much a series fluctuates around a time."""

from __future__ import annotations

import numpy as np
from numba import njit

SHAPE = 6
"""Numbers of a spectrum: see `spectrum_shapes`."""


@njit(nogil=True, cache=True)
def spectrum_shapes(flux, log_energy, per_speed, log_width):
    """Density, mean energy and shape of isotropic spectra, one table of energies for all.

    n = sum 4 pi J/v dlnE, with J the differential energy flux: the density of what came from all
    directions. With the shares w of the bins in n and q in the energy flux:

    Parameters
    ----------
    flux : ndarray (record, energy)
        Differential energy flux [eV cm^-2 s^-1 sr^-1 eV^-1]; what is not finite or negative is no
        measurement and left out.
    log_energy : ndarray float64 (energy)
        log10 of the energy [eV].
    per_speed : ndarray float64 (energy)
        4 pi dlnE / v [s cm^-1].
    log_width : ndarray float64 (energy)
        ln of dlnE.

    Returns
    -------
    shape : ndarray float64 (record, 6)
        log10 n [cm^-3]; log10 <E> [eV], mean over particles; mean of log10 E over the energy flux,
        and its standard deviation; entropy -sum w ln(w / dlnE); log10 of the share of n above
        3 <E>, at least 1e-4. NaN where nothing was measured.
    """
    records, energies = flux.shape
    shape = np.full((records, SHAPE), np.nan)
    energy = 10.0**log_energy
    for i in range(records):
        n = total = heat = first = second = entropy = 0.0
        for k in range(energies):
            j = float(flux[i, k])
            if not (j > 0.0 and j < np.inf):
                continue
            part = j * per_speed[k]
            n += part
            heat += part * energy[k]
            entropy += part * (np.log(part) - log_width[k])
            total += j
            first += j * log_energy[k]
        if not n > 0.0:
            continue
        centre, mean = first / total, heat / n
        high = 0.0
        for k in range(energies):
            j = float(flux[i, k])
            if not (j > 0.0 and j < np.inf):
                continue
            second += j * (log_energy[k] - centre) ** 2
            if energy[k] > 3.0 * mean:
                high += j * per_speed[k]
        shape[i, 0] = np.log10(n)
        shape[i, 1] = np.log10(mean)
        shape[i, 2] = centre
        shape[i, 3] = np.sqrt(second / total)
        shape[i, 4] = np.log(n) - entropy / n
        shape[i, 5] = np.log10(high / n + 1e-4)
    return shape


@njit(nogil=True, cache=True)
def fluctuations(x, time, first, stop, apart, least):
    """Spread and roughness of series within ranges of records, each by itself.

    Parameters
    ----------
    x : ndarray float64 (record, column)
        NaN where nothing is known.
    time : ndarray int64 (record)
        [ns].
    first, stop : ndarray int64 (range)
        Records [first, stop) of each range.
    apart : int
        Records farther apart are no neighbours [ns].
    least : int
        Fewer known records make no number.

    Returns
    -------
    spread : ndarray float64 (range, column)
        Standard deviation, in the units of x.
    roughness : ndarray float64 (range, column)
        Root mean square of the differences of neighbours.
    """
    ranges, columns = first.size, x.shape[1]
    spread = np.full((ranges, columns), np.nan)
    roughness = np.full((ranges, columns), np.nan)
    for r in range(ranges):
        for c in range(columns):
            count = pairs = 0
            total = square = rough = 0.0
            base = np.nan
            before = -1
            for i in range(first[r], stop[r]):
                value = x[i, c]
                if np.isnan(value):
                    continue
                if np.isnan(base):
                    base = value  # keeps the sum of squares from cancelling
                count += 1
                total += value - base
                square += (value - base) ** 2
                if before >= 0 and time[i] - time[before] <= apart:
                    pairs += 1
                    rough += (value - x[before, c]) ** 2
                before = i
            if count >= least:
                spread[r, c] = np.sqrt(max(square / count - (total / count) ** 2, 0.0))
            if pairs + 1 >= least:
                roughness[r, c] = np.sqrt(rough / pairs)
    return spread, roughness
