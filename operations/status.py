"""What runs, where, and with which model; the same facts are in .local/status.json for other programs."""

from __future__ import annotations

import json
from typing import Any

from operations import command, local_cloud, paths
from operations.deployment import LOCAL_ENV, Deployment, connect
from operations.errors import LocalCloudError


def facts(deployment: Deployment) -> dict[str, Any]:
    """Everything another program needs to join in: addresses, credentials, model version, log folder."""
    credentials = deployment.session.get_credentials()
    return {
        "endpoint_url": deployment.endpoint_url,
        "region": deployment.session.region_name,
        "aws_access_key_id": credentials.access_key if deployment.endpoint_url else None,
        "aws_secret_access_key": credentials.secret_key if deployment.endpoint_url else None,
        "api_url": deployment.api_url,
        "api_key": deployment.api_key,
        "model_version": deployment.model_version,
        "log_dir": str(paths.LOGS) if deployment.endpoint_url else None,
    }


def write(deployment: Deployment) -> dict[str, Any]:
    """Write .local/status.json (readable by its owner only: it holds the local credentials) and return its content."""
    content = facts(deployment)
    partial = paths.STATUS.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    partial.replace(paths.STATUS)
    return content


def main() -> int:
    """Print the state of the environment; 1 where the local cloud does not run."""
    arguments = command.parser(__doc__).parse_args()
    if arguments.env == LOCAL_ENV and local_cloud.running_port() is None:
        raise LocalCloudError("The local cloud does not run.", hint="make up")
    deployment = connect(arguments.env)
    content = write(deployment) if deployment.endpoint_url else facts(deployment)
    for name, value in content.items():
        command.say(f"{name:22} {value if value is not None else '-'}")
    return 0


if __name__ == "__main__":
    command.run(main)
