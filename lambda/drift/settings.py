"""The function's environment variables as one typed value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from shared.errors import MisconfiguredError
from shared.settings import required


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack decides."""

    serving_stack: str
    """`SERVING_STACK`: name of the stack whose parameter names the champion."""
    namespace: str
    """`POWERTOOLS_METRICS_NAMESPACE`: of the metrics that are read and of those that are published."""
    service: str
    """`POWERTOOLS_SERVICE_NAME`: dimension of the published metrics."""
    predict_service: str
    """`PREDICT_SERVICE`: dimension of the metrics that are read."""
    sample: int
    """`SAMPLE_PREDICTIONS`: number of the newest predictions to compare; fewer are not compared."""
    window_hours: int
    """`WINDOW_HOURS`: age from which on predictions no longer count."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables named above. Raises MisconfiguredError: one is missing or not allowed."""
        return cls(
            serving_stack=required(environment, "SERVING_STACK"),
            namespace=required(environment, "POWERTOOLS_METRICS_NAMESPACE"),
            service=required(environment, "POWERTOOLS_SERVICE_NAME"),
            predict_service=required(environment, "PREDICT_SERVICE"),
            sample=_count(environment, "SAMPLE_PREDICTIONS"),
            window_hours=_count(environment, "WINDOW_HOURS"),
        )


def _count(environment: Mapping[str, str], name: str) -> int:
    value = required(environment, name)
    if not value.isdecimal() or int(value) < 1:
        raise MisconfiguredError(name, f"is {value!r}; a whole number from 1 on is allowed")
    return int(value)
