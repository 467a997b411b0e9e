"""Texts that have to fit into a limit."""

from __future__ import annotations


def shortened(text: str, length: int = 1024) -> str:
    """Return `text` with its middle cut out if it is longer than `length` (by default that of a FailureReason)."""
    if len(text) <= length:
        return text
    head = length // 3
    return f"{text[:head]} … {text[-(length - head - 3) :]}"
