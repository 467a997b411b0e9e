"""Which memory and concurrency a serverless endpoint needs, and what a million requests cost; arithmetic only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

SIZES_MB = (1024, 2048, 3072, 4096, 5120, 6144)
"""What SageMaker offers."""

PRICE_PER_GB_SECOND = 0.00002
"""US dollars, us-east-1, on-demand. AWS's price list has 0.00006 a second for 3 GB (USE1-ServerlessInf:Mem-3GB,
effective 2026-09-01) as quoted in a public repository; it was not read from AWS itself."""

MB_PER_VCPU = 1769
"""Memory with which AWS Lambda gives one vCPU (its documentation). SageMaker documents only that its serverless
endpoints get CPU in proportion to memory, so that this figure is an assumption for them."""

MEMORY_MARGIN = 1.5
"""A size must be this much more than the measured peak: the kernel's caches, a longer life, another machine."""

BURST = 2.0
"""Concurrency is planned for this many times the expected requests."""

MAX_CONCURRENCY = 200


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the server did on one core of this machine."""

    peak_mb: float
    """Highest memory of its processes, shared pages counted once."""
    mean_seconds: float
    """Mean time of a typical request."""
    busy_seconds: float
    """99th percentile of a list of 16 sentences, which concurrency is planned for."""
    slow_seconds: float
    """99th percentile of the largest request."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """One memory size, estimated from what was measured."""

    memory_mb: int
    vcpu: float
    """Share of a vCPU that a server with one computing thread can use, above 0 to 1."""
    mean_seconds: float
    busy_seconds: float
    slow_seconds: float
    million_dollars: float
    """A million typical requests, billed by the millisecond; without data transfer and cold starts."""
    fits: bool
    """Whether the measured peak and the margin fit into it."""


def estimate(measured: Measured, *, price: float = PRICE_PER_GB_SECOND) -> list[Size]:
    """Return every size, smallest first. `price`: US dollars for a gigabyte and second."""
    return [_estimate(memory, measured, price) for memory in SIZES_MB]


def recommend(sizes: Sequence[Size], requests_per_second: float) -> tuple[Size, int] | None:
    """Return the cheapest size that holds the peak, and the most requests it will get at once; None if none holds it.

    The number follows from Little's law: requests a second times the seconds that each takes.
    """
    fitting = [size for size in sizes if size.fits]
    if not fitting:
        return None
    size = min(fitting, key=lambda item: (item.million_dollars, item.memory_mb))
    at_once = math.ceil(requests_per_second * size.busy_seconds * BURST)
    return size, min(max(at_once, 1), MAX_CONCURRENCY)


def billed_seconds(mean_seconds: float, memory_mb: int) -> float:
    """Return what AWS bills, by the millisecond, for a request that takes this time on one core."""
    return math.ceil(mean_seconds / min(1.0, memory_mb / MB_PER_VCPU) * 1000) / 1000


def _estimate(memory_mb: int, measured: Measured, price: float) -> Size:
    vcpu = min(1.0, memory_mb / MB_PER_VCPU)
    mean = measured.mean_seconds / vcpu
    return Size(
        memory_mb=memory_mb,
        vcpu=vcpu,
        mean_seconds=mean,
        busy_seconds=measured.busy_seconds / vcpu,
        slow_seconds=measured.slow_seconds / vcpu,
        million_dollars=billed_seconds(measured.mean_seconds, memory_mb) * memory_mb / 1024 * price * 1_000_000,
        fits=measured.peak_mb * MEMORY_MARGIN <= memory_mb,
    )
