"""Endpoints and their servers."""
