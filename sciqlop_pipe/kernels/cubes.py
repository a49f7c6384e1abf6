"""f on a Cartesian grid of velocity, conserving particles."""

from __future__ import annotations

import numpy as np
from numba import njit

from . import FASTMATH
from .rays import cosines_of_list
from .reduced import defined, full_shells


@njit(nogil=True, cache=True, fastmath=FASTMATH)
def add_cube(f, basis, drift, vectors, parts, solid_angle, shells, volume, energy, step, density):
    """Add the density per cell of a cube of velocity.

    Every bin of f is cut into pieces as in `reduced.add_planes`; each piece is a cloud of the size
    of a cell, shared out to the eight cells that it covers.

    Parameters
    ----------
    f, basis, drift, vectors, parts, solid_angle, shells, volume, energy, step
        As there.
    density : ndarray float32 (time, cell + 2, cell + 2, cell + 2)
        [cm^-3] of a grid centred on zero; the border is outside.
    """
    n, wide = shells.shape[2], density.shape[1]
    cosine = np.empty((3, *vectors.shape[2:]), np.float32)
    filled, amount = np.empty(n, np.int32), np.empty(n, np.float32)
    last, scale = np.float32(wide - 1.001), np.float32(1 / step)
    for t in range(f.shape[0]):
        if not defined(basis[t], drift[t]):
            continue
        u = vectors[t if vectors.shape[0] > 1 else 0]
        omega = solid_angle[t if solid_angle.shape[0] > 1 else 0]
        mine = shells[t if shells.shape[0] > 1 else 0]
        each = volume[t if volume.shape[0] > 1 else 0]
        middle = np.empty(3, np.float32)
        for i in range(3):
            cosines_of_list(u, basis[t, i], cosine[i])
            middle[i] = 0.5 * (wide - 1) - drift[t, i] / step
        cube = density[t].reshape(-1)
        d = 0
        for row in range(0, cosine.shape[1], parts):
            for column in range(0, cosine.shape[2], parts):
                count = full_shells(f[t, d], omega[d], each, energy, filled, amount)
                d += 1
                for ray in range(parts * parts if count else 0):
                    i, j = row + ray // parts, column + ray % parts
                    radius = mine[(ray + 4 * d) % (parts * parts)]
                    cx, cy, cz = cosine[0, i, j], cosine[1, i, j], cosine[2, i, j]
                    for s in range(count):
                        v = radius[filled[s]] * scale
                        x = min(max(v * cx + middle[0], np.float32(0)), last)
                        y = min(max(v * cy + middle[1], np.float32(0)), last)
                        z = min(max(v * cz + middle[2], np.float32(0)), last)
                        i0, i1, i2 = int(x), int(y), int(z)
                        x, y, z = x - i0, y - i1, z - i2
                        at = (i0 * wide + i1) * wide + i2
                        for a in range(2):
                            for b in range(2):
                                w = amount[s] * (x if a else 1 - x) * (y if b else 1 - y)
                                here = at + (a * wide + b) * wide
                                cube[here] += w * (1 - z)
                                cube[here + 1] += w * z
