"""A private bucket: encrypted, TLS only, no public access, versioned, tidied up by lifecycle rules."""

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.common.removal import removal_policy

_ABORTED_UPLOAD_DAYS = 7  # parts of an upload that never finished
_OLD_VERSION_DAYS = 30  # an overwritten or deleted object can be restored for so long


def secure_bucket(
    scope: Construct,
    construct_id: str,
    *,
    removable: bool,
    access_logs: s3.IBucket | None = None,
    expire_after_days: int | None = None,
    key: kms.IKey | None = None,
) -> s3.Bucket:
    """Create a bucket that no one outside the account can read.

    `key`: encrypts it (SSE-KMS); None leaves it to S3's own keys (SSE-S3), which cost nothing. S3 can't deliver access
    logs into a bucket under a KMS key by default.

    `removable`: whether the bucket is emptied and deleted with its stack. `access_logs`: bucket that receives this
    one's access logs; None for the log bucket itself. `expire_after_days`: objects are deleted after this; None keeps
    them.
    """
    return s3.Bucket(
        Construct(scope, construct_id),
        "Bucket",
        encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
        encryption_key=key,
        # One call to KMS for many objects instead of one for each.
        bucket_key_enabled=True if key else None,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        # Log objects are written once; versions of them would only cost money.
        versioned=access_logs is not None,
        server_access_logs_bucket=access_logs,
        server_access_logs_prefix=f"{construct_id.lower()}/" if access_logs else None,
        lifecycle_rules=[
            s3.LifecycleRule(
                id="tidy-up",
                abort_incomplete_multipart_upload_after=Duration.days(_ABORTED_UPLOAD_DAYS),
                noncurrent_version_expiration=Duration.days(_OLD_VERSION_DAYS) if access_logs else None,
                expiration=Duration.days(expire_after_days) if expire_after_days else None,
            )
        ],
        removal_policy=removal_policy(removable=removable),
        auto_delete_objects=removable,
    )
