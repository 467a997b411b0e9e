"""Errors, the environment of the server process, and the guard of the version."""
