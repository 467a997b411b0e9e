"""Errors, names and settings, and what the service needs from the cloud around it."""
