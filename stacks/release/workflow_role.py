"""The role of the release workflow: it may change one parameter of one stack, under the release role."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.names import Names
from stacks.common.permissions import Right, grant, look_at_champion, pass_role, service_role, use_packages
from stacks.release.parts import ReleaseParts


def release_workflow_role(scope: Construct, *, names: Names, parts: ReleaseParts) -> iam.Role:
    """Create the execution role of the release workflow."""
    role = service_role(
        scope,
        name=names.global_name(f"{names.release}-workflow"),
        service="states",
        description=f"Execution role of the state machine {names.release}",
    )
    grant(
        role,
        Right(
            ["cloudformation:UpdateStack"],
            [names.serving_stack_arn],
            "CloudFormation appends an id to the name of this one stack.",
            conditions={"StringEquals": {"cloudformation:RoleArn": parts.release_role_arn}},
        ),
        pass_role(parts.release_role_arn, "cloudformation"),
        look_at_champion(names.serving_stack_arn, "cloudformation:DescribeStackEvents"),
        use_packages(names.package_arns, "sagemaker:UpdateModelPackage"),
        Right(["sagemaker:DescribeEndpoint"], [names.endpoint_arn]),
        Right(["states:ListExecutions"], [names.state_machine_arn(names.release)]),
        Right(["lambda:InvokeFunction"], [parts.smoke_test_function_arn]),
        Right(["sns:Publish"], [parts.topic_arn]),
    )
    return role
