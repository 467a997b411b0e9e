"""Powertools, set up once: the structured log, metrics in CloudWatch's embedded metric format, and traces."""

from __future__ import annotations

from dataclasses import dataclass

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.metrics import EphemeralMetrics

from predict.settings import Settings
from predict.telemetry import Telemetry


@dataclass(frozen=True, kw_only=True)
class Observability:
    """What the rest of this package reports to."""

    logger: Logger
    """Writes one JSON object a line; every line of a request carries its correlation id."""
    metrics: EphemeralMetrics
    """Collects the metrics of one request under the dimension `service`; the handler flushes them at the end."""
    telemetry: Telemetry
    """Counts predictions, under dimensions of its own."""
    tracer: Tracer | None
    """Sends segments to X-Ray; None where tracing is off."""


def create_observability(settings: Settings) -> Observability:
    """Set up logging, metrics and traces; nothing is sent yet."""
    return Observability(
        logger=Logger(service=settings.service),
        # Not `Metrics`, whose state the whole process shares, and so all tests.
        metrics=EphemeralMetrics(namespace=settings.metrics_namespace, service=settings.service),
        telemetry=Telemetry(namespace=settings.metrics_namespace, service=settings.service),
        tracer=_tracer(settings.service) if settings.tracing else None,
    )


def _tracer(service: str) -> Tracer:
    """Return a tracer. This loads the X-Ray SDK, which takes longer than the rest of this package."""
    tracer = Tracer(service=service, auto_patch=False)
    tracer.patch(modules=["botocore"])  # by default it loads every library that it knows
    return tracer
