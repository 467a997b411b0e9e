"""Stand-ins for SageMaker and S3, written by hand."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

ARN = "arn:aws:sagemaker:us-east-1:111122223333:model-package/text-classifier-dev/7"
FOLDER = "s3://artifacts/evidence/cafe"


def client_error(code: str, message: str = "", status: int = 400, **more: Any) -> ClientError:
    """A refusal as boto3 raises it."""
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **more,
    }
    return ClientError(response, "Operation")


def answer(
    label: str = "helpful",
    confidence: float = 0.9,
    score: float | None = 1.5,
    version: str | None = "7",
    labels: list[str] | None = None,
) -> bytes:
    """A prediction as the container sends it."""
    prediction: dict[str, Any] = {"label": label, "confidence": confidence, "score": score, "truncated": False}
    if labels is not None:
        prediction["labels"] = labels
    return json.dumps({"predictions": [prediction], "model": {"version": version}}).encode()


def sentence(text: str) -> bytes:
    """A request as it was sent for the gate."""
    return json.dumps({"inputs": text}).encode()


class FakeRegistry:
    """Knows one package."""

    def __init__(self, metadata: dict[str, str] | None = None) -> None:
        self.model_data = "s3://artifacts/training/job/output/model.tar.gz"
        self.metadata = {"evidence": f"{FOLDER}/0123/sentences.jsonl.out"} if metadata is None else metadata

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        """As in boto3."""
        if ModelPackageName != ARN:
            raise client_error("ValidationException", "ModelPackage does not exist")
        containers = [{"Image": "image:1", "ModelDataUrl": self.model_data}]
        return {
            "ModelPackageArn": ARN,
            "CustomerMetadataProperties": self.metadata,
            "InferenceSpecification": {"Containers": containers},
        }


class FakeStore:
    """Objects by URI; a value that is an error is raised."""

    def __init__(self, objects: dict[str, bytes | Exception]) -> None:
        self.objects = objects

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        """As in boto3."""
        found = self.objects.get(f"s3://{Bucket}/{Key}", client_error("NoSuchKey", status=404))
        if isinstance(found, Exception):
            raise found
        return {"Body": io.BytesIO(found)}


class FakeRuntime:
    """An endpoint that answers each request as a function says; an error it returns is raised."""

    def __init__(self, respond: Callable[[str], bytes | Exception]) -> None:
        self.respond = respond
        self.asked: list[str] = []

    def invoke_endpoint(self, *, EndpointName: str, ContentType: str, Accept: str, Body: bytes) -> dict[str, Any]:
        """As in boto3."""
        assert (EndpointName, ContentType, Accept) == ("text-classifier-dev", "application/json", "application/json")
        self.asked.append(json.loads(Body)["inputs"])
        found = self.respond(self.asked[-1])
        if isinstance(found, Exception):
            raise found
        return {"Body": io.BytesIO(found)}
