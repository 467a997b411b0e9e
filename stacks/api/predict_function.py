"""The Lambda behind the REST API."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.common import metric_names
from stacks.common.acknowledgements import accept_wildcard
from stacks.common.log_keeping import LogKeeping
from stacks.common.project_sources import ProjectSources
from stacks.common.python_function import PythonFunction
from stacks.config.environment import ApiConfig

# API Gateway gives up after 29 s; the function's own budget of 25 s leaves it time to say so itself.
TIMEOUT = Duration.seconds(29)

MEMORY_MB = 512


class PredictFunction(Construct):
    """Asks the endpoint and turns its answers and errors into the API's.

    Attributes:
        function: the function.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        endpoint_name: str,
        model_version_fallback: str,
        group: str,
        settings: ApiConfig,
        sources: ProjectSources,
        layer: lambda_.ILayerVersion,
        logs: LogKeeping,
    ) -> None:
        """Create the function.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            prefix: first part of the function's name.
            endpoint_name: the endpoint it asks, the only one that it may.
            model_version_fallback: what to call a model that doesn't name its version, or empty.
            group: model package group whose packages it may describe.
            settings: whether it asks for a key, traces requests, and logs texts.
            sources: where the code lies.
            layer: third-party packages.
            logs: how long the log is kept.
        """
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        sagemaker = f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}"
        packages = f"{sagemaker}:model-package/{group}"
        predict = PythonFunction(
            self,
            "Lambda",
            name=f"{prefix}-predict",
            description="Classifies text through the endpoint",
            handler="predict.handler.handler",
            sources={
                "predict": sources.lambda_package("predict"),
                "shared": sources.lambda_package("shared"),
                "distribution": sources.lambda_package("distribution"),
            },
            layers=[layer],
            environment={
                "ENDPOINT_NAME": endpoint_name,
                "MODEL_VERSION_FALLBACK": model_version_fallback,
                "MODEL_PACKAGES_ARN": packages,
                "API_KEY_REQUIRED": str(settings.api_key_required).lower(),
                "LOG_TEXTS": str(settings.log_texts).lower(),
                "TRACING": str(settings.tracing).lower(),
                "POWERTOOLS_SERVICE_NAME": metric_names.PREDICT_SERVICE,
                "POWERTOOLS_METRICS_NAMESPACE": prefix,
                "LOG_LEVEL": "INFO",
            },
            memory_mb=MEMORY_MB,
            timeout=TIMEOUT,
            logs=logs,
            tracing=settings.tracing,
        )
        self.function = predict.function
        predict.role.add_to_policy(
            iam.PolicyStatement(
                actions=["sagemaker:InvokeEndpoint"],
                resources=[f"{sagemaker}:endpoint/{endpoint_name}"],
            )
        )
        predict.role.add_to_policy(
            iam.PolicyStatement(actions=["sagemaker:DescribeModelPackage"], resources=[f"{packages}/*"])
        )
        accept_wildcard(predict.role, f"{packages}/*", "The version that serves changes with each release.")
        if settings.tracing:
            accept_wildcard(predict.role, "*", "X-Ray's PutTraceSegments has no resource-level permissions.")
