"""Classify one text."""

from __future__ import annotations

import argparse

from operations.aws.deployment import connect
from operations.console import Answer


def predict(arguments: argparse.Namespace) -> Answer:
    """Classify one text through the REST API.

    For example: make predict TEXT="The zoom is sharp up to 200 mm.", python -m operations predict "It broke."
    """
    with connect(arguments.env).api_client() as client:
        return Answer(client.score(arguments.text).as_dict())
