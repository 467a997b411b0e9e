"""Stored resources, artifacts, and what is on its way to logs and events."""
