"""Entry point of the smoke test, and of the look at the archive before it is released."""

import os
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.function import client, failures_logged
from shared.settings import required
from smoke_test.archive import check_archive
from smoke_test.endpoint import Endpoint, make_runtime
from smoke_test.run import describe, smoke_test

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run `smoke_test` against the endpoint that the variable `ENDPOINT_NAME` names.

    An event with the member `archive` asks about the package's archive instead; see `check_archive`.
    """
    logger.append_keys(model_package_arn=event.get("model_package_arn"))
    with failures_logged(logger, "smoke test failed"):
        if "archive" in event:
            _, artifact = describe(client("sagemaker"), event["model_package_arn"])
            return {"archive": check_archive(artifact.model_data, client("s3"))}
        endpoint = Endpoint(required(os.environ, "ENDPOINT_NAME"), make_runtime())
        result = smoke_test(event, client("sagemaker"), client("s3"), endpoint)
    if not result["compared"]:
        logger.warning("the package has no evidence; only the form of the answers was checked")
    logger.info("endpoint answered", **result)
    return result
