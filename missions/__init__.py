"""The missions that come with SciQLOP Pipe, one folder each, imported as ``sciqlop_missions``.

A folder here is a mission like any other, found by its entry point in the group
``sciqlop_pipe.missions``; nothing in ``sciqlop_pipe`` knows its name.
"""

from __future__ import annotations
