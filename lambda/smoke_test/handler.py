"""Entry point of the smoke test."""

import functools
import os
from collections.abc import Mapping
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.function import failures_logged
from shared.settings import required
from smoke_test.endpoint import Endpoint, make_runtime
from smoke_test.run import smoke_test

logger = Logger()


@functools.cache
def _clients() -> tuple[Any, Any, Any]:
    """Return the clients of the registry, S3 and the endpoint, which all calls of a warm function share."""
    return boto3.client("sagemaker"), boto3.client("s3"), make_runtime()


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run `smoke_test` against the endpoint that the variable `ENDPOINT_NAME` names."""
    logger.append_keys(model_package_arn=event.get("model_package_arn"))
    with failures_logged(logger, "smoke test failed"):
        name = required(os.environ, "ENDPOINT_NAME")
        registry, s3, runtime = _clients()
        result = smoke_test(event, registry, s3, Endpoint(name, runtime))
    if not result["compared"]:
        logger.warning("the package has no evidence; only the form of the answers was checked")
    logger.info("endpoint answered", **result)
    return result
