"""AWS::S3::Bucket properties as parameters of the S3 API. Pure functions, which leave types to `to_parameters`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Properties = Mapping[str, Any]


def encryption(properties: Properties) -> dict[str, Any]:
    """Return what PutBucketEncryption takes for `BucketEncryption`."""
    rules = [
        {**rule, "ApplyServerSideEncryptionByDefault": rule.get("ServerSideEncryptionByDefault", {})}
        for rule in properties["ServerSideEncryptionConfiguration"]
    ]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def lifecycle(properties: Properties) -> dict[str, Any]:
    """Return what PutBucketLifecycleConfiguration takes for `LifecycleConfiguration`."""
    return {"LifecycleConfiguration": {"Rules": [_lifecycle_rule(rule) for rule in properties["Rules"]]}}


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    expiration = {
        name: rule.get(source)
        for name, source in (
            ("Days", "ExpirationInDays"),
            ("Date", "ExpirationDate"),
            ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"),
        )
    }
    noncurrent_days = rule.get("NoncurrentVersionExpirationInDays")
    return {
        **rule,
        "ID": rule.get("Id") or None,
        "Prefix": None,  # a member of Filter
        "NoncurrentVersionTransitions": None,  # written differently in templates, and of no use here
        "Filter": _lifecycle_filter(rule),
        "Expiration": expiration if any(value is not None for value in expiration.values()) else None,
        "Transitions": [{**step, "Days": step["TransitionInDays"]} for step in rule.get("Transitions") or []] or None,
        "NoncurrentVersionExpiration": rule.get("NoncurrentVersionExpiration")
        or (noncurrent_days and {"NoncurrentDays": noncurrent_days}),
    }


def _lifecycle_filter(rule: Properties) -> dict[str, Any]:
    tags, prefix = rule.get("TagFilters", []), rule.get("Prefix", "")
    if not tags:
        return {"Prefix": prefix}
    if len(tags) == 1 and not prefix:
        return {"Tag": tags[0]}
    return {"And": {"Prefix": prefix, "Tags": tags}}


def logging(properties: Properties, bucket: str) -> dict[str, Any]:
    """Return the BucketLoggingStatus for `LoggingConfiguration`; without a destination, `bucket` logs into itself."""
    target = properties.get("DestinationBucketName") or bucket
    return {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": properties.get("LogFilePrefix", "")}}


CONFIGURATIONS: tuple[tuple[str, Callable[[Properties], dict[str, Any]], str, str], ...] = (
    ("BucketEncryption", encryption, "PutBucketEncryption", "DeleteBucketEncryption"),
    ("LifecycleConfiguration", lifecycle, "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"),
    (
        "OwnershipControls",
        lambda properties: {"OwnershipControls": properties},
        "PutBucketOwnershipControls",
        "DeleteBucketOwnershipControls",
    ),
)
"""(property, its translation into parameters, the operation that sets it, the operation that removes it)."""
