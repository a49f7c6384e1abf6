"""The tests, as a package: a distribution (cdasws) installs one of the same name."""
