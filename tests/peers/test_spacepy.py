"""Agreement with spacepy on the same input.

pip install -c constraints.txt 'sciqlop-pipe[peers]'
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sciqlop_pipe.recipes.coordinates import in_frame

pytest.importorskip(
    "spacepy", reason="spacepy is absent: pip install -c constraints.txt 'sciqlop-pipe[peers]'"
)
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("frame", ["GSM", "SM", "GEO", "MAG"])
def test_frames_agree_within_two_hundredths_of_a_degree(year, frame):
    """0.02 deg: models of the Sun, the Earth and its rotation differ; not traced further."""
    from spacepy.coordinates import Coords
    from spacepy.time import Ticktock

    names = {"MAG": "CDMAG"}
    ours = in_frame(year, frame=frame)["vector"].values
    ticks = Ticktock(list(pd.DatetimeIndex(year["time"].values).to_pydatetime()), "UTC")
    given = Coords(year["vector"].values, "GSE", "car", ticks=ticks, use_irbem=False)
    found = given.convert(names.get(frame, frame), "car").data
    across = np.linalg.norm(np.cross(ours, found), axis=1)
    off = np.degrees(np.arctan2(across, (ours * found).sum(axis=1)))
    assert off.max() < 0.02
