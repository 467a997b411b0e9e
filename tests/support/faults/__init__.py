"""Everything that breaks in tests/e2e/test_faults.py, by what it is a part of, and what a caller may notice of it."""

from __future__ import annotations

from collections.abc import Callable

from trial import Fault, Trial

BY_ITSELF, NEXT_RELEASE, STARTED = "by itself", "by the next release", "by starting the local cloud"
UP, COLD = {200}, {200, 503}  # nothing is noticed; the model is on its way
# The local cloud, and with it the API, is gone; then every function has a cold start, which is slow on a busy machine.
RESTARTED = {0, 429, 500, 502, 504}


def fault(*sees: set[int], within: float = 5.0, mended: str = BY_ITSELF) -> Callable[[Callable[[Trial], None]], Fault]:
    """Make a fault of what breaks something; its docstring is its name in the table."""
    return lambda breaks: Fault(breaks, frozenset().union(*sees), within, mended)
