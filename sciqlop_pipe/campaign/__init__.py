"""Campaigns: a plan, run on a cluster, staged, compared, published, rolled back."""

from __future__ import annotations

from .found import unfound
from .frozen import Frozen, read_frozen
from .reprocess import (
    begun_or_planned,
    launch,
    plan_campaign,
    publish_campaign,
    rollback_campaign,
    stop_campaign,
    unresolved,
)
from .run import list_needed, run_campaign
from .spec import Limits, Spec, read_campaign

__all__ = [
    "Frozen",
    "Limits",
    "Spec",
    "begun_or_planned",
    "launch",
    "list_needed",
    "plan_campaign",
    "publish_campaign",
    "read_campaign",
    "read_frozen",
    "rollback_campaign",
    "run_campaign",
    "stop_campaign",
    "unfound",
    "unresolved",
]
