"""Repeating a call that may succeed on the next try, within a fixed time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from predict.errors import PredictError

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """A result and how many attempts it took."""

    value: T
    attempts: int


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Exponential waits with jitter, so that callers who failed together do not come back together."""

    first_wait: float = 0.3
    """Seconds before the second attempt, at most."""
    longest_wait: float = 4.0
    """Seconds between two attempts, at most."""
    shortest_attempt: float = 3.0
    """Seconds that must be left for another attempt to be worth beginning."""
    max_attempts: int = 12
    clock: Callable[[], float] = field(default=time.monotonic)
    sleep: Callable[[float], None] = field(default=time.sleep)
    jitter: Callable[[float, float], float] = field(default=random.uniform)

    def call(self, attempt: Callable[[float], T], *, budget: float) -> Outcome[T]:
        """Run `attempt(seconds left)` until it succeeds; the last error when it may not or cannot be repeated.

        `budget`: seconds for everything, waits included.
        """
        deadline = self.clock() + budget
        for number in range(1, self.max_attempts + 1):
            try:
                return Outcome(attempt(deadline - self.clock()), number)
            except PredictError as error:
                if not error.retryable or number == self.max_attempts:
                    raise
                longest = min(self.longest_wait, self.first_wait * 2 ** (number - 1))
                # Half of the wait is certain: waiting for almost nothing would only add to the load.
                wait = self.jitter(longest / 2, longest)
                if deadline - self.clock() - wait < self.shortest_attempt:
                    raise
                self.sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")
