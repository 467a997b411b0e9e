"""Entry point of the smoke test: environment and payload in, one call, what was asked out."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from smoke_test.endpoint import Endpoint, make_runtime
from smoke_test.errors import SmokeTestError
from smoke_test.run import smoke_test
from smoke_test.settings import Settings

logger = Logger()


@functools.cache
def _clients() -> tuple[Any, Any, Any]:
    """Registry, store and runtime, once for all calls of a warm function."""
    return boto3.client("sagemaker"), boto3.client("s3"), make_runtime()


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What Lambda calls. See `smoke_test`."""
    logger.append_keys(model_package_arn=event.get("model_package_arn"))
    try:
        settings = Settings.from_environment(os.environ)
        registry, store, runtime = _clients()
        result = smoke_test(event, registry, store, Endpoint(settings.endpoint_name, runtime))
    except SmokeTestError as error:
        logger.error("smoke test failed", error=type(error).__name__, reason=str(error))
        raise
    if not result["compared"]:
        logger.warning("the package has no evidence; only the form of the answers was checked")
    logger.info("endpoint answered", **result)
    return result
