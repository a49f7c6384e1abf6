"""From plasma state to labels, from labels to events: features, models, decoding, scoring.

Nothing here imports scikit-learn until a model is trained, written or read, so that missions can
declare detectors where it is not installed.
"""

from __future__ import annotations
