"""Metrics in ministack's CloudWatch: recorded by the services of this cloud, and aggregated for alarms.

This store keeps less than AWS: equal values that a metric gets within ten seconds become one point, and times and
shares are rounded to two digits. Counts and values without a unit stay exact.
"""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch

from local.emulator.common.patching import Original, Record

_SLOT_SECONDS = 10
_EVICT_SECONDS = 3600.0

_lock = threading.Lock()


class _Slot:
    """The current slot of ten seconds."""

    start = 0
    points: dict[tuple[str, str, Any], dict[float, Record]] = {}  # {(account, region, metric): {value: point}}
    evicted = 0.0  # when old points were last dropped


def evict_old_metrics(original: Original) -> None:
    """Drop old points once an hour, and not while a point is being added."""
    if time.monotonic() - _Slot.evicted > _EVICT_SECONDS:
        with _lock:
            original()
        _Slot.evicted = time.monotonic()


def record(namespace: str, values: Mapping[str, float], *, unit: str = "Count", dimensions: Mapping[str, str]) -> None:
    """Add one value to each of some metrics, now, in the account and region of the request."""
    with _lock:
        start = int(time.time() // _SLOT_SECONDS) * _SLOT_SECONDS
        if start != _Slot.start:
            _Slot.points.clear()
            _Slot.start = start
        for name, value in values.items():
            _add((namespace, name, cloudwatch._dims_key(dict(dimensions))), value, unit, dimensions)


def _add(key: Any, value: float, unit: str, dimensions: Mapping[str, str]) -> None:
    points = _Slot.points.setdefault((get_account_id(), get_region(), key), {})
    exact = unit == "None" or (unit == "Count" and float(value).is_integer())
    rounded = value if exact else _rounded(value)
    if rounded in points:
        points[rounded]["Count"] += 1.0
        return
    point = {"Timestamp": float(_Slot.start), "Value": rounded, "Count": 1.0, "Unit": unit}
    points[rounded] = {**point, "Dimensions": dict(dimensions)}
    cloudwatch._metric_bucket(key).append(points[rounded])


def series(metric: Record, stat: str, *, start: float, end: float, period: int) -> dict[int, float]:
    """Return a statistic for each period from `start` on that has data, by the period's number.

    `metric`: as in the API or in a template. `stat`: `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount` or a
    percentile such as `p99`. `start`, `end` (exclusive): epoch seconds. `period`: seconds.
    """
    dimensions = {entry["Name"]: entry["Value"] for entry in metric.get("Dimensions") or []}
    key = (metric["Namespace"], metric["MetricName"], cloudwatch._dims_key(dimensions))
    by_period: dict[int, list[Record]] = defaultdict(list)
    with _lock:
        for point in cloudwatch._metrics.get(key) or []:
            if start <= point["Timestamp"] < end:
                by_period[int((point["Timestamp"] - start) // period)].append(point)
    found = {
        number: cloudwatch._stat_value(cloudwatch._calc_stats(inside), stat, inside)
        for number, inside in sorted(by_period.items())
    }
    return {number: value for number, value in found.items() if value is not None}


def _rounded(value: float) -> float:
    return float(f"{value:.1e}") if math.isfinite(value) else 0.0  # two significant digits
