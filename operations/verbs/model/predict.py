"""Classify one text."""

import argparse

from operations.aws import registry
from operations.aws.deployment import Deployment, connect
from operations.console import Answer
from operations.errors import OperationError


def predict(arguments: argparse.Namespace) -> Answer:
    """Classify one text through the REST API.

    For example: make predict TEXT="The zoom is sharp up to 200 mm.", python -m operations predict "It broke."
    """
    deployment = connect(arguments.env)
    _refuse_to_wait(deployment)
    with deployment.api_client() as client:
        return Answer(client.score(arguments.text).as_dict())


def _refuse_to_wait(deployment: Deployment) -> None:
    """Say so at once where nothing serves and a model waits for a person: no repetition of the request would help."""
    if deployment.released_package:
        return
    waiting = [one.version for one in registry.packages(deployment) if one.status == registry.PENDING]
    if waiting:
        raise OperationError(
            f"No model of yours is in service; version {waiting[-1]} waits for a person's approval.",
            hint=f"make report PACKAGE={waiting[-1]} shows its figures, make approve PACKAGE={waiting[-1]} releases it",
        )
