"""A Step Functions state machine with its log."""

from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.log_keeping import LogKeeping
from stacks.common.permissions import accept_wildcard


def state_machine(
    scope: Construct, *, name: str, comment: str, definition: dict[str, Any], role: iam.Role, logs: LogKeeping
) -> sfn.StateMachine:
    """Create a traced and logged state machine named `StateMachine` in its scope.

    `definition`: the machine in Amazon States Language; may hold CDK tokens.
    """
    accept_wildcard(
        role,
        "*",
        "Log delivery (logs:*LogDelivery, *ResourcePolicies, DescribeLogGroups) and X-Ray have no resource-level "
        "permissions; both come with the logging and tracing of the state machine.",
    )
    return sfn.StateMachine(
        scope,
        "StateMachine",
        state_machine_name=name,
        comment=comment,
        definition_body=sfn.DefinitionBody.from_string(Stack.of(scope).to_json_string(definition)),
        role=role,
        tracing_enabled=True,
        logs=sfn.LogOptions(
            # Log groups of Step Functions need this prefix, else the resource policy for them outgrows its limit.
            destination=logs.group(scope, "Log", name=f"/aws/vendedlogs/states/{name}"),
            level=sfn.LogLevel.ALL,
            include_execution_data=True,
        ),
        removal_policy=RemovalPolicy.DESTROY,
    )
