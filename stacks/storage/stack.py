"""Storage: the buckets."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.project_stack import ProjectStack, add_outputs
from stacks.config.environment import Config
from stacks.storage.own_key import own_key
from stacks.storage.secure_bucket import secure_bucket

_ACCESS_LOG_DAYS = 90


class StorageStack(ProjectStack):
    """Buckets that outlive the other stacks.

    `data`: raw and collected data. `artifacts`: what jobs write, and the archives that are kept of it.
    """

    def __init__(self, scope: Construct, *, config: Config) -> None:
        """Create the buckets of one environment."""
        super().__init__(scope, "storage", config=config)
        logs = secure_bucket(self, "Logs", removable=config.removable, expire_after_days=_ACCESS_LOG_DAYS)
        key = None
        if config.own_key:
            key = own_key(Construct(self, "OwnKey"), names=self.names, removable=config.removable)
        self.data = secure_bucket(self, "Data", removable=config.removable, access_logs=logs, key=key)
        self.artifacts = secure_bucket(self, "Artifacts", removable=config.removable, access_logs=logs, key=key)
        # Whatever the others are allowed: a kept archive is the one that was judged.
        self.artifacts.add_to_resource_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:PutObject"],
                resources=[self.artifacts.arn_for_objects("models/*")],
                conditions={"ArnNotEquals": {"aws:PrincipalArn": self.names.keeper_arn}},
            )
        )
        add_outputs(self, {"DataBucket": self.data.bucket_name, "ArtifactsBucket": self.artifacts.bucket_name})
