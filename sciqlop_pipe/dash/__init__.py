"""Dashboards: what a store holds, seen and judged in a browser."""
