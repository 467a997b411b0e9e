"""AWS::S3::Bucket properties as parameters of the S3 API. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Properties = Mapping[str, Any]


def encryption(properties: Properties) -> dict[str, Any]:
    """Return what PutBucketEncryption takes for `BucketEncryption`."""
    rules = []
    for rule in properties["ServerSideEncryptionConfiguration"]:
        default = rule.get("ServerSideEncryptionByDefault", {})
        translated: dict[str, Any] = {"ApplyServerSideEncryptionByDefault": dict(default)}
        if "BucketKeyEnabled" in rule:
            translated["BucketKeyEnabled"] = _truth(rule["BucketKeyEnabled"])
        rules.append(translated)
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def lifecycle(properties: Properties) -> dict[str, Any]:
    """Return what PutBucketLifecycleConfiguration takes for `LifecycleConfiguration`."""
    return {"LifecycleConfiguration": {"Rules": [_lifecycle_rule(rule) for rule in properties["Rules"]]}}


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    translated: dict[str, Any] = {
        "Status": rule["Status"],
        "Filter": _lifecycle_filter(rule),
        "ID": rule.get("Id"),
        "Expiration": {
            name: convert(rule[source])
            for source, name, convert in (
                ("ExpirationInDays", "Days", int),
                ("ExpirationDate", "Date", str),
                ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker", _truth),
            )
            if source in rule
        },
        "Transitions": [
            {"Days": int(step["TransitionInDays"]), "StorageClass": step["StorageClass"]}
            for step in rule.get("Transitions") or []
        ],
        "NoncurrentVersionExpiration": _integers(
            rule.get("NoncurrentVersionExpiration") or {"NoncurrentDays": rule.get("NoncurrentVersionExpirationInDays")}
        ),
        "AbortIncompleteMultipartUpload": _integers(rule.get("AbortIncompleteMultipartUpload") or {}),
    }
    return {name: value for name, value in translated.items() if value}


def _integers(properties: Properties) -> dict[str, int]:
    return {name: int(value) for name, value in properties.items() if value is not None}


def _lifecycle_filter(rule: Properties) -> dict[str, Any]:
    tags = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in rule.get("TagFilters", [])]
    prefix = rule.get("Prefix", "")
    if not tags:
        return {"Prefix": prefix}
    if len(tags) == 1 and not prefix:
        return {"Tag": tags[0]}
    return {"And": {"Prefix": prefix, "Tags": tags}}


def ownership(properties: Properties) -> dict[str, Any]:
    """Return what PutBucketOwnershipControls takes for `OwnershipControls`."""
    return {
        "OwnershipControls": {"Rules": [{"ObjectOwnership": rule["ObjectOwnership"]} for rule in properties["Rules"]]}
    }


def logging(properties: Properties, bucket: str) -> dict[str, Any]:
    """Return the BucketLoggingStatus for `LoggingConfiguration`; without a destination, `bucket` logs into itself."""
    target = properties.get("DestinationBucketName") or bucket
    return {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": properties.get("LogFilePrefix", "")}}


def _truth(value: Any) -> bool:
    return str(value).lower() == "true"


CONFIGURATIONS: tuple[tuple[str, Callable[[Properties], dict[str, Any]], str, str], ...] = (
    ("BucketEncryption", encryption, "put_bucket_encryption", "delete_bucket_encryption"),
    ("LifecycleConfiguration", lifecycle, "put_bucket_lifecycle_configuration", "delete_bucket_lifecycle"),
    ("OwnershipControls", ownership, "put_bucket_ownership_controls", "delete_bucket_ownership_controls"),
)
"""(property, its translation into arguments, the call that sets it, the call that removes it)."""
