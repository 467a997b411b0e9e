"""Storage: private, encrypted, TLS only, and removable exactly where the configuration says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aws_cdk.assertions import Match

if TYPE_CHECKING:
    from conftest import Assemblies

BUCKET = "AWS::S3::Bucket"


def test_buckets_are_private_and_encrypted(assemblies: Assemblies) -> None:
    """Every bucket is encrypted, blocks public access and leaves ownership to the account."""
    assemblies.assertions("prod", "storage").all_resources_properties(
        BUCKET,
        Match.object_like(
            {
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
                },
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            }
        ),
    )


def test_buckets_refuse_plain_http(assemblies: Assemblies) -> None:
    """Every bucket's policy denies requests without TLS."""
    assemblies.assertions("prod", "storage").all_resources_properties(
        "AWS::S3::BucketPolicy",
        Match.object_like(
            {
                "PolicyDocument": {
                    "Statement": Match.array_with(
                        [
                            Match.object_like(
                                {
                                    "Action": "s3:*",
                                    "Effect": "Deny",
                                    "Principal": {"AWS": "*"},
                                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                                }
                            )
                        ]
                    )
                }
            }
        ),
    )


@pytest.mark.parametrize("prefix", ["data/", "artifacts/"])
def test_working_buckets_are_logged_versioned_and_tidied(assemblies: Assemblies, prefix: str) -> None:
    """Data and artifacts keep access logs and old versions for a while, and drop uploads that never finished."""
    assemblies.assertions("prod", "storage").has_resource_properties(
        BUCKET,
        Match.object_like(
            {
                "LoggingConfiguration": {"DestinationBucketName": Match.any_value(), "LogFilePrefix": prefix},
                "VersioningConfiguration": {"Status": "Enabled"},
                "LifecycleConfiguration": {
                    "Rules": [
                        Match.object_like(
                            {
                                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                                "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                            }
                        )
                    ]
                },
            }
        ),
    )


@pytest.mark.parametrize(("env", "policy"), [("local", "Delete"), ("dev", "Delete"), ("prod", "RetainExceptOnCreate")])
def test_buckets_go_or_stay_as_configured(assemblies: Assemblies, env: str, policy: str) -> None:
    """Outside production a bucket goes with its stack; in production it stays."""
    buckets = assemblies.resources(env, "storage", BUCKET)
    assert {bucket["DeletionPolicy"] for bucket in buckets} == {policy}
    emptied = assemblies.resources(env, "storage", "Custom::S3AutoDeleteObjects")
    assert len(emptied) == (len(buckets) if policy == "Delete" else 0)


def test_resources_are_tagged(assemblies: Assemblies) -> None:
    """Costs can be told apart by project and environment."""
    tags = [{"Key": "environment", "Value": "prod"}, {"Key": "project", "Value": "text-classifier"}]
    assemblies.assertions("prod", "storage").all_resources_properties(
        BUCKET, Match.object_like({"Tags": Match.array_with(tags)})
    )


@pytest.mark.parametrize("env", ["local", "dev", "prod"])
def test_one_role_alone_writes_kept_archives(assemblies: Assemblies, env: str) -> None:
    """Whatever anybody is allowed, the bucket refuses writing below `models/` to all but the function that keeps."""
    (denied,) = [
        statement
        for policy in assemblies.resources(env, "storage", "AWS::S3::BucketPolicy")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "s3:PutObject" and statement["Effect"] == "Deny"
    ]
    assert denied["Principal"] == {"AWS": "*"} and denied["Resource"]["Fn::Join"][1][-1] == "/models/*"
    (keeper,) = denied["Condition"]["ArnNotEquals"].values()
    assert keeper["Fn::Join"][1][-1].startswith(f":role/text-classifier-{env}-gate-keep")
