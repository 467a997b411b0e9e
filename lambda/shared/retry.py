"""Repeats a call that failed and may succeed, within a fixed time."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Repeats with exponential backoff and jitter, so that callers who failed together do not return together."""

    first_wait: float = 0.3
    """Longest wait before the second attempt, in seconds."""
    longest_wait: float = 4.0
    """Longest wait between two attempts, in seconds."""
    shortest_attempt: float = 3.0
    """Another attempt is made only if at least this many seconds remain."""
    max_attempts: int = 12
    clock: Callable[[], float] = field(default=time.monotonic)
    sleep: Callable[[float], None] = field(default=time.sleep)
    jitter: Callable[[float, float], float] = field(default=random.uniform)

    def call(self, attempt: Callable[[float], T], *, budget: float) -> tuple[T, int]:
        """Call `attempt(seconds left)` until it succeeds, and return its result and the number of attempts.

        Raise the last error when its attribute `retryable` is missing or false, or when `budget` (in seconds, waits
        included) is used up, or the error's own `patience`, which may be less.
        """
        started = self.clock()
        for number in range(1, self.max_attempts + 1):
            try:
                return attempt(started + budget - self.clock()), number
            except Exception as error:
                if not getattr(error, "retryable", False) or number == self.max_attempts:
                    raise
                longest = min(self.longest_wait, self.first_wait * 2 ** (number - 1))
                # At least half of the longest wait: repeating at once would only add to the load.
                wait = self.jitter(longest / 2, longest)
                left = started + min(budget, getattr(error, "patience", budget)) - self.clock()
                if left - wait < self.shortest_attempt:
                    raise
                self.sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")
