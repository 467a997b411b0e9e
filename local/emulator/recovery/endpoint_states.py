"""Waiting for an endpoint, and bringing it to the endpoint config it ought to have. For worker threads."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import ClientError

from local.emulator.common.errors import ResourceFailed

_POLL_SECONDS = 0.2
_SECONDS = 900.0
_CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


def settled(client: Any, name: str) -> dict[str, Any]:
    """The description of an endpoint once nothing is being done to it; empty if there is no such endpoint.

    `client`: a boto3 client for SageMaker. Raises ResourceFailed after 15 minutes.
    """
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        try:
            endpoint = client.describe_endpoint(EndpointName=name)
        except ClientError as error:
            if "could not find" in error.response["Error"]["Message"].lower():
                return {}
            raise ResourceFailed(str(error)) from error
        if endpoint["EndpointStatus"] not in _CHANGING:
            return endpoint
        time.sleep(_POLL_SECONDS)
    raise ResourceFailed(f"Endpoint {name} was still {endpoint['EndpointStatus']} after {_SECONDS:.0f} s.")


def align(client: Any, name: str, config: str) -> None:
    """Have the endpoint run the endpoint config `config`, whatever it runs now. Raises ResourceFailed, ClientError."""
    endpoint = settled(client, name)
    if endpoint and endpoint["EndpointStatus"] != "InService":  # it can only be deleted
        client.delete_endpoint(EndpointName=name)
        endpoint = settled(client, name)
    if not endpoint:
        client.create_endpoint(EndpointName=name, EndpointConfigName=config)
    elif endpoint["EndpointConfigName"] != config:
        client.update_endpoint(EndpointName=name, EndpointConfigName=config)
    endpoint = settled(client, name)
    if endpoint.get("EndpointStatus") != "InService" or endpoint["EndpointConfigName"] != config:
        raise ResourceFailed(f"Endpoint {name} does not run {config}: {endpoint.get('FailureReason', 'it is gone')}")
