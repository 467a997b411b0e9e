"""Asks the endpoint real questions after a release, and wants the answers that the package gave for the gate."""
