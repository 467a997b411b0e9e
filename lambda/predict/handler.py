"""Entry point of the Lambda, which connects the API with the real endpoint."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from predict.api import Api
from predict.endpoint import SageMakerEndpoint, make_client
from predict.observability import create_observability
from predict.registry import ModelRegistry, make_registry_client
from predict.service import PredictionService
from predict.settings import Settings

_settings = Settings.from_environment(os.environ)
_observability = create_observability(_settings)
_api = Api(
    service=PredictionService(
        endpoint=SageMakerEndpoint(_settings.endpoint_name, make_client),
        version_fallback=_settings.model_version_fallback,
    ),
    registry=ModelRegistry(_settings.model_packages_arn, make_registry_client),
    observability=_observability,
    api_key_required=_settings.api_key_required,
    log_texts=_settings.log_texts,
)


@_observability.logger.inject_lambda_context(correlation_id_path="requestContext.requestId", log_event=False)
@_observability.metrics.log_metrics(capture_cold_start_metric=True)  # type: ignore[untyped-decorator]
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway proxy event."""
    return _api.answer(event, seconds=context.get_remaining_time_in_millis() / 1000)
