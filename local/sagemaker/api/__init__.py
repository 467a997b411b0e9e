"""Requests and answers: validation, lists, events."""
