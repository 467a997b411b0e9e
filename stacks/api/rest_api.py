"""The REST API in front of one Lambda: the contract's paths, checked and throttled before the Lambda runs."""

import hashlib
import json

from aws_cdk import Duration, RemovalPolicy, Stack, Tags
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.api.contract import ApiContract
from stacks.api.predict_function import TIMEOUT
from stacks.api.problem_responses import add_problem_responses
from stacks.common.log_keeping import LogKeeping
from stacks.common.permissions import accept
from stacks.config.api import ApiConfig

STAGE = "live"
"""Name of the one stage; part of the URL."""

PREDICTIONS = "/v1/predictions"
STATUS = ("/v1/health", "/v1/model")
"""Paths that need no key and may call the model."""


class InferenceApi(Construct):
    """A public, throttled API that checks requests against the contract; with keys where the configuration asks.

    `url`: its base URL, without a slash at the end and without `/v1`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        settings: ApiConfig,
        function: lambda_.IFunction,
        contract: ApiContract,
        logs: LogKeeping,
    ) -> None:
        """Create the API; `function` answers all of the contract's routes."""
        super().__init__(scope, construct_id)
        self._logs = logs
        self.api = self._rest_api(name, settings)
        self.stage = self.api.deployment_stage
        stack = Stack.of(self)
        self.url = f"https://{self.api.rest_api_id}.execute-api.{stack.region}.{stack.url_suffix}/{STAGE}"
        self._keep_execution_log()
        self._add_routes(function, contract, settings)
        add_problem_responses(self.api, contract=contract)
        if settings.fixed_id:
            Tags.of(self.api).add(
                "ms-custom-id", settings.fixed_id, include_resource_types=["AWS::ApiGateway::RestApi"]
            )
        self._accept_findings(settings)

    def _rest_api(self, name: str, settings: ApiConfig) -> apigateway.RestApi:
        access_log = self._logs.group(self, "AccessLog", name=f"/aws/apigateway/{name}")
        # For the stage and for each method: a method's settings do not inherit the stage's.
        reporting = {
            "metrics_enabled": True,
            # Errors only, and never the bodies: those are callers' texts.
            "logging_level": apigateway.MethodLoggingLevel.ERROR,
            "data_trace_enabled": False,
        }
        api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=name,
            description="Classifies text",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            policy=_allow_list(settings.allowed_cidrs) if settings.allowed_cidrs else None,
            # Logging needs a role in the account's settings; a new account has none. It is one setting for all APIs of
            # account and region: it stays when this stack goes, or the other environments would log no more.
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
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
                method_options={
                    method: apigateway.MethodDeploymentOptions(
                        throttling_rate_limit=rate,
                        throttling_burst_limit=burst,
                        **reporting,  # type: ignore[arg-type]
                    )
                    for method, (rate, burst) in _method_limits(settings).items()
                },
                tracing_enabled=settings.tracing,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=_access_log_format(),
                **reporting,  # type: ignore[arg-type]
            ),
        )
        # CDK's own output of the URL, with a generated name and a slash at its end; the stack has ApiUrl.
        api.node.try_remove_child("Endpoint")
        return api

    def _keep_execution_log(self) -> None:
        # API Gateway creates this group by itself, and keeps its logs for ever, unless it exists before the stage.
        group = self._logs.group(
            self, "ExecutionLog", name=f"API-Gateway-Execution-Logs_{self.api.rest_api_id}/{STAGE}"
        )
        self.stage.node.add_dependency(group)

    def _add_routes(self, function: lambda_.IFunction, contract: ApiContract, settings: ApiConfig) -> None:
        integration = apigateway.LambdaIntegration(function, timeout=TIMEOUT, allow_test_invoke=False)
        validator = self.api.add_request_validator(
            "Validator", validate_request_body=True, validate_request_parameters=True
        )
        # A deployment is a snapshot: a changed schema or network takes effect only with a new one.
        deployment = self.api.latest_deployment
        assert deployment is not None
        for path, method, operation in contract.operations:
            name = contract.body_model(operation)
            models = {}
            if name:
                model = apigateway.CfnModel(
                    self,
                    name,
                    rest_api_id=self.api.rest_api_id,
                    name=name,
                    content_type="application/json",
                    schema=contract.body_schema,
                )
                models = {"application/json": apigateway.Model.from_model_name(self, f"{name}Name", model.ref)}
                deployment.node.add_dependency(model)
                deployment.add_to_logical_id(_digest(contract.body_schema))
            resource = self.api.root.resource_for_path(path)
            resource.add_method(
                method,
                integration,
                # Everything else is open to monitors and browsers, and reveals nothing that a key protects.
                api_key_required=settings.api_key_required and path == PREDICTIONS,
                request_validator=validator,
                request_models=models,
            )
            # So that other methods are answered 405 with Allow, not as a missing path.
            resource.add_method("ANY", integration, request_validator=validator)
        deployment.add_to_logical_id(_digest(sorted(settings.allowed_cidrs)))

    def _accept_findings(self, settings: ApiConfig) -> None:
        protection = "an API key and throttling" if settings.api_key_required else "throttling"
        for method in self.api.methods:
            for finding in ("AwsSolutions-APIG4", "AwsSolutions-COG4"):
                accept(
                    method,
                    finding,
                    f"Public by design: {protection} protect the model; health and CORS preflight answer anyone.",
                )
        if not settings.waf:
            accept(
                self.stage,
                "AwsSolutions-APIG3",
                "The firewall has a fixed monthly price, so it is a choice of the configuration (api.waf); throttling, "
                "the request schema and, where configured, an API key protect.",
            )
        accept(
            self.api.node.find_child("CloudWatchRole"),
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
            "AmazonAPIGatewayPushToCloudWatchLogs]",
            "The account-wide role that API Gateway logs with is meant to hold exactly this AWS-managed policy.",
        )


def _method_limits(settings: ApiConfig) -> dict[str, tuple[int, int]]:
    """Return rate and burst of the methods that call the model; a method's own limits replace the stage's."""
    status = (
        min(settings.status_rate_limit, settings.rate_limit),
        min(settings.status_burst_limit, settings.burst_limit),
    )
    predictions = (settings.predictions_rate_limit, settings.predictions_burst_limit)
    return {f"{PREDICTIONS}/POST": predictions, **{f"{path}/GET": status for path in STATUS}}


def _allow_list(cidrs: tuple[str, ...]) -> iam.PolicyDocument:
    """Return the policy that lets callers from these networks in and denies all others."""
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                principals=[iam.AnyPrincipal()],
                actions=["execute-api:Invoke"],
                resources=["execute-api:/*"],
                conditions={"IpAddress": {"aws:SourceIp": list(cidrs)}},
            )
        ]
    )


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


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
