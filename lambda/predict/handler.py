"""Entry point of the Lambda, and the composition root: here the real endpoint is put together with the API."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from predict.api import create_api
from predict.endpoint import SageMakerEndpoint, make_client
from predict.service import PredictionService
from predict.settings import Settings
from predict.telemetry import Telemetry

logger = Logger()
_settings = Settings.from_env(os.environ)
_api = create_api(
    PredictionService(
        endpoint=SageMakerEndpoint(_settings.endpoint_name, make_client),
        version_fallback=_settings.model_version_fallback,
    ),
    logger,
    Telemetry(namespace=_settings.metrics_namespace, service=_settings.service),
)


@logger.inject_lambda_context(correlation_id_path="requestContext.requestId", log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway proxy event. Texts of callers are never logged."""
    return _api.resolve(event, context)
