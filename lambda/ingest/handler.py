"""Entry point of the ingest function: environment and input in, one call, the next steps' input out."""

from __future__ import annotations

import functools
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from ingest import execution_input
from ingest.errors import IngestError
from ingest.pipeline import ingest
from ingest.settings import Settings
from ingest.store import DataStore

logger = Logger()


@functools.cache
def _s3_client() -> Any:
    """One client for all calls of a warm function."""
    return boto3.client("s3")


def run(event: Any, environment: Mapping[str, str], client: Any) -> dict[str, Any]:
    """Does the step with the given environment variables and S3 client.

    Raises:
        IngestError: the input, the data or the deployment is wrong; Step Functions shows class and message.
    """
    settings = Settings.from_environment(environment)
    request = execution_input.parse(event, settings.allowed_hyperparameters)
    store = DataStore(settings.data_bucket, client)
    return ingest(request, settings, store, now=datetime.now(UTC), token=secrets.token_hex(3))


@logger.inject_lambda_context
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    """What Lambda calls. See ``run``."""
    try:
        result = run(event, os.environ, _s3_client())
    except IngestError as error:
        logger.error("ingest failed", error=type(error).__name__, reason=str(error))
        raise
    logger.info("ingested", **{key: value for key, value in result.items() if key != "hyperparameters"})
    return result
