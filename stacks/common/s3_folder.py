"""A folder of a bucket: where something is written, and what a role may touch."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_s3 as s3


@dataclass(frozen=True, kw_only=True)
class S3Folder:
    """Everything in a bucket below a prefix.

    Attributes:
        bucket_name: name of the bucket.
        bucket_arn: ARN of the bucket.
        prefix: name of the folder, without slashes around it.
    """

    bucket_name: str
    bucket_arn: str
    prefix: str

    @classmethod
    def exported(cls, bucket: s3.IBucket, prefix: str) -> S3Folder:
        """A folder that other stacks than the bucket's use.

        The export is made here and not when CDK meets the reference: only then are its names, which the reasons given
        for permissions refer to, known from the start.
        """
        stack = Stack.of(bucket)
        return cls(
            bucket_name=str(stack.export_value(bucket.bucket_name)),
            bucket_arn=str(stack.export_value(bucket.bucket_arn)),
            prefix=prefix,
        )

    @property
    def uri(self) -> str:
        """``s3://bucket/prefix``."""
        return f"s3://{self.bucket_name}/{self.prefix}"

    @property
    def objects_arn(self) -> str:
        """Pattern of the ARNs of the objects in it."""
        return f"{self.bucket_arn}/{self.prefix}/*"
