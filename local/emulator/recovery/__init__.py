"""Interrupted stack operations are finished or undone."""
