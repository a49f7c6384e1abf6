"""What follows from a field, from moments beside a field, from a position, from four spacecraft."""

from __future__ import annotations

from typing import Any

from ..model import Dataset, product
from ..recipes.coordinates import in_frame, position_in_frame
from ..recipes.curlometer import curlometer, field_gradient, magnetic_nulls
from ..recipes.de_hoffmann_teller import de_hoffmann_teller
from ..recipes.drifts import (
    convection_field,
    electric_field_in_plasma,
    energy_conversion,
    exb_drift,
    particle_current,
)
from ..recipes.formation import barycentre, tetrahedron_shape
from ..recipes.geomagnetic import MODEL
from ..recipes.mean_field import elsasser, in_mean_field
from ..recipes.minimum_variance import minimum_variance
from ..recipes.plasma_parameters import plasma_parameters
from ..recipes.shocks import shock_passages
from ..recipes.solar_connection import solar_connection
from ..recipes.timing import timing
from ..recipes.turbulence import alfvenicity, pvi, structure_functions
from ..recipes.upstream import magnetic_location, upstream_conditions

GEOCENTRIC = ("GSM", "SM", "GEO")
OF_POSITIONS = (*GEOCENTRIC, "MAG", "J2000", "HEEQ")


def field_products(
    b: str,
    *,
    frames: tuple[str, ...] = GEOCENTRIC,
    position: str = "",
    window: str = "30s",
    step: str = "10s",
    lag: str = "1s",
    average: str = "5min",
    scaling: tuple[str, str, str] = ("10min", "5min", "1s"),
    mean: str = "1min",
    geomagnetic_model: str = MODEL,
) -> tuple[Dataset, ...]:
    """Return the field in other frames and about its mean, its variance, PVI, structure functions.

    Parameters
    ----------
    b : str
        Name of the field, `mission.instrument.mode.b_gse`.
    frames : tuple of str
        Frames it is turned into: `...b_sm` and so on.
    position : str
        Where the spacecraft is; RTN needs it.
    window, step : str
        Of minimum variance.
    lag, average : str
        Of PVI: the average holds many of the eddies that make the field turbulent.
    scaling : tuple of str
        Of structure functions: length of windows, time between their centres, shortest lag. A
        quarter of the window holds the longest of eight lags, 128 times the shortest.
    mean : str
        Of the field that field-aligned coordinates follow.
    geomagnetic_model : str
        Table of the dipole that GSM and SM follow, see `recipes.geomagnetic`: the one that the
        mission's archive uses, where it has these frames too.
    """
    base, _, quantity = b.rpartition(".")
    letter = quantity.partition("_")[0]
    place: dict[str, Any] = {"geomagnetic_model": geomagnetic_model}
    if position:
        place["position"] = position
    return (
        *(product(f"{base}.{letter}_{f.lower()}", in_frame, vector=b, frame=f, **place)
          for f in frames),
        product(f"{base}.{letter}_fac", in_mean_field, vector=b, b=b, mean=mean),
        product(f"{base}.minimum_variance", minimum_variance, b=b, window=window, step=step),
        product(f"{base}.pvi", pvi, b=b, lag=lag, average=average),
        product(f"{base}.structure_functions", structure_functions, b=b,
                window=scaling[0], step=scaling[1], shortest=scaling[2]),
    )  # fmt: skip


def plasma_products(
    moments: str,
    *,
    b: str,
    electrons: str = "",
    e: str = "",
    accumulation: str = "150ms",
    reach: str = "2s",
    window: str = "30s",
    step: str = "10s",
    shocks: bool = True,
) -> tuple[Dataset, ...]:
    """Return what moments of ions and a field in their frame make together.

    Parameters
    ----------
    moments : str
        Name of the moments of ions.
    b : str
        Field in their frame.
    electrons : str
        Moments of electrons in the same frame, for pressure and current.
    e : str
        Electric field in the same frame, for E + V x B.
    accumulation, reach : str
        How long a record takes; how far apart records may be that are interpolated.
    window, step : str
        Of the de Hoffmann-Teller analysis.
    shocks : bool
        Whether the spacecraft meets any.
    """
    base = moments.rpartition(".")[0]
    both: dict[str, Any] = {"moments": moments, "b": b, "accumulation": accumulation,
                            "reach": reach}  # fmt: skip
    others: dict[str, Any] = {"electrons": electrons} if electrons else {}
    found = [
        product(f"{base}.plasma_parameters", plasma_parameters, **both, **others),
        product(f"{base}.convection_field", convection_field, **both),
        product(f"{base}.de_hoffmann_teller", de_hoffmann_teller, **both, window=window, step=step),
        product(f"{base}.alfvenicity", alfvenicity, **both),
        *(
            product(f"{base}.elsasser_{word}", elsasser, sign=sign, **both)
            for word, sign in (("plus", 1), ("minus", -1))
        ),
    ]
    if shocks:
        found.append(product(f"{base}.shock_passages", shock_passages, moments=moments, b=b))
    joining: dict[str, Any] = {"accumulation": accumulation, "reach": reach}
    if electrons:
        found.append(product(f"{base}.current", particle_current, ions=moments,
                             electrons=electrons, **joining))  # fmt: skip
    if e:
        found.append(product(f"{base}.electric_field_in_plasma", electric_field_in_plasma, e=e,
                             **both))  # fmt: skip
    return tuple(found)


