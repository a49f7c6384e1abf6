"""Prefect flows: parameters, plan, cluster, run, report. What they do is in `sciqlop_pipe`.

Prefect runs these files from a checkout or an image; they are not part of the installed package.
"""

from __future__ import annotations
