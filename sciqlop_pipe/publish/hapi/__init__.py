"""A store as a HAPI 3.3 server.

Source: HAPI Data Access Specification 3.3, https://github.com/hapi-server/data-specification.
"""

from __future__ import annotations

VERSION = "3.3"
