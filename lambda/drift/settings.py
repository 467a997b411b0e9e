"""The function's environment variables as one typed value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(Exception):
    """An environment variable is missing or not allowed."""

    def __init__(self, variable: str, expected: str) -> None:
        super().__init__(f"The environment variable {variable} is missing or not allowed; expected {expected}.")


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
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the variables named above.

        Raises:
            SettingsError: one is missing or not allowed.
        """
        return cls(
            serving_stack=_text(environment, "SERVING_STACK"),
            namespace=_text(environment, "POWERTOOLS_METRICS_NAMESPACE"),
            service=_text(environment, "POWERTOOLS_SERVICE_NAME"),
            predict_service=_text(environment, "PREDICT_SERVICE"),
            sample=_count(environment, "SAMPLE_PREDICTIONS"),
            window_hours=_count(environment, "WINDOW_HOURS"),
        )


def _text(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(name, "a text")
    return value


def _count(environment: Mapping[str, str], name: str) -> int:
    value = _text(environment, name)
    if not value.isdecimal() or int(value) < 1:
        raise SettingsError(name, "a whole number from 1 on")
    return int(value)
