"""The REST API: ``POST /v1/predictions`` and ``GET /v1/health`` in front of one Lambda."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack, Tags
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.components.acknowledgements import accept
from stacks.components.log_keeping import LogKeeping
from stacks.components.predict_function import TIMEOUT
from stacks.components.problem_responses import add_problem_responses
from stacks.config import ApiConfig
from stacks.errors import MissingAssetError

STAGE = "live"
"""Name of the one stage; part of the URL."""


class InferenceApi(Construct):
    """Public and throttled, checked against the schema before the Lambda runs; a key where the configuration asks.

    Attributes:
        api: the REST API.
        url: its base URL, without a slash at the end and without ``/v1``.
        api_key: the key, where one is required.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        settings: ApiConfig,
        function: lambda_.IFunction,
        request_schema: Path,
        logs: LogKeeping,
    ) -> None:
        """Create the API.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            name: name of the API.
            settings: throttle, key and fixed id.
            function: answers both routes.
            request_schema: file with the JSON schema (draft 4) of a prediction request.
            logs: how long access and execution logs are kept.
        """
        super().__init__(scope, construct_id)
        self._logs = logs
        self.api = self._rest_api(name, settings)
        stack = Stack.of(self)
        self.url = f"https://{self.api.rest_api_id}.execute-api.{stack.region}.{stack.url_suffix}/{STAGE}"
        self._keep_execution_log()
        schema = _read_schema(request_schema)
        self._add_routes(function, schema, settings.api_key_required)
        add_problem_responses(self.api, body_rule=_body_rule(schema))
        self.api_key = self._add_key(name) if settings.api_key_required else None
        if settings.fixed_id:
            Tags.of(self.api).add(
                "ms-custom-id", settings.fixed_id, include_resource_types=["AWS::ApiGateway::RestApi"]
            )
        self._accept_findings(settings.api_key_required)

    def _rest_api(self, name: str, settings: ApiConfig) -> apigateway.RestApi:
        access_log = self._logs.group(self, "AccessLog", name=f"/aws/apigateway/{name}")
        api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=name,
            description="Classifies text",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            # Logging needs a role in the account's settings; a fresh account has none.
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=RemovalPolicy.DESTROY if self._logs.removable else RemovalPolicy.RETAIN,
            default_cors_preflight_options=apigateway.CorsOptions(
                allow_origins=apigateway.Cors.ALL_ORIGINS,
                allow_methods=["GET", "POST", "OPTIONS"],
                allow_headers=["Content-Type", "X-Api-Key"],
                max_age=Duration.hours(1),
            ),
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                throttling_rate_limit=settings.rate_limit,
                throttling_burst_limit=settings.burst_limit,
                metrics_enabled=True,
                # Errors only and never the bodies: they are other people's texts.
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=_access_log_format(),
            ),
        )
        # CDK's own output of the URL, under a generated name and with a slash at its end; the stack has ApiUrl.
        api.node.try_remove_child("Endpoint")
        return api

    def _keep_execution_log(self) -> None:
        # API Gateway creates this group by itself, and then keeps it for ever, unless it is there before the stage.
        group = self._logs.group(
            self, "ExecutionLog", name=f"API-Gateway-Execution-Logs_{self.api.rest_api_id}/{STAGE}"
        )
        self.api.deployment_stage.node.add_dependency(group)

    def _add_routes(self, function: lambda_.IFunction, schema: dict[str, Any], key_required: bool) -> None:
        integration = apigateway.LambdaIntegration(function, timeout=TIMEOUT, allow_test_invoke=False)
        model = apigateway.CfnModel(
            self,
            "PredictionRequest",
            rest_api_id=self.api.rest_api_id,
            name="PredictionRequest",
            content_type="application/json",
            schema=schema,
        )
        validator = self.api.add_request_validator(
            "Validator", validate_request_body=True, validate_request_parameters=True
        )
        version = self.api.root.add_resource("v1")
        version.add_resource("predictions").add_method(
            "POST",
            integration,
            api_key_required=key_required,
            request_validator=validator,
            request_models={"application/json": apigateway.Model.from_model_name(self, "Body", model.ref)},
        )
        # Open to every watcher, and validated because the stage's rule is that all methods are.
        version.add_resource("health").add_method("GET", integration, request_validator=validator)
        # A deployment is a snapshot: a changed schema reaches callers only through a new one.
        deployment = self.api.latest_deployment
        assert deployment is not None  # noqa: S101  RestApi makes one unless told not to
        deployment.node.add_dependency(model)
        deployment.add_to_logical_id(hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest())

    def _add_key(self, name: str) -> apigateway.IApiKey:
        key = self.api.add_api_key("Key", api_key_name=name, description=f"Access to {name}")
        # The stage throttles all clients together; the plan only ties the key to the stage.
        plan = self.api.add_usage_plan("Plan", name=name, description=f"Clients of {name}")
        plan.add_api_stage(stage=self.api.deployment_stage)
        plan.add_api_key(key)
        return key

    def _accept_findings(self, key_required: bool) -> None:
        protection = "an API key and throttling" if key_required else "throttling"
        for method in self.api.methods:
            for finding in ("AwsSolutions-APIG4", "AwsSolutions-COG4"):
                accept(
                    method,
                    finding,
                    f"Public by design: {protection} protect the model; health and CORS preflight answer anyone.",
                )
        accept(
            self.api.deployment_stage,
            "AwsSolutions-APIG3",
            "WAF has a fixed monthly price; throttling, the request schema and, where configured, an API key protect.",
        )
        accept(
            self.api.node.find_child("CloudWatchRole"),
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
            "AmazonAPIGatewayPushToCloudWatchLogs]",
            "The account-wide role that API Gateway logs with is meant to hold exactly this AWS-managed policy.",
        )


def _access_log_format() -> apigateway.AccessLogFormat:
    field = apigateway.AccessLogField
    values = {
        "requestId": field.context_request_id(),
        "time": field.context_request_time_epoch(),
        "ip": field.context_identity_source_ip(),
        "method": field.context_http_method(),
        "path": field.context_resource_path(),
        "status": field.context_status(),
        "responseLatency": field.context_response_latency(),
        "integrationLatency": field.context_integration_latency(),
        "responseLength": field.context_response_length(),
        "error": field.context_error_response_type(),
    }
    return apigateway.AccessLogFormat.custom(json.dumps(values))


def _body_rule(schema: dict[str, Any]) -> str:
    """The schema's limits in a sentence, for the answer to a body that breaks them."""
    text, texts = schema["properties"]["inputs"]["oneOf"]
    return (
        f"Send JSON with `inputs`: a text of {text['minLength']} to {text['maxLength']} characters, or a list of "
        f"{texts['minItems']} to {texts['maxItems']} such texts."
    )


def _read_schema(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise MissingAssetError(str(path), "it holds the JSON schema of a prediction request")
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema
