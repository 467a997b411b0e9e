"""The state machine that puts a model package into service."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.log_keeping import LogKeeping
from stacks.common.outputs import add_outputs
from stacks.release.definition import release_definition
from stacks.release.parts import ReleaseParts


class ReleaseWorkflow(Construct):
    """Compare → update the stack → ask the endpoint → report, or back to the champion with the reason.

    Attributes:
        state_machine: the state machine.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        parts: ReleaseParts,
        role: iam.IRole,
        logs: LogKeeping,
    ) -> None:
        """Create the state machine.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            name: name of the state machine.
            parts: what its states refer to.
            role: its execution role.
            logs: how long the log is kept.
        """
        super().__init__(scope, construct_id)
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            comment="Puts an approved model package into service",
            definition_body=sfn.DefinitionBody.from_string(Stack.of(self).to_json_string(release_definition(parts))),
            role=role,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=logs.group(self, "Log", name=f"/aws/vendedlogs/states/{name}"),
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )
        add_outputs(self, {"ReleaseStateMachineArn": self.state_machine.state_machine_arn})
