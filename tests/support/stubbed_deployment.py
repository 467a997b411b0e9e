"""A deployment on AWS whose answers a test forces, in the shapes of AWS's own service models (botocore's Stubber)."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.stub import ANY, Stubber

from operations.aws.deployment import Deployment

PARAMETERS = {"list_service_quotas": {"ServiceCode": "sagemaker"}, "get_parameter": {"Name": ANY}}
"""What a call has to ask; of others a test does not look at it."""
CREDENTIALS = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}


class StubbedDeployment(Deployment):
    """A deployment on AWS whose clients answer what a test forces; any other call is an error."""

    def answer(self, service: str, operation: str, answer: dict[str, Any]) -> None:
        self._stubber(service).add_response(operation, answer, PARAMETERS.get(operation))

    def fail(self, service: str, operation: str, code: str) -> None:
        self._stubber(service).add_client_error(operation, code, "no")

    def client(self, service: str) -> Any:
        return self._stubber(service).client

    def _stubber(self, service: str) -> Stubber:
        stubbers = self.__dict__.setdefault("stubbers", {})
        if service not in stubbers:
            stubbers[service] = Stubber(boto3.client(service, **CREDENTIALS))
            stubbers[service].activate()
        stubber: Stubber = stubbers[service]
        return stubber
