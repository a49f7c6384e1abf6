"""Labels: the probability of each region at each time, from the plasma state alone."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ..datatypes import Labels, PlasmaState
from ..model import recipe
from . import drift
from .features import informative
from .models import RegionModel


@recipe(gives=Labels, version=2)
def region_labels(state: PlasmaState, *, model: RegionModel) -> xr.Dataset:
    """Probability of magnetosphere, magnetosheath and solar wind, (time, label) [1].

    Each record is judged by itself; what its neighbours say is used when labels are decoded. A
    foreshock counts as solar wind, boundary layers as what they hold more of.

    `gap` is 1 where a record carries no information (dead or nearly countless); its probabilities
    are NaN. `distance` is how far a record is from what the model has seen: 5 % of its training set
    are farther than 1, each judged without its own group. The attribute `model` is the content hash
    of the model.

    Parameters
    ----------
    state : PlasmaState
        density, speed, temperature; core_temperature and magnetic_field where known, (time).
    model : RegionModel
        A trained model.
    """
    matrix = model.matrix(state)
    probability = model.probability(matrix).astype(np.float32)
    empty = ~informative(state)
    units = {"units": "1"}
    return xr.Dataset(
        {
            "probability": (("time", "label"), probability,
                            units | {"long_name": "probability of the region"}),
            "gap": (("time",), empty.astype(np.int8),
                    units | {"long_name": "record without information"}),
            "distance": (("time",), drift.distance(model, matrix).astype(np.float32),
                         units | {"long_name": "distance from the training set"}),
        },
        coords={"time": state["time"], "label": list(model.classes)},
        attrs={"model": model.content, "model_name": model.card.name},
    )  # fmt: skip
