"""Constructs, one capability a file: typed keyword arguments in, resources out as attributes."""
