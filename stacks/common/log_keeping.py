"""How long logs are kept, and whether they outlive their stack."""

from dataclasses import dataclass
from typing import cast

from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.common.removal import removal_policy


@dataclass(frozen=True, kw_only=True)
class LogKeeping:
    """One rule for all log groups of an environment.

    `days`: how long a log line is kept; one of CloudWatch's periods. `key_arn`: KMS key; empty for CloudWatch's own.
    """

    days: int
    removable: bool
    key_arn: str

    def group(self, scope: Construct, construct_id: str, *, name: str) -> logs.LogGroup:
        """Create a log group under this rule."""
        policy = removal_policy(removable=self.removable)
        group = logs.LogGroup(scope, construct_id, log_group_name=name, removal_policy=policy)
        # CDK's own property takes the period as a word.
        resource = cast(logs.CfnLogGroup, group.node.default_child)
        resource.retention_in_days, resource.kms_key_id = self.days, self.key_arn or None
        return group
