"""Alarms that look at what they are told to look at: metric math, dimensions, missing data, and the passing of time.

ministack refuses an alarm on ``Metrics``, looks at every metric of a name whatever its dimensions, and only when
PutMetricData is called.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from local.emulator.cloudwatch import alarm_rules, metric_math, metric_store
from local.emulator.cloudwatch.metric_store import MetricQuery
from local.emulator.common.errors import ResourceFailed
from local.emulator.state import persistence

logger = logging.getLogger("local.alarms")

_LOOK_EVERY_SECONDS = 5.0


def install() -> None:
    """Accept alarms on ``Metrics`` in templates, and look at all alarms every few seconds."""
    _accept_metric_math()
    cloudwatch._evaluate_alarm = _evaluate
    threading.Thread(target=_look_for_ever, name="alarms", daemon=True).start()


def _accept_metric_math() -> None:
    make_record = provisioners._cw_metric_alarm_record

    def _cw_metric_alarm_record(name: str, props: dict) -> dict[str, Any]:
        queries = props.get("Metrics")
        if not queries:
            return make_record(name, props)
        try:
            _datapoints({**props, "Metrics": queries}, time.time())
        except (metric_math.UnsupportedExpression, KeyError, TypeError, ValueError) as error:
            raise ResourceFailed(f"AWS::CloudWatch::Alarm {name}: {error}") from error
        # What it takes for granted about an alarm on one metric goes again.
        alarm = make_record(name, {**props, "Metrics": None, "MetricName": "-", "Namespace": "-"})
        for member in ("MetricName", "Namespace", "Statistic", "Period", "Dimensions", "Unit"):
            alarm.pop(member, None)
        return {**alarm, "Metrics": queries}

    provisioners._cw_metric_alarm_record = _cw_metric_alarm_record


def _look_for_ever() -> None:
    while True:
        time.sleep(_LOOK_EVERY_SECONDS)
        for (account, region, _), alarm in list(cloudwatch._alarms._data.items()):
            try:
                with request_scope(account, region):
                    _evaluate(alarm)
            except Exception:
                logger.exception("alarm %s could not be looked at", alarm.get("AlarmName"))


def _evaluate(alarm: dict[str, Any]) -> None:
    """Give the alarm the state that its metrics call for now; tell its topics of a change."""
    datapoints = _datapoints(alarm, time.time())
    new = alarm_rules.state(
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


def _datapoints(alarm: Mapping[str, Any], now: float) -> list[float | None]:
    """The alarm's value in each evaluated period, oldest first. The last period ends now: nobody waits for a full one.

    Raises UnsupportedExpression, and KeyError, TypeError or ValueError for an alarm that is not as the API wants it.
    """
    periods = int(alarm["EvaluationPeriods"])
    queries = alarm.get("Metrics")
    if not queries:
        stat = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        period = int(alarm["Period"])
        found = _series(MetricQuery.parse(alarm, stat), now, period, periods)
        return [found.get(number) for number in range(periods)]
    measured = [query["MetricStat"] for query in queries if "MetricStat" in query]
    period = int(measured[0]["Period"])
    series = {
        query["Id"]: _series(
            MetricQuery.parse(query["MetricStat"]["Metric"], query["MetricStat"]["Stat"]), now, period, periods
        )
        for query in queries
        if "MetricStat" in query
    }
    (wanted,) = (query for query in queries if str(query.get("ReturnData", True)).lower() == "true")
    if "Expression" in wanted:
        found = metric_math.evaluate(wanted["Expression"], series, periods=periods)
    else:
        found = series[wanted["Id"]]
    return [found.get(number) for number in range(periods)]


def _series(query: MetricQuery, now: float, period: int, periods: int) -> dict[int, float]:
    return metric_store.series(query, start=now - period * periods, end=now + 1, period=period)
