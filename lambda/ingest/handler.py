"""Entry point of the ingest function: environment and payload in, one call, where the data lies out."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from ingest.errors import IngestError
from ingest.pipeline import ingest
from ingest.settings import Settings
from ingest.store import DataStore

logger = Logger()


@functools.cache
def _s3_client() -> Any:
    """One client for all calls of a warm function."""
    return boto3.client("s3")


def run(event: Mapping[str, Any], environment: Mapping[str, str], client: Any) -> dict[str, Any]:
    """Does the step with the given environment variables and S3 client.

    Args:
        event: ``data_source``, a prefix that the step before has checked, or None; ``job_name`` is for the log.
        environment: see ``Settings``.
        client: a boto3 S3 client.

    Raises:
        IngestError: the source, the data or the deployment is wrong; Step Functions shows class and message.
    """
    settings = Settings.from_environment(environment)
    store = DataStore(settings.data_bucket, client)
    return ingest(event.get("data_source"), settings, store, now=datetime.now(UTC))


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What Lambda calls. See ``run``."""
    logger.append_keys(job_name=event.get("job_name"))
    try:
        result = run(event, os.environ, _s3_client())
    except IngestError as error:
        logger.error("ingest failed", error=type(error).__name__, reason=str(error))
        raise
    logger.info("ingested", **result)
    return result
