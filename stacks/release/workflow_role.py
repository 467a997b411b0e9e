"""The role of the release workflow: it may change one parameter of one stack, under the release role."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.acknowledgements import accept_wildcard
from stacks.common.statements import pass_role


class ReleaseWorkflowRole(Construct):
    """Execution role of the state machine.

    Attributes:
        role: the role.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        machine: str,
        serving_stack: str,
        release_role_arn: str,
        packages_arn: str,
        smoke_test_function_arn: str,
        topic_arn: str,
    ) -> None:
        """Create the role.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            machine: name of the state machine.
            serving_stack: name of the stack that it may update.
            release_role_arn: the role that it hands to CloudFormation, and must.
            packages_arn: pattern of the ARNs of the group's packages.
            smoke_test_function_arn: the function that it asks.
            topic_arn: the topic that it writes to.
        """
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        place = f"{stack.region}:{stack.account}"
        stack_arn = f"arn:{stack.partition}:cloudformation:{place}:stack/{serving_stack}/*"
        machine_arn = f"arn:{stack.partition}:states:{place}:stateMachine:{machine}"
        self.role = iam.Role(
            self,
            "Role",
            role_name=f"{machine}-workflow",
            description=f"Execution role of the state machine {machine}",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
        )
        for statement in (
            iam.PolicyStatement(
                actions=["cloudformation:UpdateStack"],
                resources=[stack_arn],
                conditions={"StringEquals": {"cloudformation:RoleArn": release_role_arn}},
            ),
            pass_role(release_role_arn, "cloudformation.amazonaws.com"),
            _allow(["cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents"], stack_arn),
            _allow(["sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"], packages_arn),
            _allow(["states:ListExecutions"], machine_arn),
            _allow(["lambda:InvokeFunction"], smoke_test_function_arn),
            _allow(["sns:Publish"], topic_arn),
        ):
            self.role.add_to_policy(statement)
        accept_wildcard(self.role, stack_arn, "A stack's ARN ends in an id that CloudFormation makes up.")
        accept_wildcard(self.role, packages_arn, "Any version of this group may be released.")
        accept_wildcard(
            self.role,
            "*",
            "Log delivery (logs:*LogDelivery, *ResourcePolicies, DescribeLogGroups) and X-Ray have no resource-level "
            "permissions; both come with the logging and tracing of the state machine.",
        )


def _allow(actions: list[str], resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=[resource])
