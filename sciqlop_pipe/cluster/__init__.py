"""Where tasks run: a Dask cluster by profile. No engine of our own."""

from __future__ import annotations

from .opening import open_cluster
from .profile import PRIORITIES, Profile, read_profile

__all__ = ["PRIORITIES", "Profile", "open_cluster", "read_profile"]
