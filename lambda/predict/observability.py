"""Powertools, set up once: the structured log, metrics in CloudWatch's embedded metric format, and traces."""

from __future__ import annotations

from dataclasses import dataclass

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.metrics import EphemeralMetrics

from predict.settings import Settings
from predict.telemetry import Telemetry


@dataclass(frozen=True, kw_only=True)
class Observability:
    """What the rest of this package reports to.

    Attributes:
        logger: writes one JSON object a line; every line of a request carries its correlation id.
        metrics: collects metrics of one request under the dimension ``service``; the handler flushes them at its end.
        telemetry: counts predictions, under dimensions of its own.
        tracer: sends segments to X-Ray, or None where tracing is off.
    """

    logger: Logger
    metrics: EphemeralMetrics
    telemetry: Telemetry
    tracer: Tracer | None


def create_observability(settings: Settings) -> Observability:
    """Set up for one Lambda; nothing is sent yet."""
    return Observability(
        logger=Logger(service=settings.service),
        # Not `Metrics`, whose state is one for the whole process and so for all tests.
        metrics=EphemeralMetrics(namespace=settings.metrics_namespace, service=settings.service),
        telemetry=Telemetry(namespace=settings.metrics_namespace, service=settings.service),
        tracer=_tracer(settings.service) if settings.tracing else None,
    )


def _tracer(service: str) -> Tracer:
    """Loads the X-Ray SDK, which takes longer than the whole rest of this package: only where it was asked for."""
    tracer = Tracer(service=service, auto_patch=False)
    tracer.patch(modules=["botocore"])  # by default it looks for, and loads, every library that it knows
    return tracer
