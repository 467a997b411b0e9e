"""AWS::S3::Bucket: the tags, which ministack drops, a deletion that keeps a full bucket, CDK's `autoDeleteObjects`.

The function behind `autoDeleteObjects` runs on Node and needs `@aws-sdk/client-s3`, which AWS's runtime has and this
machine has not. Without an answer the stack would wait for an hour.
"""

import logging
from contextlib import suppress
from functools import partial
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services.cloudformation import provisioners

from local.emulator.access import front_door
from local.emulator.access.identity import root_credentials
from local.emulator.cloudformation import resource_types
from local.emulator.cloudformation.resource_types import Created
from local.emulator.common.patching import Original, Record

logger = logging.getLogger("local.buckets")

_TYPE = "AWS::S3::Bucket"
_AUTO_DELETE_TYPE = "Custom::S3AutoDeleteObjects"
_AUTO_DELETE_TAG = "aws-cdk:auto-delete-objects"
_ENCRYPTION_HEADER = "x-amz-server-side-encryption"
_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"


def register() -> None:
    """Extend ministack's handlers of the type, and pass the stack's tags on to its buckets."""
    handlers = dict(provisioners._RESOURCE_HANDLERS[_TYPE])
    provisioners._STACK_TAG_PROPERTY[_TYPE] = ("Tags", "list")
    create, update = (partial(_with_tags, handlers[verb]) for verb in ("create", "update"))
    delete = partial(_delete, handlers["delete"])
    resource_types.register(_TYPE, create=create, update=update, delete=delete, on_worker=True)


def _with_tags(original: Original, *request: Any) -> Created:
    """Create or update a bucket, then set its tags. Both requests end with the new properties and the stack's name."""
    bucket, attributes = original(*request)
    _set_tags(bucket, request[-2].get("Tags") or [])
    return bucket, attributes


def _delete(original: Original, physical_id: str, props: Record) -> None:
    s3 = _client()
    with suppress(s3.exceptions.NoSuchBucket):
        # Unlike ministack's handler, it refuses a full one and clears the disk.
        s3.delete_bucket(Bucket=physical_id)
    original(physical_id, props)


def resolve_sse_write_headers(original: Original, headers: Record, bucket_name: str) -> Any:
    """Use the account's `aws/s3` key for `aws:kms` without a key, as CDK's uploads ask for."""
    if headers.get(_ENCRYPTION_HEADER) == "aws:kms" and not headers.get(_KEY_HEADER):
        headers = {**headers, _KEY_HEADER: f"arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/s3"}
    return original(headers, bucket_name)


def _client() -> Any:
    return front_door.client("s3", root_credentials())


def _set_tags(bucket: str, tags: list[dict[str, str]]) -> None:
    """Replace the bucket's tags, except `aws:` tags: only CloudFormation itself may set these."""
    own = [{"Key": tag["Key"], "Value": str(tag.get("Value", ""))} for tag in tags if not tag["Key"].startswith("aws:")]
    if own:
        _client().put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": own})
    else:
        _client().delete_bucket_tagging(Bucket=bucket)


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
    s3 = _client()
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
