"""How long logs are kept, and whether they outlive their stack."""

from dataclasses import dataclass
from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct


@dataclass(frozen=True, kw_only=True)
class LogKeeping:
    """One rule for all log groups of an environment.

    `days`: how long a log line is kept; one of CloudWatch's periods.
    """

    days: int
    removable: bool

    def group(self, scope: Construct, construct_id: str, *, name: str) -> logs.LogGroup:
        """Create a log group under this rule."""
        removal_policy = RemovalPolicy.DESTROY if self.removable else RemovalPolicy.RETAIN
        group = logs.LogGroup(scope, construct_id, log_group_name=name, removal_policy=removal_policy)
        # CDK's own property takes the period as a word.
        cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = self.days
        return group
