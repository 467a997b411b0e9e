"""API: the REST front, what protects it, and its Lambda."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks.api.contract import ApiContract
from stacks.api.domain import ApiDomain
from stacks.api.firewall import ApiFirewall
from stacks.api.keys import ApiKeys
from stacks.api.predict_function import PredictFunction
from stacks.api.rest_api import STAGE, InferenceApi
from stacks.common.lambda_layer import LambdaLayer
from stacks.common.log_keeping import LogKeeping
from stacks.common.project_sources import ProjectSources
from stacks.config.environment import Config


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
            group=config.model_package_group_name,
            settings=config.api,
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
            contract=ApiContract.read(sources.api_contract),
            logs=logs,
        )
        url = front.url
        if config.api.waf:
            ApiFirewall(
                self, "Firewall", name=config.prefix, front=front, requests_in_5_minutes=config.api.waf_rate_limit
            )
        if config.api.domain_name:
            domain = ApiDomain(self, "Domain", front=front, settings=config.api)
            url = domain.url
            CfnOutput(self, "ApiDomainTarget", value=domain.target)
        if config.api.api_key_required:
            keys = ApiKeys(self, "Keys", name=config.prefix, front=front, settings=config.api).keys
            CfnOutput(self, "ApiKeyId", value=keys[config.api.clients[0]].key_id)
        CfnOutput(self, "ApiUrl", value=url)
        CfnOutput(self, "ApiId", value=front.api.rest_api_id)
        CfnOutput(self, "ApiStage", value=STAGE)
