"""The role of the release workflow: it may change one parameter of one stack, under the release role."""

from __future__ import annotations

from constructs import Construct

from stacks.common.names import Names
from stacks.common.permissions import Right, grant, look_at_champion, pass_role, service_role, use_packages
from stacks.release.parts import ReleaseParts


class ReleaseWorkflowRole(Construct):
    """Execution role of the state machine."""

    def __init__(self, scope: Construct, construct_id: str, *, names: Names, parts: ReleaseParts) -> None:
        """Create the role."""
        super().__init__(scope, construct_id)
        self.role = service_role(
            self,
            name=f"{names.release}-workflow",
            service="states",
            description=f"Execution role of the state machine {names.release}",
        )
        grant(
            self.role,
            Right(
                ["cloudformation:UpdateStack"],
                [names.serving_stack_arn],
                "CloudFormation appends an id to the name of this one stack.",
                conditions={"StringEquals": {"cloudformation:RoleArn": parts.release_role_arn}},
            ),
            pass_role(parts.release_role_arn, "cloudformation"),
            look_at_champion(names.serving_stack_arn, "cloudformation:DescribeStackEvents"),
            use_packages(names.package_arns, "sagemaker:UpdateModelPackage"),
            Right(["states:ListExecutions"], [names.state_machine_arn(names.release)]),
            Right(["lambda:InvokeFunction"], [parts.smoke_test_function_arn]),
            Right(["sns:Publish"], [parts.topic_arn]),
        )
