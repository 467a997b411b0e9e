"""A folder of a bucket: where something is written, and what a role may touch."""

from dataclasses import dataclass
from typing import Self

from aws_cdk import Stack
from aws_cdk import aws_s3 as s3


@dataclass(frozen=True, kw_only=True)
class S3Folder:
    """Everything in a bucket below a prefix, which has no slashes around it."""

    bucket_name: str
    bucket_arn: str
    prefix: str

    @classmethod
    def exported(cls, bucket: s3.IBucket, prefix: str) -> Self:
        """Return a folder that stacks other than the bucket's use.

        The export is created here, not when CDK meets the reference: the accepted wildcards contain its name, so it
        has to exist from the start.
        """
        stack = Stack.of(bucket)
        return cls(
            bucket_name=str(stack.export_value(bucket.bucket_name)),
            bucket_arn=str(stack.export_value(bucket.bucket_arn)),
            prefix=prefix,
        )

    @property
    def uri(self) -> str:
        """The folder as `s3://bucket/prefix`."""
        return f"s3://{self.bucket_name}/{self.prefix}"

    @property
    def objects_arn(self) -> str:
        """Pattern of the ARNs of the objects in it."""
        return self.arn_of("*")

    def arn_of(self, key: str) -> str:
        """Return the ARN of an object, or the pattern of several, below the folder."""
        return f"{self.bucket_arn}/{self.prefix}/{key}"
