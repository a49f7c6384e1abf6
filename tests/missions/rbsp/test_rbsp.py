"""Van Allen Probes: HOPE by pitch angle, on the real file."""

from __future__ import annotations

import numpy as np

from sciqlop_missions.rbsp import mission
from sciqlop_pipe.recipes.pitch_flux import omnidirectional_spectrum
from tests.missions.claims import check_contents, read, real

FILE = "rbsp/rbspa_rel04_ect-hope-PA-L3_20121201_v0.0.0.cdf"


def test_the_table_of_contents_holds():
    check_contents(mission)
    assert "rbspb.hope.electrons.energy_spectrum" in {d.name for d in mission.datasets}


def test_protons_by_pitch_angle_keep_their_numbers(shared_data):
    ds = read(mission, "rbspa.hope.protons.pad_flux", real(shared_data, FILE))
    assert ds["flux"].shape == (100, 11, 72)
    assert np.isnan(ds["flux"].values[:, [0, -1]]).all()  # fill, not -1e31
    assert float(ds["flux"].max()) == np.float32(8.78376e6)
    assert ds["pitch_angle"].values[0] == 4.5
    assert ds.attrs["species"] == "H+"


def test_the_omnidirectional_spectrum_is_that_of_the_team(shared_data):
    """FPDO and FEDO are in the file, per keV."""
    path = real(shared_data, FILE)
    for species, theirs in (("protons", "FPDO"), ("electrons", "FEDO")):
        flux = read(mission, f"rbspa.hope.{species}.pad_flux", path)
        ours = omnidirectional_spectrum.fn(flux)
        source = next(d.source for d in mission.datasets if d.source is not None)
        with source.open(path) as cdf:
            truth = cdf.values(theirs) * flux["energy"].values / 1e3
        seen = (truth > 0) & (ours["spectrum"].values > 0)
        ratio = ours["spectrum"].values[seen] / truth[seen]
        print(species, np.median(ratio), np.percentile(ratio, [5, 95]))
        assert 0.9 < np.median(ratio) < 1.1
