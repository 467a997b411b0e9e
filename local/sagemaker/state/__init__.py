"""Stored state: records, tags, artifacts, and the queue of outgoing messages."""
