"""The newest predictions, from the metrics of the predict function. This module translates boto3's errors."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from distribution.features import FEATURES, LABEL_DIMENSION, PREDICTIONS, VERSION_DIMENSION
from drift.counts import Counts
from drift.settings import Settings
from shared.errors import FunctionError

PERIOD_SECONDS = 60
"""CloudWatch keeps minutes for 15 days; a day of them is far below the limit of one GetMetricData call."""


def newest_traffic(cloudwatch: Any, settings: Settings, version: str, labels: Sequence[str], now: datetime) -> Counts:
    """Count the newest predictions of a model version, in whole minutes until the sample is full.

    `labels` are the series of its labels. The count stays below the sample where the window has fewer predictions.

    Raises FunctionError: CloudWatch refuses.
    """
    total = Counts.none(labels)
    for minute in _minutes(cloudwatch, settings, version, labels, now):
        total += minute
        if total.predictions >= settings.sample:
            break
    return total


def _minutes(
    cloudwatch: Any, settings: Settings, version: str, labels: Sequence[str], now: datetime
) -> Iterator[Counts]:
    """Yield the counts of each minute with traffic, the newest first."""
    minutes: dict[datetime, Counts] = defaultdict(lambda: Counts.none(labels))
    places = [(feature.name, place, metric) for feature in FEATURES for place, metric in enumerate(feature.metrics)]
    queries = [_query(settings, f"b{number}", metric, version) for number, (_, _, metric) in enumerate(places)]
    queries += [_query(settings, f"l{number}", PREDICTIONS, version, label) for number, label in enumerate(labels)]
    for found in _ask(cloudwatch, queries, now - timedelta(hours=settings.window_hours), now):
        kind, number = found["Id"][0], int(found["Id"][1:])
        for moment, value in zip(found["Timestamps"], found["Values"], strict=True):
            if kind == "l":
                minutes[moment].labels[labels[number]] += round(value)
            else:
                name, place, _ = places[number]
                minutes[moment].bins[name][place] += round(value)
    yield from (minutes[moment] for moment in sorted(minutes, reverse=True))


def _query(settings: Settings, identity: str, metric: str, version: str, label: str | None = None) -> dict[str, Any]:
    dimensions = {"service": settings.predict_service, VERSION_DIMENSION: version}
    if label is not None:
        dimensions[LABEL_DIMENSION] = label
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    metric_of = {"Namespace": settings.namespace, "MetricName": metric, "Dimensions": named}
    return {"Id": identity, "MetricStat": {"Metric": metric_of, "Period": PERIOD_SECONDS, "Stat": "Sum"}}


def _ask(cloudwatch: Any, queries: list[dict[str, Any]], start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    request = {"MetricDataQueries": queries, "StartTime": start, "EndTime": end}
    try:
        for page in cloudwatch.get_paginator("get_metric_data").paginate(**request):
            yield from page["MetricDataResults"]
    except (ClientError, BotoCoreError) as error:
        problem = f"The metrics of the traffic cannot be read: {error}. Next: check this function's role."
        raise FunctionError(problem) from error
