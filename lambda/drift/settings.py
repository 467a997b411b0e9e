"""The function's environment variables as one typed value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drift.errors import Misconfigured


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack decides."""

    serving_stack: str
    """``SERVING_STACK``: its parameter says which model package is the champion."""
    namespace: str
    """``POWERTOOLS_METRICS_NAMESPACE``: of the metrics that are read, and of those that are published."""
    service: str
    """``POWERTOOLS_SERVICE_NAME``: dimension of what is published."""
    predict_service: str
    """``PREDICT_SERVICE``: dimension of what is read."""
    sample: int
    """``SAMPLE_PREDICTIONS``: how many of the newest predictions are looked at; with fewer nothing is said."""
    window_hours: int
    """``WINDOW_HOURS``: predictions older than this count no more."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the variables named above; raises Misconfigured."""
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
        raise Misconfigured(name, "a text")
    return value


def _count(environment: Mapping[str, str], name: str) -> int:
    value = _text(environment, name)
    if not value.isdecimal() or int(value) < 1:
        raise Misconfigured(name, "a whole number from 1 on")
    return int(value)
