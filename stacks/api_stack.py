"""API: the REST front and its Lambda."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks.components.inference_api import STAGE, InferenceApi
from stacks.components.lambda_layer import LambdaLayer
from stacks.components.log_keeping import LogKeeping
from stacks.components.predict_function import PredictFunction
from stacks.components.project_sources import ProjectSources
from stacks.config import Config


class ApiStack(Stack):
    """The public face of one environment. It knows the endpoint by name only."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: Config, sources: ProjectSources, **kwargs: Any
    ) -> None:
        """Create the API."""
        super().__init__(scope, construct_id, **kwargs)
        logs = LogKeeping(days=config.log_retention_days, removable=config.removable)
        predict = PredictFunction(
            self,
            "Predict",
            prefix=config.prefix,
            endpoint_name=config.endpoint_name,
            model_version_fallback=config.serving.hub_model,
            sources=sources,
            layer=LambdaLayer(self, "Packages", folder=sources.lambda_layer).layer,
            logs=logs,
        )
        front = InferenceApi(
            self,
            "Front",
            name=config.prefix,
            settings=config.api,
            function=predict.function,
            request_schema=sources.request_schema,
            logs=logs,
        )
        CfnOutput(self, "ApiUrl", value=front.url)
        CfnOutput(self, "ApiId", value=front.api.rest_api_id)
        CfnOutput(self, "ApiStage", value=STAGE)
        if front.api_key:
            CfnOutput(self, "ApiKeyId", value=front.api_key.key_id)
