"""CDK's `autoDeleteObjects`, done without its Lambda function.

That function runs on Node and needs `@aws-sdk/client-s3`, which AWS's runtime has and this machine has not. Without
an answer the stack would wait for an hour.
"""

from __future__ import annotations

import logging
from typing import Any

from ministack.core.responses import new_uuid

from local.emulator.access import front_door
from local.emulator.access.identity import root_credentials
from local.emulator.common.patching import Original, Record

logger = logging.getLogger("local.custom_resources")

_AUTO_DELETE_TYPE = "Custom::S3AutoDeleteObjects"
_AUTO_DELETE_TAG = "aws-cdk:auto-delete-objects"


def invoke_custom_resource(
    original: Original, request_type: str, logical_id: str, props: Record, *rest: Any, **options: Any
) -> Any:
    """Answer `autoDeleteObjects` in this process; every other custom resource still calls its function."""
    _, _, resource_type, *_ = rest
    if resource_type != _AUTO_DELETE_TYPE:
        return original(request_type, logical_id, props, *rest, **options)
    bucket: str = props["BucketName"]
    before: str = (options.get("old_props") or {}).get("BucketName", bucket)
    if request_type == "Delete" or (request_type == "Update" and before != bucket):
        _empty_bucket(before)
    return options.get("physical_id") or new_uuid(), {}


def _empty_bucket(bucket: str) -> None:
    """Delete every version of every object, if the bucket still carries CDK's tag."""
    s3 = front_door.client("s3", root_credentials())
    try:
        tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchBucket", "NoSuchTagSet"):
            raise
        tags = {}
    if tags.get(_AUTO_DELETE_TAG) != "true":
        logger.info("Bucket %s carries no tag %s=true: its objects are kept.", bucket, _AUTO_DELETE_TAG)
        return
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        entries = page.get("Versions", []) + page.get("DeleteMarkers", [])
        objects = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
        if objects:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
