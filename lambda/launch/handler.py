"""Entry point of the launch function: environment and input in, one call, the next steps' input out."""

from __future__ import annotations

import functools
import os
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from launch.errors import LaunchError
from launch.request import prepare
from launch.settings import Settings

logger = Logger()


@functools.cache
def _sagemaker_client() -> Any:
    """One client for all calls of a warm function."""
    return boto3.client("sagemaker")


def run(event: Any, environment: Mapping[str, str], sagemaker: Callable[[], Any]) -> dict[str, Any]:
    """Does the step with the given environment variables and SageMaker client.

    Raises:
        LaunchError: the input or the deployment is wrong; Step Functions shows class and message.
    """
    settings = Settings.from_environment(environment)
    return prepare(event, settings, sagemaker, now=datetime.now(UTC), token=secrets.token_hex(3))


@logger.inject_lambda_context
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    """What Lambda calls. See ``run``."""
    try:
        result = run(event, os.environ, _sagemaker_client)
    except LaunchError as error:
        logger.error("refused", error=type(error).__name__, reason=str(error))
        raise
    logger.info("accepted", mode=result["mode"], job_name=result["job_name"], approval=result["approval"])
    return result
