"""Models of the magnetopause and the bow shock, in kilometres from the Earth's centre."""

from __future__ import annotations

import numpy as np

from ..constants import EARTH_RADIUS


def shue_1998(bz: np.ndarray, pressure: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Distance of the magnetopause [km] at an angle from the line to the Sun.

        r = r_0 (2 / (1 + cos angle))^alpha
        r_0 = (10.22 + 1.29 tanh(0.184 (Bz + 8.14))) P^(-1/6.6) R_E
        alpha = (0.58 - 0.007 Bz) (1 + 0.024 ln P)

    Parameters
    ----------
    bz : ndarray
        B_z of the solar wind in GSM [nT].
    pressure : ndarray
        Dynamic pressure of the solar wind [nPa].
    angle : ndarray
        Angle between the radius vector and the aberrated line to the Sun [rad].

    References
    ----------
    Shue et al. (1998), J. Geophys. Res. 103, 17691, doi:10.1029/98JA01103: equations 1, 10, 11.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        p = np.where(pressure > 0, pressure, np.nan)
        standoff = (10.22 + 1.29 * np.tanh(0.184 * (bz + 8.14))) * p ** (-1 / 6.6)
        alpha = (0.58 - 0.007 * bz) * (1 + 0.024 * np.log(p))
        return EARTH_RADIUS * standoff * (2 / (1 + np.cos(angle))) ** alpha


def farris_russell_1994(
    standoff: np.ndarray, mach: np.ndarray, angle: np.ndarray, *, gamma: float = 5 / 3
) -> np.ndarray:
    """Distance of the bow shock [km] at an angle from the line to the Sun.

        R_bs = R_mp (1 + 1.1 ((gamma - 1) M^2 + 2) / ((gamma + 1) (M^2 - 1)))
        r = R_bs (1 + eps) / (1 + eps cos angle),  eps = 0.81

    The conic is that of Farris et al. (1991), with its focus in the Earth.

    Parameters
    ----------
    standoff : ndarray
        Distance of the magnetopause's nose [km].
    mach : ndarray
        Fast Mach number of the solar wind; NaN comes back where it is not above 1.
    angle : ndarray
        Angle between the radius vector and the aberrated line to the Sun [rad]; NaN comes back
        beyond the open end of the conic.
    gamma : float
        Ratio of specific heats.

    References
    ----------
    Farris and Russell (1994), J. Geophys. Res. 99, 17681, doi:10.1029/94JA01020; Farris et al.
    (1991), Geophys. Res. Lett. 18, 1821, doi:10.1029/91GL02090.
    """
    eccentricity = 0.81
    with np.errstate(invalid="ignore", divide="ignore"):
        m2 = np.where(mach > 1, mach, np.nan) ** 2
        nose = standoff * (1 + 1.1 * ((gamma - 1) * m2 + 2) / ((gamma + 1) * (m2 - 1)))
        below = 1 + eccentricity * np.cos(angle)
        return nose * (1 + eccentricity) / np.where(below > 0, below, np.nan)
