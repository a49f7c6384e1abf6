"""Parker Solar Probe SPAN-I: distributions made in the archive's layout, and a real moments file."""

from __future__ import annotations

import numpy as np
import pytest

from sciqlop_missions.psp import mission
from sciqlop_pipe.errors import SourceError
from sciqlop_pipe.recipes.moments import moments
from sciqlop_pipe.sources.cdf import open_cdf
from tests.missions.claims import read, real
from tests.sources.archive_cdfs import Writer, times

SPAN = "psp/psp_swp_spi_sf00_l3_mom_20200101_v04.cdf"
NAME = "psp_swp_spi_sf00_l2_8dx32ex8a_20201119_v04.cdf"
PHI = 174.375 - 11.25 * np.arange(8)
THETA = np.array([-51.8, -37.7, -22.3, -7.6, 7.5, 22.5, 37.4, 52.5])
ENERGY = np.geomspace(20000, 120, 32)


def grids():
    """Return azimuth, energy and elevation (8, 32, 8); elevations shrink at high energies."""
    phi, energy, theta = np.meshgrid(PHI, ENERGY, THETA, indexing="ij")
    return phi, energy, theta * np.where(energy > 4000, 0.8, 1.0)


def vdf_file(path, flux, *, energy=None):
    n = len(flux)
    phi, level, theta = grids()
    out = Writer().time("Epoch", times(n, "7s"))
    for name, values, units in (("EFLUX", flux, "eV/cm2-s-ster-eV"), ("PHI", phi, "Degrees"),
                                ("ENERGY", level if energy is None else energy, "eV"),
                                ("THETA", theta, "Degrees")):  # fmt: skip
        flat = np.broadcast_to(values, (n, 8, 32, 8)).reshape(n, -1).astype("f4")
        out.add(name, flat, DEPEND_0="Epoch", UNITS=units, FILLVAL=np.float32(np.nan))
    return out.save(path)


def beam(towards):
    """Return the energy flux (2, 8, 32, 8) of what flies within 20 deg of a direction."""
    phi, level, theta = grids()
    az, el = np.deg2rad([phi, theta])
    unit = np.stack([np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), np.sin(el)], axis=-1)
    near = unit @ (np.array(towards) / np.linalg.norm(towards)) > np.cos(np.deg2rad(20))
    return np.broadcast_to(np.where(near & (level > 500) & (level < 2000), 1e9, 0), (2, 8, 32, 8))


@pytest.mark.parametrize(
    "towards", [(-1, 0.35, 0), (-0.5, 1, 0.2), (-1, 0.6, 0.7), (-1, 0.6, -0.7)]
)
def test_a_beam_flies_where_the_angles_of_the_file_say(tmp_path, towards):
    """SPAN-I sees what flies towards -x and +y of its frame: nothing is turned over."""
    ds = read(mission, "psp.spi.sf00.vdf", vdf_file(tmp_path / NAME, beam(towards)))
    velocity = moments(ds)["velocity"].values[0]
    cosine = velocity @ towards / np.linalg.norm(velocity) / np.linalg.norm(towards)
    assert np.degrees(np.arccos(cosine)) < 8


def test_the_team_s_velocity_lies_where_the_team_s_angles_have_their_flux(shared_data):
    """The evidence for flow directions: angles of a real file against its own velocity."""
    with open_cdf(real(shared_data, SPAN)) as cdf:
        v = cdf.values("VEL_INST").astype(float)
        mean = {
            name: (cdf.values(f"EFLUX_VS_{name}") * cdf.values(f"{name}_VALS")).sum(axis=1)
            / cdf.values(f"EFLUX_VS_{name}").sum(axis=1)
            for name in ("PHI", "THETA")
        }
    azimuth = np.degrees(np.arctan2(v[:, 1], v[:, 0])) % 360
    elevation = np.degrees(np.arcsin(v[:, 2] / np.linalg.norm(v, axis=1)))
    assert np.abs(azimuth - mean["PHI"]).max() < 0.1
    assert np.abs(elevation - mean["THETA"]).max() < 0.2


def test_axes_are_put_in_order_and_elevations_stay_per_energy(tmp_path):
    ds = read(mission, "psp.spi.sf00.vdf", vdf_file(tmp_path / NAME, beam((-1, 0.35, 0))))
    assert ds["f"].shape == (2, 8, 8, 32)
    assert ds["phi"].dims == ("phi_bin",)
    assert ds["theta"].dims == ("theta_bin", "energy_bin")
    assert ds["energy"].dims == ("energy_bin",)
    np.testing.assert_allclose(ds["phi_width"], 11.25)
    assert float(moments(ds)["coverage"][0]) < 0.5


def test_f_is_that_of_protons(tmp_path):
    ds = read(mission, "psp.spi.sf00.vdf", vdf_file(tmp_path / NAME, np.full((1, 8, 32, 8), 1e9)))
    e, m = 1.602176634e-19, 1.67262192595e-27
    expected = 1e13 * m**2 / (2 * (ENERGY * e) ** 2)
    np.testing.assert_allclose(ds["f"].values[0, 3, 4], expected, rtol=1e-5)


def test_energies_that_change_from_record_to_record_stay_per_record(tmp_path):
    level = np.stack([grids()[1], 1.1 * grids()[1]])
    flux = np.full((2, 8, 32, 8), 1e9)
    ds = read(mission, "psp.spi.sf00.vdf", vdf_file(tmp_path / NAME, flux, energy=level))
    assert ds["energy"].dims == ("time", "energy_bin")
    ratio = ds["f"].values[0] / ds["f"].values[1]
    np.testing.assert_allclose(ratio, 1.21, rtol=1e-4)


def test_energies_that_differ_between_directions_are_refused(tmp_path):
    level = grids()[1] * np.linspace(1, 2, 8)
    with pytest.raises(SourceError, match="differ between directions"):
        read(mission, "psp.spi.sf00.vdf",
             vdf_file(tmp_path / NAME, np.ones((1, 8, 32, 8)), energy=level))  # fmt: skip


def test_the_field_in_the_instrument_s_frame_comes_with_the_moments(shared_data):
    ds = read(mission, "psp.spi.sf00.b_inst", real(shared_data, SPAN))
    assert ds["vector"].shape == (15, 3)
    assert ds["vector"].attrs["frame"] == "SPAN-I"
