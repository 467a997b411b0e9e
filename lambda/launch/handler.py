"""Entry point of the launch function."""

import functools
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from launch.run import run
from shared.errors import FunctionError

logger = Logger()


@functools.cache
def _sagemaker_client() -> Any:
    """Return the client that all calls of a warm function share."""
    return boto3.client("sagemaker")


@logger.inject_lambda_context
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Check an execution's input; see `run`. Step Functions shows the class and message of an error."""
    try:
        result = run(event, os.environ, _sagemaker_client)
    except FunctionError as error:
        logger.error("refused", error=type(error).__name__, reason=str(error))
        raise
    logger.info("accepted", mode=result["mode"], job_name=result["job_name"], approval=result["approval"])
    return result
