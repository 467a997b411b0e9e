"""Storage: the data, the artifacts, and the access logs of both."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks.config.environment import Config
from stacks.storage.secure_bucket import SecureBucket

_ACCESS_LOG_DAYS = 90


class StorageStack(Stack):
    """Buckets that outlive the other stacks.

    Attributes:
        data: raw and collected data.
        artifacts: models and whatever else jobs write.
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: Config, **kwargs: Any) -> None:
        """Create the buckets of one environment."""
        super().__init__(scope, construct_id, **kwargs)
        logs = SecureBucket(self, "Logs", removable=config.removable, expire_after_days=_ACCESS_LOG_DAYS).bucket
        self.data = SecureBucket(self, "Data", removable=config.removable, access_logs=logs).bucket
        self.artifacts = SecureBucket(self, "Artifacts", removable=config.removable, access_logs=logs).bucket

        CfnOutput(self, "DataBucket", value=self.data.bucket_name)
        CfnOutput(self, "ArtifactsBucket", value=self.artifacts.bucket_name)
