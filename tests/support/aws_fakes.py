"""Fakes of S3, CloudFormation and the model registry, kept in dicts."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from botocore.exceptions import ClientError


def client_error(operation: str, code: str, message: str = "no") -> ClientError:
    """An error as boto3 raises it."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class FakeS3:
    """Objects by their URI; a URI in `denied` can't be read."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.denied: set[str] = set()

    def get_object(self, *, Bucket: str, Key: str, IfMatch: str = "") -> dict[str, Any]:
        uri = f"s3://{Bucket}/{Key}"
        if uri in self.denied:
            raise client_error("GetObject", "AccessDenied")
        if uri not in self.objects:
            raise client_error("GetObject", "NoSuchKey")
        if IfMatch and IfMatch != self.head_object(Bucket=Bucket, Key=Key)["ETag"]:
            raise client_error("GetObject", "PreconditionFailed")
        return {"Body": io.BytesIO(self.objects[uri])}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        uri = f"s3://{Bucket}/{Key}"
        if uri in self.denied:
            raise client_error("HeadObject", "403")
        if uri not in self.objects:
            raise client_error("HeadObject", "404")
        return {"ETag": f'"{hashlib.md5(self.objects[uri]).hexdigest()}"'}

    def copy_object(self, *, Bucket: str, Key: str, CopySource: dict[str, str], CopySourceIfMatch: str) -> None:
        found = self.get_object(**CopySource, IfMatch=CopySourceIfMatch)
        self.objects[f"s3://{Bucket}/{Key}"] = found["Body"].read()

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        self.objects[f"s3://{Bucket}/{Key}"] = Body
        self.types[f"s3://{Bucket}/{Key}"] = ContentType


class FakeCloudFormation:
    """One stack at most, with the parameter of the champion."""

    def __init__(self, package_arn: str | None = None, status: str = "UPDATE_COMPLETE") -> None:
        self.package_arn = package_arn
        self.status = status
        self.refusal: ClientError | None = None

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        if self.refusal:
            raise self.refusal
        if self.package_arn is None:
            raise client_error("DescribeStacks", "ValidationError", f"Stack with id {StackName} does not exist")
        parameters = [{"ParameterKey": "ModelPackageArn", "ParameterValue": self.package_arn}]
        return {"Stacks": [{"StackName": StackName, "StackStatus": self.status, "Parameters": parameters}]}


class FakeSageMaker:
    """Model packages by ARN: their containers."""

    def __init__(self) -> None:
        self.containers: dict[str, list[dict[str, Any]]] = {}
        self.metadata: dict[str, str] = {}

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        if ModelPackageName not in self.containers:
            raise client_error("DescribeModelPackage", "ValidationException", "ModelPackage does not exist.")
        containers = self.containers[ModelPackageName]
        return {"InferenceSpecification": {"Containers": containers}, "CustomerMetadataProperties": self.metadata}
