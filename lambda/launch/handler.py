"""Entry point of the launch function."""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from launch.run import run
from shared.function import client, failures_logged

logger = Logger()


@logger.inject_lambda_context
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Check an execution's input; see `run`. Step Functions shows the class and message of an error."""
    with failures_logged(logger, "refused"):
        result = run(event, os.environ, lambda: client("sagemaker"))
    logger.info("accepted", mode=result["mode"], job_name=result["job_name"], approval=result["approval"])
    return result
