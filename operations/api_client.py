"""Ask the deployed REST API, as any caller on the internet would: with the product's own client."""

from __future__ import annotations

from operations.deployment import Deployment
from operations.errors import NotDeployed
from text_classifier import Client


def api_client(deployment: Deployment) -> Client:
    """The API of one deployment.

    Raises:
        NotDeployed: the environment has no API.
    """
    if deployment.api_url is None:
        raise NotDeployed(f"Environment '{deployment.env}' has no API.", hint="make up, or cdk deploy")
    return Client(deployment.api_url, api_key=deployment.api_key)
