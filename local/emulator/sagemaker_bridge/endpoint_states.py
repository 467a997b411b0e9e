"""Waiting for an endpoint, and bringing it to the endpoint config that it should run. For worker threads.

`client` is a boto3 client for SageMaker everywhere.
"""

import time
from typing import Any

from botocore.exceptions import ClientError

from local.emulator.common.errors import ResourceFailedError
from local.emulator.common.patching import Record

_POLL_SECONDS = 0.2
_SECONDS = 900.0
_CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


def settled(client: Any, name: str) -> Record:
    """Return an endpoint's description once no change is in progress; nothing if there is no such endpoint.

    Raises ResourceFailedError after 15 minutes, and ClientError.
    """
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            endpoint: Record = client.describe_endpoint(EndpointName=name)
        except ClientError as error:
            if says_missing(error):
                return {}
            raise
        if endpoint["EndpointStatus"] not in _CHANGING:
            return endpoint
        if time.monotonic() > deadline:
            raise ResourceFailedError(f"the endpoint was still {endpoint['EndpointStatus']} after {_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)


def wait_in_service(client: Any, name: str, config: str = "") -> None:
    """Wait until the endpoint is in service, and runs `config` if given. Raises ResourceFailedError with the reason."""
    endpoint = settled(client, name)
    status = endpoint.get("EndpointStatus", "gone")
    if status != "InService" or config not in ("", endpoint["EndpointConfigName"]):
        raise ResourceFailedError(endpoint.get("FailureReason") or f"the endpoint is {status}")


def align(client: Any, name: str, config: str) -> None:
    """Have the endpoint run `config`, whatever it runs now. Raises ResourceFailedError, ClientError."""
    endpoint = settled(client, name)
    if endpoint and endpoint["EndpointStatus"] != "InService":  # it can only be deleted
        client.delete_endpoint(EndpointName=name)
        endpoint = settled(client, name)
    if not endpoint:
        client.create_endpoint(EndpointName=name, EndpointConfigName=config)
    elif endpoint["EndpointConfigName"] != config:
        client.update_endpoint(EndpointName=name, EndpointConfigName=config)
    wait_in_service(client, name, config)


def says_missing(error: ClientError) -> bool:
    """Return whether a call failed because its resource does not exist."""
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"].lower()
    return "NotFound" in code or "could not find" in message or "does not exist" in message
