"""The Lambda behind the REST API."""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.common.permissions import Right, accept_wildcard, grant, read_objects, use_packages
from stacks.common.python_function import FunctionSetup, PythonFunction
from stacks.common.s3_folder import S3Folder
from stacks.config.api import ApiConfig

# API Gateway gives up after 29 s; the function's own budget of 25 s leaves it time to report that itself.
TIMEOUT = Duration.seconds(29)

MEMORY_MB = 512

SERVICE = "predict"
"""Dimension `service` of the function's metrics."""


def predict_function(
    scope: Construct, *, setup: FunctionSetup, model_version_fallback: str, settings: ApiConfig, artifacts: S3Folder
) -> lambda_.Function:
    """Create the function that asks the endpoint and turns its answers and errors into the API's.

    `model_version_fallback` names a model that does not report its version; `artifacts` is where the gate writes its
    verdicts, which know a model's classes.
    """
    names = setup.names
    predict = PythonFunction(
        scope,
        "Lambda",
        setup=setup,
        name="predict",
        description="Classifies text through the endpoint",
        packages=("predict", "distribution"),
        service=SERVICE,
        environment={
            "ENDPOINT_NAME": names.endpoint,
            "MODEL_VERSION_FALLBACK": model_version_fallback,
            "MODEL_PACKAGES_ARN": names.package_arn_prefix.rstrip("/"),
            "API_KEY_REQUIRED": str(settings.api_key_required).lower(),
            "LOG_TEXTS": str(settings.log_texts).lower(),
            "POWERTOOLS_METRICS_NAMESPACE": names.prefix,
            "LOG_LEVEL": "INFO",
        },
        memory_mb=MEMORY_MB,
        timeout=TIMEOUT,
        reserved_concurrency=settings.reserved_concurrency or None,
        tracing=settings.tracing,
    )
    grant(
        predict.role,
        Right(["sagemaker:InvokeEndpoint"], [names.endpoint_arn]),
        use_packages(names.package_arns),
        read_objects(
            artifacts.arn_of("*/evaluation/*/verdict.json"),
            reason="A verdict lies beside its model, under the name of its job.",
        ),
    )
    if settings.tracing:
        accept_wildcard(predict.role, "*", "X-Ray's PutTraceSegments has no resource-level permissions.")
    return predict.function
