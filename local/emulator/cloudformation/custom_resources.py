"""CDK's custom resources that cannot run here as they are.

``autoDeleteObjects`` is a Node function that needs ``@aws-sdk/client-s3``, which AWS's runtime brings along and this
machine does not. Without an answer a stack would hang for an hour, so its work is done here.
"""

from __future__ import annotations

import logging
from typing import Any

from ministack.core.responses import get_region, new_uuid
from ministack.services.cloudformation import custom_resource

from local.emulator.access.front_door import FrontDoor
from local.emulator.access.identity import root_credentials

logger = logging.getLogger("local.custom_resources")

AUTO_DELETE_TYPE = "Custom::S3AutoDeleteObjects"
_AUTO_DELETE_TAG = "aws-cdk:auto-delete-objects"


def install(front_door: FrontDoor) -> None:
    """Answer CDK's autoDeleteObjects in this process; every other custom resource still calls its Lambda."""
    invoke = custom_resource.invoke_custom_resource

    def invoke_custom_resource(
        request_type: str, logical_id: str, props: dict, stack_name: str, stack_id: str, resource_type: str, **rest: Any
    ) -> tuple[str, dict]:
        if resource_type != AUTO_DELETE_TYPE:
            return invoke(request_type, logical_id, props, stack_name, stack_id, resource_type, **rest)
        bucket = props["BucketName"]
        before = (rest.get("old_props") or {}).get("BucketName", bucket)
        s3 = front_door.client("s3", root_credentials(), get_region())
        if request_type == "Update" and before != bucket:
            empty_bucket(s3, before)
        elif request_type == "Delete":
            empty_bucket(s3, bucket)
        return rest.get("physical_id") or new_uuid(), {}

    custom_resource.invoke_custom_resource = invoke_custom_resource


def empty_bucket(s3: Any, bucket: str) -> None:
    """Delete every version of every object, if the bucket still carries CDK's tag. `s3`: a boto3 client."""
    try:
        tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchBucket", "NoSuchTagSet"):
            raise
        tags = {}
    if tags.get(_AUTO_DELETE_TAG) != "true":
        logger.info("Bucket %s carries no tag %s=true: its objects stay.", bucket, _AUTO_DELETE_TAG)
        return
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        entries = page.get("Versions", []) + page.get("DeleteMarkers", [])
        objects = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
        if objects:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
