"""CloudWatch's embedded metric format: metrics in log lines. Pure parsing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """Values of one metric under one set of dimensions."""

    namespace: str
    name: str
    unit: str
    dimensions: dict[str, str]
    values: tuple[float, ...]


def measurements(line: str) -> Iterator[Measurement]:
    """Yield the metrics in a log line; none for an ordinary line or one that violates the format."""
    if not line.startswith("{") or '"_aws"' not in line:
        return
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
        yield from [found for directive in directives for found in _directive(document, directive)]
    except (ValueError, KeyError, TypeError):
        return


def _directive(document: dict[str, Any], directive: dict[str, Any]) -> Iterator[Measurement]:
    for names in directive["Dimensions"]:
        dimensions = {name: str(document[name]) for name in names}
        for metric in directive["Metrics"]:
            given = document[metric["Name"]]
            values = tuple(float(value) for value in (given if isinstance(given, list) else [given]))
            yield Measurement(directive["Namespace"], metric["Name"], metric.get("Unit", "None"), dimensions, values)
