"""Bytes in, checked; then arrays: archives, downloads and CDF files."""
