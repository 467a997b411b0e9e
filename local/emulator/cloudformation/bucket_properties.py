"""AWS::S3::Bucket properties as parameters of the S3 API. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Properties = Mapping[str, Any]


def encryption(properties: Properties) -> dict[str, Any]:
    """``BucketEncryption`` → ServerSideEncryptionConfiguration."""
    rules = []
    for rule in properties["ServerSideEncryptionConfiguration"]:
        default = rule.get("ServerSideEncryptionByDefault", {})
        translated: dict[str, Any] = {"ApplyServerSideEncryptionByDefault": dict(default)}
        if "BucketKeyEnabled" in rule:
            translated["BucketKeyEnabled"] = _truth(rule["BucketKeyEnabled"])
        rules.append(translated)
    return {"Rules": rules}


def lifecycle(properties: Properties) -> dict[str, Any]:
    """``LifecycleConfiguration`` → BucketLifecycleConfiguration."""
    return {"Rules": [_lifecycle_rule(rule) for rule in properties["Rules"]]}


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    translated: dict[str, Any] = {"Status": rule["Status"], "Filter": _lifecycle_filter(rule)}
    if rule.get("Id"):
        translated["ID"] = rule["Id"]
    expiration = {
        name: convert(rule[source])
        for source, name, convert in (
            ("ExpirationInDays", "Days", int),
            ("ExpirationDate", "Date", str),
            ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker", _truth),
        )
        if source in rule
    }
    if expiration:
        translated["Expiration"] = expiration
    if rule.get("Transitions"):
        translated["Transitions"] = [
            {"Days": int(step["TransitionInDays"]), "StorageClass": step["StorageClass"]}
            for step in rule["Transitions"]
        ]
    noncurrent = rule.get("NoncurrentVersionExpiration")
    days = noncurrent["NoncurrentDays"] if noncurrent else rule.get("NoncurrentVersionExpirationInDays")
    if days is not None:
        translated["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(days)}
        if noncurrent and "NewerNoncurrentVersions" in noncurrent:
            newer = int(noncurrent["NewerNoncurrentVersions"])
            translated["NoncurrentVersionExpiration"]["NewerNoncurrentVersions"] = newer
    if rule.get("AbortIncompleteMultipartUpload"):
        after = int(rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
        translated["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": after}
    return translated


def _lifecycle_filter(rule: Properties) -> dict[str, Any]:
    tags = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in rule.get("TagFilters", [])]
    prefix = rule.get("Prefix", "")
    if not tags:
        return {"Prefix": prefix}
    if len(tags) == 1 and not prefix:
        return {"Tag": tags[0]}
    return {"And": {"Prefix": prefix, "Tags": tags}}


def ownership(properties: Properties) -> dict[str, Any]:
    """``OwnershipControls`` → OwnershipControls."""
    return {"Rules": [{"ObjectOwnership": rule["ObjectOwnership"]} for rule in properties["Rules"]]}


def logging(properties: Properties) -> dict[str, Any]:
    """``LoggingConfiguration`` → BucketLoggingStatus (a bucket that logs into itself names no destination)."""
    target = properties.get("DestinationBucketName", "")
    return {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": properties.get("LogFilePrefix", "")}}


def _truth(value: Any) -> bool:
    return str(value).lower() == "true"


CONFIGURATIONS: tuple[tuple[str, Callable[[Properties], dict[str, Any]], str, str, str], ...] = (
    (
        "BucketEncryption",
        encryption,
        "put_bucket_encryption",
        "ServerSideEncryptionConfiguration",
        "delete_bucket_encryption",
    ),
    (
        "LifecycleConfiguration",
        lifecycle,
        "put_bucket_lifecycle_configuration",
        "LifecycleConfiguration",
        "delete_bucket_lifecycle",
    ),
    (
        "OwnershipControls",
        ownership,
        "put_bucket_ownership_controls",
        "OwnershipControls",
        "delete_bucket_ownership_controls",
    ),
)
"""(property, translation, call that sets it, its argument, call that removes it)."""
