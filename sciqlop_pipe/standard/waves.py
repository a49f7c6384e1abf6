"""What follows from a waveform: spectra, polarization, Poynting flux."""

from __future__ import annotations

from typing import Any

from ..model import Dataset, product
from ..recipes.polarization import wave_polarization, wave_poynting_flux
from ..recipes.wave_spectra import power_spectrum, wavelet_spectrum


def wave_products(
    base: str,
    wave: str,
    *,
    b: str = "",
    e: str = "",
    moments: str = "",
    samples: int = 512,
    step: str = "1s",
    reach: str = "10s",
    octaves: tuple[float, float] | None = None,
) -> tuple[Dataset, ...]:
    """Return the products of one magnetic waveform; a mission calls this once per waveform.

    Parameters
    ----------
    base : str
        What their names begin with, `mission.instrument.mode`.
    wave : str
        The magnetic waveform, three components.
    b : str
        Background field in the frame of the wave; the wave itself where it is a fluxgate's.
    e : str
        Electric waveform in the frame of the wave; needs b.
    moments : str
        For the plasma frequencies; needs b.
    samples, step, reach :
        As in `power_spectrum`: samples of a frame, length of a record, longest frame.
    octaves : tuple of float
        Lowest and highest frequency of a wavelet spectrum [Hz]; none without.
    """
    cut: dict[str, Any] = {"samples": samples, "step": step, "reach": reach}
    field: dict[str, Any] = {"b": b} if b else {}
    around = field | ({"moments": moments} if b and moments else {})
    found = [
        product(f"{base}.wave_spectrum", power_spectrum, wave=wave, **around, **cut),
        product(f"{base}.wave_polarization", wave_polarization, wave=wave, **field, **cut),
    ]
    if octaves:
        low, high = octaves
        cone = around | {"f_min": low, "f_max": high, "step": step, "reach": f"{5 / low:.9g}s"}
        found.append(product(f"{base}.wavelet_spectrum", wavelet_spectrum, wave=wave, **cone))
    if e and b:
        found.append(product(f"{base}.e_wave_spectrum", power_spectrum, wave=e, **around, **cut))
        found.append(product(f"{base}.wave_poynting_flux", wave_poynting_flux, e=e, wave=wave,
                             **field, **cut))  # fmt: skip
    return tuple(found)
