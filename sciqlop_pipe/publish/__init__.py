"""What leaves the store: pictures, files and services for others."""

from __future__ import annotations
