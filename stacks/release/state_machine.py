"""The state machine that puts a model package into service."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.log_keeping import LogKeeping
from stacks.common.project_stack import add_outputs
from stacks.common.state_machine import state_machine
from stacks.release.definition import release_definition
from stacks.release.parts import ReleaseParts


class ReleaseWorkflow(Construct):
    """Compare → update the stack → ask the endpoint → report, or back to the champion with the reason."""

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, parts: ReleaseParts, role: iam.Role, logs: LogKeeping
    ) -> None:
        """Create the state machine."""
        super().__init__(scope, construct_id)
        self.state_machine = state_machine(
            self,
            name=name,
            comment="Puts an approved model package into service",
            definition=release_definition(parts),
            role=role,
            logs=logs,
        )
        add_outputs(self, {"ReleaseStateMachineArn": self.state_machine.state_machine_arn})
