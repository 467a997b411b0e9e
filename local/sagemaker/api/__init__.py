"""Requests and answers: validation, lists, events, and the calls that all resources share."""
