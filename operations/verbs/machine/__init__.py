"""This machine: what it has, and the local cloud on it."""
