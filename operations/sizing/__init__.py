"""The measurements and the arithmetic behind `size-endpoint`."""
