"""Metrics in ministack's CloudWatch: put there by the services of this cloud, and added up again.

A laptop keeps less than AWS: what one metric got within ten seconds is one point per value, and values are kept to two
digits. Counts stay exact.
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch

_SLOT_SECONDS = 10
_DIGITS = 2
_EVICT_SECONDS = 3600.0

_lock = threading.Lock()
# The points of the current slot by (account, region, metric): {value: point}. The points themselves lie in ministack.
_open: dict[tuple[str, str, tuple], dict[float, dict[str, Any]]] = {}
_slot = 0
_evicted = 0.0


@dataclass(frozen=True, kw_only=True)
class MetricQuery:
    """One metric and what is asked of it."""

    namespace: str
    name: str
    stat: str
    """``Sum``, ``Average``, ``Minimum``, ``Maximum``, ``SampleCount`` or a percentile such as ``p99``."""
    dimensions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, metric: Mapping[str, Any], stat: str) -> MetricQuery:
        """From a ``Metric`` of the API or of a template."""
        dimensions = {entry["Name"]: entry["Value"] for entry in metric.get("Dimensions") or []}
        return cls(namespace=metric["Namespace"], name=metric["MetricName"], stat=stat, dimensions=dimensions)


def install() -> None:
    """Keep ministack from dropping old points while a point is being added."""
    evict = cloudwatch._evict_old_metrics

    def _evict_old_metrics() -> None:
        global _evicted
        if time.monotonic() - _evicted > _EVICT_SECONDS:
            with _lock:
                evict()
            _evicted = time.monotonic()

    cloudwatch._evict_old_metrics = _evict_old_metrics


def record(namespace: str, values: Mapping[str, float], *, unit: str = "Count", dimensions: Mapping[str, str]) -> None:
    """Add one value to each of some metrics, now, in the account and region of the request."""
    global _slot
    with _lock:
        slot = int(time.time() // _SLOT_SECONDS) * _SLOT_SECONDS
        if slot != _slot:
            _open.clear()
            _slot = slot
        for name, value in values.items():
            _add((namespace, name, cloudwatch._dims_key(dict(dimensions))), value, unit, dimensions)


def _add(key: tuple, value: float, unit: str, dimensions: Mapping[str, str]) -> None:
    points = _open.setdefault((get_account_id(), get_region(), key), {})
    rounded = value if float(value).is_integer() and unit == "Count" else _rounded(value)
    if rounded in points:
        points[rounded]["Count"] += 1.0
        return
    point = {"Timestamp": float(_slot), "Value": rounded, "Count": 1.0, "Unit": unit, "Dimensions": dict(dimensions)}
    points[rounded] = point
    cloudwatch._metric_bucket(key).append(point)


def series(query: MetricQuery, *, start: float, end: float, period: int) -> dict[int, float]:
    """The statistic of each period from `start` on that has data: number of the period → value."""
    key = (query.namespace, query.name, cloudwatch._dims_key(dict(query.dimensions)))
    with _lock:
        points = [point for point in cloudwatch._metrics.get(key) or [] if start <= point["Timestamp"] < end]
    by_period: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for point in points:
        by_period[int((point["Timestamp"] - start) // period)].append(point)
    found: dict[int, float] = {}
    for number in sorted(by_period):
        inside = by_period[number]
        value = cloudwatch._stat_value(cloudwatch._calc_stats(inside), query.stat, inside)
        if value is not None:
            found[number] = value
    return found


def _rounded(value: float) -> float:
    if not value or not math.isfinite(value):
        return 0.0
    return round(value, _DIGITS - 1 - math.floor(math.log10(abs(value))))
