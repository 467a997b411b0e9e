"""The state of an alarm, after the rules of CloudWatch's documentation. Pure functions on datapoints."""

from __future__ import annotations

import operator
from collections.abc import Sequence

_BREACHES = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_WHEN_ALL_ARE_MISSING = {"breaching": "ALARM", "notBreaching": "OK", "missing": "INSUFFICIENT_DATA", "ignore": None}


def state(
    datapoints: Sequence[float | None], *, comparison: str, threshold: float, to_alarm: int, missing: str
) -> str | None:
    """Return the alarm's new state, or None where it stays as it is.

    Args:
        datapoints: One for each evaluated period; None where it has no data.
        comparison: CloudWatch's ComparisonOperator.
        threshold: What datapoints are compared with.
        to_alarm: How many datapoints have to breach the threshold.
        missing: CloudWatch's TreatMissingData.
    """
    if all(value is None for value in datapoints):
        return _WHEN_ALL_ARE_MISSING[missing]
    breaches = _BREACHES[comparison]
    breaching = sum(missing == "breaching" if value is None else breaches(value, threshold) for value in datapoints)
    return "ALARM" if breaching >= to_alarm else "OK"
