"""CloudWatch's embedded metric format: metrics in lines of a log. Pure parsing."""

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
    """What a line of a log carries; nothing if it is an ordinary line or not as the format asks for."""
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
