"""The population stability index (PSI) of two counted distributions, and what chance makes of it. No AWS in here.

PSI = sum over bins of (p - q) ln(p / q), with p the bin's share now and q its share in the reference. Where nothing has
changed, PSI / (1/n + 1/m) is about chi-squared with B - 1 degrees of freedom, for samples of n and m and B bins
(B. Yurdakul, "Statistical Properties of Population Stability Index", 2018), so that chance alone gives
(B - 1)(1/n + 1/m) on average.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MIN_SHARE = 0.05
"""Bins that are rarer in the reference are joined with their neighbours: a handful of texts decides nothing."""

_SMOOTHING = 0.5
"""Added to each count, so that an empty bin has a logarithm."""


@dataclass(frozen=True)
class Shift:
    """How far one distribution is from another.

    Attributes:
        index: the population stability index, 0 for equal distributions.
        by_chance: what it would be on average if nothing had changed.
        bins: how many bins were compared.
    """

    index: float
    by_chance: float
    bins: int

    @property
    def excess(self) -> float:
        """The part of the index that chance does not explain; what the thresholds of 0.1 and 0.2 are meant for."""
        return max(0.0, self.index - self.by_chance)


def compare(reference: Sequence[int], current: Sequence[int]) -> Shift:
    """Compare two counts over the same bins, of which both have at least one.

    Args:
        reference: counts of the baseline.
        current: counts of the traffic.
    """
    n, m, bins = sum(current), sum(reference), len(reference)
    index = 0.0
    for before, now in zip(reference, current, strict=True):
        q = (before + _SMOOTHING) / (m + _SMOOTHING * bins)
        p = (now + _SMOOTHING) / (n + _SMOOTHING * bins)
        index += (p - q) * math.log(p / q)
    return Shift(index, (bins - 1) * (1 / n + 1 / m), bins)


def join_rare(reference: Sequence[int], current: Sequence[int]) -> tuple[list[int], list[int]]:
    """Both counts with neighbouring bins joined until each holds `MIN_SHARE` of the reference."""
    smallest = MIN_SHARE * sum(reference)
    joined: list[tuple[int, int]] = []
    before = now = 0
    for one, other in zip(reference, current, strict=True):
        before, now = before + one, now + other
        if before >= smallest:
            joined.append((before, now))
            before = now = 0
    if before or now:  # what is left at the end is too rare to stand alone
        last = joined.pop() if joined else (0, 0)
        joined.append((last[0] + before, last[1] + now))
    return [one for one, _ in joined], [other for _, other in joined]
