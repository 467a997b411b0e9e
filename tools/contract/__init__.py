"""Puts the API's contract together, and renders it."""
