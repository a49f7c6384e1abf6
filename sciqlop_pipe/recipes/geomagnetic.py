"""The Earth's dipole in time: the first three coefficients of the reference field."""

from __future__ import annotations

import numpy as np

from ..errors import UsageError

MODEL = "IGRF-14"
"""Name of the table; a param of what depends on it, so that it enters fingerprints."""

# Year, then g10, g11, h11 [nT]: DGRF to 2020, IGRF 2025, then by the secular variation.
_IGRF_14 = np.array([
    (1900, -31543, -2298, 5922), (1905, -31464, -2298, 5909), (1910, -31354, -2297, 5898),
    (1915, -31212, -2306, 5875), (1920, -31060, -2317, 5845), (1925, -30926, -2318, 5817),
    (1930, -30805, -2316, 5808), (1935, -30715, -2306, 5812), (1940, -30654, -2292, 5821),
    (1945, -30594, -2285, 5810), (1950, -30554, -2250, 5815), (1955, -30500, -2215, 5820),
    (1960, -30421, -2169, 5791), (1965, -30334, -2119, 5776), (1970, -30220, -2068, 5737),
    (1975, -30100, -2013, 5675), (1980, -29992, -1956, 5604), (1985, -29873, -1905, 5500),
    (1990, -29775, -1848, 5406), (1995, -29692, -1784, 5306), (2000, -29619.4, -1728.2, 5186.1),
    (2005, -29554.63, -1669.05, 5077.99), (2010, -29496.57, -1586.42, 4944.26),
    (2015, -29441.46, -1501.77, 4795.99), (2020, -29403.41, -1451.37, 4653.35),
    (2025, -29350.0, -1410.3, 4545.5), (2030, -29287.0, -1360.3, 4438.0),
])  # fmt: skip
# Each generation with its own secular variation from its year on: what archives used that made
# their files in those years. An epoch stands twice where the next one corrected the forecast.
_FORECASTS = np.concatenate(
    [
        _IGRF_14[:24],
        [(2015, -29442.0, -1501.0, 4797.1), (2020, -29390.5, -1410.5, 4664.1)],  # IGRF-12
        [(2020, -29404.8, -1450.9, 4652.5), (2025, -29376.3, -1413.9, 4523.0)],  # IGRF-13
        _IGRF_14[-2:],
    ]
)

FORECASTS = "forecasts-to-IGRF-14"
"""Name of the table of those forecasts that were in force at each time since 2015."""

MODELS: dict[str, np.ndarray] = {MODEL: _IGRF_14, FORECASTS: _FORECASTS}
"""Tables (epoch, 4) of the dipole by the name of the reference field."""


def dipole_axis(time: np.ndarray, model: str = MODEL) -> np.ndarray:
    """Unit vectors towards the northern pole of the dipole in GEO, (time, 3).

    Linear between the epochs of the table and, within a year, in time; after the last one
    by the secular variation, which is meant for five years and carried on beyond them.

    Parameters
    ----------
    time : ndarray int64 (time)
        [ns] since 1970 UTC.
    model : str
        "IGRF-14", or "forecasts-to-IGRF-14" to meet files that were made in their own years:
        IGRF-12 from 2015, IGRF-13 from 2020, IGRF-14 from 2025, each with its secular variation,
        and the definitive field before.

    Raises
    ------
    UsageError
        When the reference field is not known.

    References
    ----------
    IAGA Division V-MOD (2024), International Geomagnetic Reference Field, 14th generation,
    doi:10.5281/zenodo.14012302; Thebault et al. (2015), 12th generation, Earth Planets Space 67,
    79, doi:10.1186/s40623-015-0228-9; Alken et al. (2021), 13th generation, Earth Planets Space 73,
    49, doi:10.1186/s40623-020-01288-x.
    """
    if model not in MODELS:
        raise UsageError(f"there is no reference field '{model}'", "geomagnetic_model",
                         f"There are: {', '.join(MODELS)}")  # fmt: skip
    years, *table = MODELS[model].T
    when = np.asarray(time, np.int64).astype("datetime64[ns]")
    year = when.astype("datetime64[Y]")
    first, following = (y.astype("datetime64[ns]") for y in (year, year + np.timedelta64(1, "Y")))
    at = 1970 + year.astype(int) + (when - first) / (following - first)
    slot = np.clip(np.searchsorted(years, at, side="right") - 1, 0, years.size - 2)
    part = (at - years[slot]) / (years[slot + 1] - years[slot])
    g10, g11, h11 = (g[slot] + part * (g[slot + 1] - g[slot]) for g in table)
    moment = np.stack([g11, h11, g10])
    return -(moment / np.sqrt((moment**2).sum(axis=0))).T
