"""What was predicted lately, from the metrics that the predict function leaves. Errors of boto3 end here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from distribution.features import FEATURES, LABEL_DIMENSION, PREDICTIONS, VERSION_DIMENSION
from drift.counts import Counts
from drift.errors import TrafficUnreadable

PERIOD_SECONDS = 60
"""CloudWatch keeps minutes for 15 days; a day of them is far below what one GetMetricData call may return."""


class Traffic:
    """The metrics of one predict function."""

    def __init__(self, cloudwatch: Any, *, namespace: str, service: str) -> None:
        """`cloudwatch`: a boto3 client; `namespace` and `service`: as the function writes them."""
        self._cloudwatch = cloudwatch
        self._namespace = namespace
        self._service = service

    def newest(self, version: str, labels: Sequence[str], *, sample: int, since: timedelta, now: datetime) -> Counts:
        """The newest predictions of a model version, whole minutes of them until there are `sample`.

        Fewer come back where there were fewer within `since`.

        Raises:
            TrafficUnreadable: CloudWatch refuses.
        """
        total = Counts.none(labels)
        for minute in self._minutes(version, labels, now - since, now):
            total += minute
            if total.predictions >= sample:
                break
        return total

    def _minutes(self, version: str, labels: Sequence[str], start: datetime, end: datetime) -> Iterator[Counts]:
        """Counts of each minute with traffic, the newest first."""
        minutes: dict[datetime, Counts] = defaultdict(lambda: Counts.none(labels))
        places = [(feature.name, place, metric) for feature in FEATURES for place, metric in enumerate(feature.metrics)]
        queries = [self._query(f"b{number}", metric, version) for number, (_, _, metric) in enumerate(places)]
        queries += [self._query(f"l{number}", PREDICTIONS, version, label) for number, label in enumerate(labels)]
        for found in self._ask(queries, start, end):
            number = int(found["Id"][1:])
            for moment, value in zip(found["Timestamps"], found["Values"], strict=True):
                if found["Id"].startswith("l"):
                    minutes[moment].labels[labels[number]] += round(value)
                else:
                    name, place, _ = places[number]
                    minutes[moment].bins[name][place] += round(value)
        yield from (minutes[moment] for moment in sorted(minutes, reverse=True))

    def _query(self, identity: str, metric: str, version: str, label: str | None = None) -> dict[str, Any]:
        dimensions = {"service": self._service, VERSION_DIMENSION: version}
        if label is not None:
            dimensions[LABEL_DIMENSION] = label
        named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        return {
            "Id": identity,
            "MetricStat": {
                "Metric": {"Namespace": self._namespace, "MetricName": metric, "Dimensions": named},
                "Period": PERIOD_SECONDS,
                "Stat": "Sum",
            },
        }

    def _ask(self, queries: list[dict[str, Any]], start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
        request = {"MetricDataQueries": queries, "StartTime": start, "EndTime": end}
        try:
            for page in self._cloudwatch.get_paginator("get_metric_data").paginate(**request):
                yield from page["MetricDataResults"]
        except (ClientError, BotoCoreError) as error:
            raise TrafficUnreadable(str(error)) from error
