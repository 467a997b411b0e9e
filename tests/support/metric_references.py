"""The metrics that a deployed dashboard and deployed alarms refer to, and whether a cloud has them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SEARCH = re.compile(r"SEARCH\('\{(?P<schema>[^}]*)\} service=\"(?P<service>\w+)\" (?P<wanted>[^']+)', '\w+'\)")
_EXACT = re.compile(r'MetricName="(?P<name>\w+)"')


@dataclass(frozen=True)
class Metric:
    """One metric, as ListMetrics names it."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    @classmethod
    def parse(cls, entry: dict[str, Any]) -> Metric:
        """From the form of the API, which alarms share."""
        dimensions = frozenset((one["Name"], one["Value"]) for one in entry.get("Dimensions", []))
        return cls(entry["Namespace"], entry["MetricName"], dimensions)


@dataclass(frozen=True)
class Search:
    """All metrics with these dimensions, whatever their values, of one service; by name or by its first word."""

    namespace: str
    dimensions: frozenset[str]
    service: str
    wanted: str

    def finds(self, metric: Metric) -> bool:
        """Whether a metric is among them."""
        exact = _EXACT.fullmatch(self.wanted)
        named = metric.name == exact["name"] if exact else metric.name.split(".")[0] == self.wanted
        found = {name for name, _ in metric.dimensions}
        own = ("service", self.service) in metric.dimensions
        return named and own and metric.namespace == self.namespace and found == self.dimensions


def of_dashboard(body: str) -> Iterator[Metric | Search]:
    """Everything that the graphs of a dashboard are drawn from."""
    for widget in json.loads(body)["widgets"]:
        for row in widget["properties"].get("metrics", []):
            if isinstance(row[0], dict):
                yield from (_search(found) for found in _SEARCH.finditer(row[0]["expression"]))
            else:
                namespace, name, *rest = [value for value in row if not isinstance(value, dict)]
                yield Metric(namespace, name, frozenset(zip(rest[::2], rest[1::2], strict=True)))


def of_alarm(alarm: dict[str, Any]) -> Iterator[Metric]:
    """What an alarm of DescribeAlarms watches."""
    if "Metrics" not in alarm:
        yield Metric.parse(alarm)
    for query in alarm.get("Metrics", []):
        if "MetricStat" in query:
            yield Metric.parse(query["MetricStat"]["Metric"])


def _search(found: re.Match[str]) -> Search:
    namespace, *dimensions = found["schema"].replace('"', "").split(",")
    return Search(namespace, frozenset(dimensions), found["service"], found["wanted"])
