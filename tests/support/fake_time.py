"""A clock for tests that wait."""

from __future__ import annotations


class FakeTime:
    """A clock that moves only when somebody sleeps or the test moves it."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def clock(self) -> float:
        """Seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Moves the clock."""
        self.slept.append(seconds)
        self.now += seconds
