"""What runs, where, and with which model."""

import argparse
import json
from typing import Any

from operations import paths
from operations.aws.deployment import Deployment, connect
from operations.console import Answer


def status(arguments: argparse.Namespace) -> Answer:
    """Show what runs, where, and which model answers; on the local cloud .local/status.json holds the same.

    The model is asked once, for a few seconds. `model_version` is the one that answers, `released_version` the stack's.

    For example: make status, python -m operations status --json
    """
    facts = write(connect(arguments.env))
    lines = [f"{name:22} {'-' if value is None else value}" for name, value in facts.items()]
    return Answer(facts, "\n".join(lines), whole=True)


def write(deployment: Deployment) -> dict[str, Any]:
    """Return everything that another program needs to join in; on the local cloud .local/status.json gets it too."""
    local = deployment.variables
    version, said = deployment.ask_model()
    facts = {
        "endpoint_url": deployment.endpoint_url,
        "region": deployment.session.region_name,
        "aws_access_key_id": local.get("AWS_ACCESS_KEY_ID"),
        "aws_secret_access_key": local.get("AWS_SECRET_ACCESS_KEY"),
        "api_url": deployment.api_url,
        "api_key": deployment.api_key,
        "model": said,
        "model_version": version,
        "released_version": deployment.model_version,
        "log_dir": str(paths.LOGS) if local else None,
    }
    if local:
        partial = paths.STATUS.with_suffix(".partial")
        partial.touch(mode=0o600)  # readable by its owner only: it holds the local credentials
        partial.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        partial.replace(paths.STATUS)
    return facts
