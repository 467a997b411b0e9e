"""How long logs are kept, and whether they outlive their stack."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

# CDK names CloudWatch's retention periods in words.
_PERIODS = {
    1: "ONE_DAY",
    3: "THREE_DAYS",
    5: "FIVE_DAYS",
    7: "ONE_WEEK",
    14: "TWO_WEEKS",
    30: "ONE_MONTH",
    60: "TWO_MONTHS",
    90: "THREE_MONTHS",
    120: "FOUR_MONTHS",
    150: "FIVE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    400: "THIRTEEN_MONTHS",
    545: "EIGHTEEN_MONTHS",
    731: "TWO_YEARS",
    1096: "THREE_YEARS",
    1827: "FIVE_YEARS",
    2192: "SIX_YEARS",
    2557: "SEVEN_YEARS",
    2922: "EIGHT_YEARS",
    3288: "NINE_YEARS",
    3653: "TEN_YEARS",
}


@dataclass(frozen=True, kw_only=True)
class LogKeeping:
    """One rule for all log groups of an environment.

    Attributes:
        days: how long a log line is kept; one of CloudWatch's periods.
        removable: whether the groups go with their stack.
    """

    days: int
    removable: bool

    def group(self, scope: Construct, construct_id: str, *, name: str) -> logs.LogGroup:
        """Create a log group under this rule.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            name: name of the group.
        """
        return logs.LogGroup(
            scope,
            construct_id,
            log_group_name=name,
            retention=logs.RetentionDays[_PERIODS[self.days]],
            removal_policy=RemovalPolicy.DESTROY if self.removable else RemovalPolicy.RETAIN,
        )
