"""MetricDefinitions: regular expressions over the log that become FinalMetricDataList."""

import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any


class MetricScanner:
    """Reads every line of the log and keeps the last value of each metric."""

    def __init__(self, definitions: Sequence[Mapping[str, str]]) -> None:
        self._patterns = [(definition["Name"], re.compile(definition["Regex"])) for definition in definitions]
        self._last: dict[str, dict[str, Any]] = {}

    def scan(self, line: str) -> bool:
        """Return whether the line contains a metric. Its value is the expression's first group, or the whole match."""
        found = False
        for name, pattern in self._patterns:
            match = pattern.search(line)
            value = _number(match.group(1) if pattern.groups else match.group(0)) if match else None
            if value is not None:
                self._last[name] = {"MetricName": name, "Value": value, "Timestamp": time.time()}
                found = True
        return found

    def final(self) -> list[dict[str, Any]]:
        """Return the FinalMetricDataList so far."""
        return list(self._last.values())


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
