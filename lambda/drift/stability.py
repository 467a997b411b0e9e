"""The population stability index (PSI) of two counted distributions, and the part of it that chance explains.

PSI = sum over bins of (p - q) ln(p / q), with p the bin's share now and q its share in the reference. Where nothing has
changed, PSI / (1/n + 1/m) is about chi-squared with B - 1 degrees of freedom, for samples of n and m and B bins
(B. Yurdakul, "Statistical Properties of Population Stability Index", 2018), so chance alone gives
(B - 1)(1/n + 1/m) on average.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

MIN_SHARE = 0.05
"""Smallest share of the reference for a bin of its own; rarer bins are joined, so that a few texts decide nothing."""

_SMOOTHING = 0.5
"""Added to each count, so that an empty bin has a logarithm."""


@dataclass(frozen=True)
class Shift:
    """How far one distribution is from another: the PSI over so many bins, and its average if nothing had changed."""

    index: float
    by_chance: float
    bins: int

    @property
    def excess(self) -> float:
        """The part of the index that chance does not explain; the thresholds of 0.1 and 0.2 apply to it."""
        return max(0.0, self.index - self.by_chance)


def compare(reference: Sequence[int], current: Sequence[int]) -> Shift:
    """Compare the counts of baseline and traffic over the same bins; both hold at least one prediction."""
    n, m, bins = sum(current), sum(reference), len(reference)
    index = 0.0
    for before, now in zip(reference, current, strict=True):
        q = (before + _SMOOTHING) / (m + _SMOOTHING * bins)
        p = (now + _SMOOTHING) / (n + _SMOOTHING * bins)
        index += (p - q) * math.log(p / q)
    return Shift(index, (bins - 1) * (1 / n + 1 / m), bins)


def join_rare(reference: Sequence[int], current: Sequence[int]) -> tuple[list[int], list[int]]:
    """Join neighbouring bins of both counts until each holds `MIN_SHARE` of the reference."""
    smallest = MIN_SHARE * sum(reference)
    joined: list[tuple[int, int]] = []
    before = now = 0
    for one, other in zip(reference, current, strict=True):
        before, now = before + one, now + other
        if before >= smallest:
            joined.append((before, now))
            before = now = 0
    if before or now:  # the rest is too rare for a bin of its own
        last = joined.pop() if joined else (0, 0)
        joined.append((last[0] + before, last[1] + now))
    return [one for one, _ in joined], [other for _, other in joined]
