"""Alarms on metric math and dimensions that treat missing data as configured and are evaluated as time passes.

ministack refuses an alarm on `Metrics`, evaluates every metric of a name whatever its dimensions, and only when
PutMetricData is called.
"""

import logging
import operator
import threading
import time
from collections.abc import Sequence
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from local.emulator.cloudwatch import metric_math, metric_store
from local.emulator.common.errors import ResourceFailedError
from local.emulator.common.patching import Original, Record
from local.emulator.state import persistence

logger = logging.getLogger("local.alarms")

_EVERY_SECONDS = 5.0
_BREACHES = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_WHEN_ALL_ARE_MISSING = {"breaching": "ALARM", "notBreaching": "OK", "missing": "INSUFFICIENT_DATA", "ignore": None}


def start() -> None:
    """Start the thread that evaluates all alarms every 5 seconds."""
    threading.Thread(target=_evaluate_forever, name="alarms", daemon=True).start()


def alarm_record(original: Original, name: str, props: Record) -> Any:
    """Accept `Metrics` in a template's alarm."""
    queries = props.get("Metrics")
    if not queries:
        return original(name, props)
    try:
        _datapoints(props, time.time())
    except (metric_math.UnsupportedExpressionError, KeyError, TypeError, ValueError) as error:
        raise ResourceFailedError(f"AWS::CloudWatch::Alarm {name}: {error}") from error
    record = original(name, {**props, "Metrics": None, "MetricName": "-", "Namespace": "-"})
    # Without ministack's defaults of an alarm on one metric.
    for member in ("MetricName", "Namespace", "Statistic", "Period", "Dimensions", "Unit"):
        record.pop(member, None)
    return {**record, "Metrics": queries}


def _evaluate_forever() -> None:
    while True:
        time.sleep(_EVERY_SECONDS)
        for (account, region, _), alarm in list(cloudwatch._alarms._data.items()):
            try:
                with request_scope(account, region):
                    cloudwatch._evaluate_alarm(alarm)
            except Exception:
                logger.exception("Alarm %s could not be evaluated.", alarm.get("AlarmName"))


def evaluate_alarm(original: Original, alarm: Record) -> None:
    """Set the state that the metrics call for now, and carry out the actions of a change."""
    datapoints = _datapoints(alarm, time.time())
    new = alarm_state(
        datapoints,
        comparison=alarm["ComparisonOperator"],
        threshold=float(alarm["Threshold"]),
        to_alarm=int(alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]),
        missing=alarm.get("TreatMissingData") or "missing",
    )
    old = alarm["StateValue"]
    if new is None or new == old:
        return
    shown = ", ".join("none" if value is None else f"{value:g}" for value in datapoints)
    reason = f"Datapoints [{shown}]; {alarm['ComparisonOperator']} {float(alarm['Threshold']):g} is an alarm."
    alarm |= {"StateValue": new, "StateReason": reason, "StateUpdatedTimestamp": int(time.time())}
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)
    persistence.note_change("cloudwatch")


def _datapoints(alarm: Record, now: float) -> list[float | None]:
    """Return the alarm's value in each evaluated period, oldest first; the last period ends now, not when it is full.

    Raises UnsupportedExpressionError, and KeyError, TypeError or ValueError for an alarm that violates the API.
    """
    periods = int(alarm["EvaluationPeriods"])
    stat = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    only = {"Id": "", "MetricStat": {"Metric": alarm, "Stat": stat, "Period": alarm.get("Period")}}
    queries = alarm.get("Metrics") or [only]
    measured = {query["Id"]: query["MetricStat"] for query in queries if "MetricStat" in query}
    first, *_ = measured.values()
    period = int(first["Period"])
    start, end = now - period * periods, now + 1
    series = {
        query_id: metric_store.series(metric["Metric"], metric["Stat"], start=start, end=end, period=period)
        for query_id, metric in measured.items()
    }
    (wanted,) = (query for query in queries if str(query.get("ReturnData", True)).lower() == "true")
    if "Expression" in wanted:
        found = metric_math.evaluate(wanted["Expression"], series, periods=periods)
    else:
        found = series[wanted["Id"]]
    return [found.get(number) for number in range(periods)]


def alarm_state(
    datapoints: Sequence[float | None], *, comparison: str, threshold: float, to_alarm: int, missing: str
) -> str | None:
    """Return an alarm's new state after the rules of CloudWatch's documentation, or None where it stays as it is.

    `datapoints` has one for each evaluated period, None where it has no data. `comparison`, `to_alarm` and `missing`
    are CloudWatch's ComparisonOperator, DatapointsToAlarm and TreatMissingData.
    """
    if all(value is None for value in datapoints):
        return _WHEN_ALL_ARE_MISSING[missing]
    breaches = _BREACHES[comparison]
    breaching = sum(missing == "breaching" if value is None else breaches(value, threshold) for value in datapoints)
    return "ALARM" if breaching >= to_alarm else "OK"
