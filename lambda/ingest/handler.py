"""Entry point of the ingest function."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from ingest.pipeline import ingest
from ingest.settings import Settings
from ingest.store import DataStore
from shared.function import client, failures_logged

logger = Logger()


def run(event: Mapping[str, Any], environment: Mapping[str, str], s3: Any) -> dict[str, Any]:
    """Do the step with the given environment variables and boto3 S3 client; see `ingest`.

    `event` has the `data_source`, a checked prefix or None, the `hyperparameters` of the job that comes next, and the
    `job_name` for the log.
    """
    settings = Settings.from_environment(environment)
    store = DataStore(settings.data_bucket, s3)
    return ingest(event.get("data_source"), event.get("hyperparameters") or {}, settings, store, now=datetime.now(UTC))


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Bring the data of a run into the bucket. Step Functions shows the class and message of an error."""
    logger.append_keys(job_name=event.get("job_name"))
    with failures_logged(logger, "ingest failed"):
        result = run(event, os.environ, client("s3"))
    logger.info("ingested", **result)
    return result
