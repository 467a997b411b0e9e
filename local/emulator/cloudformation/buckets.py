"""AWS::S3::Bucket: the properties that ministack drops, and a deletion that keeps a bucket with objects in it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners

from local.emulator.access import front_door
from local.emulator.access.identity import root_credentials
from local.emulator.cloudformation import resource_types
from local.emulator.cloudformation.bucket_properties import CONFIGURATIONS, logging
from local.emulator.cloudformation.properties import to_parameters
from local.emulator.common.errors import ResourceFailedError
from local.emulator.common.patching import Original, Record

_TYPE = "AWS::S3::Bucket"
_ENCRYPTION_HEADER = "x-amz-server-side-encryption"
_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"


def register() -> None:
    """Extend ministack's handlers of the type, and pass the stack's tags on to its buckets."""
    handlers = dict(provisioners._RESOURCE_HANDLERS[_TYPE])
    provisioners._STACK_TAG_PROPERTY[_TYPE] = ("Tags", "list")

    def create(logical_id: str, props: Record, stack_name: str) -> resource_types.Created:
        bucket, attributes = handlers["create"](logical_id, props, stack_name)
        _configure(bucket, {}, props)
        return bucket, attributes

    def update(physical_id: str, old: Record, new: Record, stack_name: str) -> resource_types.Created:
        bucket, attributes = handlers["update"](physical_id, old, new, stack_name)
        _configure(bucket, old if bucket == physical_id else {}, new)
        return bucket, attributes

    def delete(physical_id: str, props: Record) -> None:
        s3 = _client()
        try:
            listed = s3.list_object_versions(Bucket=physical_id, MaxKeys=1)
        except s3.exceptions.NoSuchBucket:
            return
        if listed.get("Versions") or listed.get("DeleteMarkers"):
            raise ResourceFailedError(
                "The bucket you tried to delete is not empty. You must delete all versions in it."
            )
        s3.delete_bucket(Bucket=physical_id)  # unlike ministack's handler, this clears the folder on disk as well
        handlers["delete"](physical_id, props)

    resource_types.register(_TYPE, create=create, update=update, delete=delete, on_worker=True)


def resolve_sse_write_headers(original: Original, headers: Record, bucket_name: str) -> Any:
    """Use the account's `aws/s3` key for `aws:kms` without a key, as CDK's uploads ask for."""
    if headers.get(_ENCRYPTION_HEADER) == "aws:kms" and not headers.get(_KEY_HEADER):
        headers = {**headers, _KEY_HEADER: f"arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/s3"}
    return original(headers, bucket_name)


def _client() -> Any:
    return front_door.client("s3", root_credentials())


def _configure(bucket: str, old: Record, new: Record) -> None:
    """Change a bucket from the properties `old` to `new`, as far as ministack's own handler did not."""
    s3 = _client()
    try:
        if old.get("Tags") != new.get("Tags"):
            _set_tags(s3, bucket, new.get("Tags") or [])
        for name, translate, put, remove in CONFIGURATIONS:
            if old.get(name) == new.get(name):
                continue
            operation, translated = (put, translate(new[name])) if new.get(name) else (remove, {})
            shape = s3.meta.service_model.operation_model(operation).input_shape
            s3._make_api_call(operation, to_parameters({"Bucket": bucket, **translated}, shape))
        target = new.get("LoggingConfiguration")
        if target and old.get("LoggingConfiguration") != target:
            s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=logging(target, bucket))
        before, after = (props.get("VersioningConfiguration") or {} for props in (old, new))
        if before.get("Status") == "Enabled" and after.get("Status") != "Enabled":
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    except ClientError as error:
        raise ResourceFailedError(str(error)) from error


def _set_tags(s3: Any, bucket: str, tags: list[dict[str, str]]) -> None:
    """Replace the bucket's tags, except `aws:` tags: only CloudFormation itself may set these."""
    own = [{"Key": tag["Key"], "Value": str(tag.get("Value", ""))} for tag in tags if not tag["Key"].startswith("aws:")]
    if own:
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": own})
    else:
        s3.delete_bucket_tagging(Bucket=bucket)
