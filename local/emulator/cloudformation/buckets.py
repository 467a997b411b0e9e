"""AWS::S3::Bucket: the properties ministack drops, and the delete that spares a full bucket."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import get_account_id, get_region
from ministack.services import s3 as s3_service
from ministack.services.cloudformation import provisioners, stacks

from local.emulator.access.front_door import FrontDoor
from local.emulator.access.identity import root_credentials
from local.emulator.cloudformation.bucket_properties import CONFIGURATIONS, logging
from local.emulator.common.errors import ResourceFailed

_TYPE = "AWS::S3::Bucket"
_ENCRYPTION_HEADER = "x-amz-server-side-encryption"
_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"


def install(front_door: FrontDoor) -> None:
    """Wrap the type's handlers. They call this server, so they leave the event loop."""
    handlers = provisioners._RESOURCE_HANDLERS[_TYPE]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]
    on_worker = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda resource_type: resource_type == _TYPE or on_worker(resource_type)
    # Tags of the stack reach the bucket with its own.
    provisioners._STACK_TAG_PROPERTY[_TYPE] = ("Tags", "list")

    def client() -> Any:
        return front_door.client("s3", root_credentials(), get_region())

    def create_bucket(logical_id: str, props: dict, stack_name: str) -> tuple[str, dict]:
        created = create(logical_id, props, stack_name)
        _configure(client(), created[0], {}, props)
        return created

    def update_bucket(physical_id: str, old: dict, new: dict, stack_name: str) -> tuple[str, dict]:
        updated = update(physical_id, old, new, stack_name)
        _configure(client(), updated[0], old if updated[0] == physical_id else {}, new)
        return updated

    def delete_bucket(physical_id: str, props: dict) -> None:
        s3 = client()
        try:
            listed = s3.list_object_versions(Bucket=physical_id, MaxKeys=1)
        except s3.exceptions.NoSuchBucket:
            return
        if listed.get("Versions") or listed.get("DeleteMarkers"):
            raise ResourceFailed("The bucket you tried to delete is not empty. You must delete all versions in it.")
        s3.delete_bucket(Bucket=physical_id)  # unlike the type's own handler this clears the folder on disk as well
        delete(physical_id, props)

    handlers.update(create=create_bucket, update=update_bucket, delete=delete_bucket)
    _install_default_key()


def _install_default_key() -> None:
    """``aws:kms`` without a key means the account's own ``aws/s3`` key; ministack refuses it (CDK's uploads)."""
    resolve = s3_service._resolve_sse_write_headers

    def _resolve_sse_write_headers(headers: dict, bucket_name: str) -> tuple:
        if headers.get(_ENCRYPTION_HEADER) == "aws:kms" and not headers.get(_KEY_HEADER):
            headers = {**headers, _KEY_HEADER: f"arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/s3"}
        return resolve(headers, bucket_name)

    s3_service._resolve_sse_write_headers = _resolve_sse_write_headers


def _configure(s3: Any, bucket: str, old: dict, new: dict) -> None:
    """Bring a bucket from the properties `old` to `new`, as far as ministack's own handler did not."""
    try:
        if old.get("Tags") != new.get("Tags"):
            _set_tags(s3, bucket, new.get("Tags") or [])
        for name, translate, put, argument, remove in CONFIGURATIONS:
            if old.get(name) == new.get(name):
                continue
            if new.get(name):
                getattr(s3, put)(Bucket=bucket, **{argument: translate(new[name])})
            else:
                getattr(s3, remove)(Bucket=bucket)
        if new.get("LoggingConfiguration") and old.get("LoggingConfiguration") != new["LoggingConfiguration"]:
            status = logging(new["LoggingConfiguration"])
            status["LoggingEnabled"]["TargetBucket"] = status["LoggingEnabled"]["TargetBucket"] or bucket
            s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=status)
        versioning = (old.get("VersioningConfiguration") or {}).get("Status")
        if versioning == "Enabled" and (new.get("VersioningConfiguration") or {}).get("Status") != "Enabled":
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    except ClientError as error:
        raise ResourceFailed(str(error)) from error


def _set_tags(s3: Any, bucket: str, tags: list[dict[str, str]]) -> None:
    """Replace the bucket's tags. ``aws:`` tags are CloudFormation's own; the API takes them from nobody."""
    own = [{"Key": tag["Key"], "Value": str(tag.get("Value", ""))} for tag in tags if not tag["Key"].startswith("aws:")]
    if own:
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": own})
    else:
        s3.delete_bucket_tagging(Bucket=bucket)