def drift_products(e: str, *, b: str, accumulation: str = "10ms") -> tuple[Dataset, ...]:
    """Return the E x B drift of an electric field beside a magnetic field in its frame."""
    base = e.rpartition(".")[0]
    return (product(f"{base}.exb_drift", exb_drift, e=e, b=b, accumulation=accumulation),)


def position_products(
    position: str,
    *,
    frames: tuple[str, ...] = OF_POSITIONS,
    wind_b: str = "",
    wind: str = "",
    geomagnetic_model: str = MODEL,
) -> tuple[Dataset, ...]:
    """Return a position in other frames, L and local time, model boundaries, connection to the Sun.

    Parameters
    ----------
    position : str
        Name of a position centred on the Earth, `mission.instrument.mode.position_gse`.
    frames : tuple of str
        Frames it is turned into.
    wind_b, wind : str
        Field and plasma of the solar wind at the nose of the bow shock (OMNI); no boundaries and
        no connection to the Sun without.
    geomagnetic_model : str
        As of `field_products`.
    """
    base = position.rpartition(".")[0]
    at: dict[str, Any] = {"position": position, "geomagnetic_model": geomagnetic_model}
    found = [
        *(product(f"{base}.position_{f.lower()}", position_in_frame, frame=f, **at)
          for f in frames),
        product(f"{base}.magnetic_location", magnetic_location, **at),
    ]  # fmt: skip
    if wind_b and wind:
        wind_at = at | {"b": wind_b, "plasma": wind}
        found.append(product(f"{base}.upstream", upstream_conditions, **wind_at))
        found += heliospheric_products(base, position, plasma=wind, b=wind_b)
    return tuple(found)


def heliospheric_products(
    base: str, position: str, *, plasma: str = "", b: str = "", reach: str = "2h"
) -> tuple[Dataset, ...]:
    """Return the connection of a position to the Sun, `base.solar_connection`."""
    inputs: dict[str, Any] = {k: v for k, v in (("plasma", plasma), ("b", b)) if v}
    return (
        product(f"{base}.solar_connection", solar_connection, position=position, reach=reach,
                **inputs),
    )  # fmt: skip


def tetrahedron_products(
    base: str,
    fields: tuple[str, str, str, str],
    positions: tuple[str, str, str, str],
    *,
    e: str = "",
    accumulation: str = "150ms",
    reach: str = "100ms",
    position_reach: str = "5min",
    window: str = "20s",
    step: str = "10s",
    longest_delay: str = "4s",
) -> tuple[Dataset, ...]:
    """Return what four spacecraft make together: current, gradient, nulls, timing, shape.

    Parameters
    ----------
    base : str
        What names begin with: `mission.instrument.mode`.
    fields, positions : tuple of four str
        Fields, and positions in their frame, all of one source.
    e : str
        E' = E + V x B in the same frame, for J . E'.
    accumulation : str
        How long a record of E' takes, over which J is averaged.
    reach, position_reach : str
        How far apart records may be that are interpolated.
    window, step, longest_delay : str
        Of the timing.
    """
    b: dict[str, Any] = {f"b{k}": name for k, name in enumerate(fields, 1)}
    r: dict[str, Any] = {f"r{k}": name for k, name in enumerate(positions, 1)}
    near: dict[str, Any] = {"reach": reach, "position_reach": position_reach}
    found = [
        product(f"{base}.current", curlometer, **b, **r, **near),
        product(f"{base}.gradient", field_gradient, **b, **r, **near),
        product(f"{base}.nulls", magnetic_nulls, gradient=f"{base}.gradient"),
        product(f"{base}.timing", timing, **b, **r, **near, window=window, step=step,
                longest_delay=longest_delay),
        product(f"{base}.shape", tetrahedron_shape, **r, reach=position_reach),
        product(f"{base}.barycentre", barycentre, **r, reach=position_reach),
    ]  # fmt: skip
    if e:
        found.append(product(f"{base}.energy_conversion", energy_conversion,
                             current=f"{base}.current", e=e, accumulation=accumulation,
                             reach=reach))  # fmt: skip
    return tuple(found)
