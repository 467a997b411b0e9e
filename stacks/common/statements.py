"""IAM statements that more than one role needs."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.acknowledgements import accept_wildcard
from stacks.common.container_image import ContainerImage


def read_objects(*object_arns: str) -> iam.PolicyStatement:
    """Read the objects under these ARNs."""
    return iam.PolicyStatement(actions=["s3:GetObject"], resources=list(object_arns))


def list_buckets(*bucket_arns: str) -> iam.PolicyStatement:
    """List these buckets; without it a missing object reads as 'access denied'."""
    return iam.PolicyStatement(actions=["s3:ListBucket", "s3:GetBucketLocation"], resources=list(bucket_arns))


def write_objects(*object_arns: str) -> iam.PolicyStatement:
    """Write objects under these ARNs, large ones in parts."""
    return iam.PolicyStatement(actions=["s3:PutObject", "s3:AbortMultipartUpload"], resources=list(object_arns))


def pass_role(role_arn: str, service: str) -> iam.PolicyStatement:
    """Hand a role to one service and to no other."""
    return iam.PolicyStatement(
        actions=["iam:PassRole"],
        resources=[role_arn],
        conditions={"StringEquals": {"iam:PassedToService": service}},
    )


def container_statements(
    scope: Construct, *, images: Iterable[ContainerImage], log_group: str
) -> list[iam.PolicyStatement]:
    """What every SageMaker container needs: pull its image, write its log, publish its metrics.

    Args:
        scope: any construct of the stack, for partition, region and account.
        images: the images that the role may pull.
        log_group: log group below ``/aws/sagemaker/`` that the container writes to; may end in ``*``.
    """
    stack = Stack.of(scope)
    return [
        iam.PolicyStatement(
            actions=["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
            resources=[image.repository_arn(stack.partition) for image in images],
        ),
        iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
        iam.PolicyStatement(
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resources=[log_group_arn(scope, log_group)],
        ),
        iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}},
        ),
    ]


def accept_container_wildcards(role: iam.Role, *, log_group: str) -> None:
    """Say why the statements of `container_statements` hold a ``*``."""
    accept_wildcard(
        role,
        "*",
        "ecr:GetAuthorizationToken and cloudwatch:PutMetricData have no resource-level permissions; the latter is held "
        "to SageMaker's namespaces by a condition.",
    )
    accept_wildcard(
        role, log_group_arn(role, log_group), "The log streams of this group are named by SageMaker, one per host."
    )


def log_group_arn(scope: Construct, log_group: str) -> str:
    """ARN of a log group and the streams in it."""
    stack = Stack.of(scope)
    return f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{log_group}:*"
