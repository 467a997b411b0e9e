"""The CodeBuild project that builds the slim serving image, so that deploying needs no Docker."""

from pathlib import Path

import yaml
from aws_cdk import Stack
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.common.names import bucket_arn
from stacks.common.permissions import ECR_LOGIN, Right, accept, service_role
from stacks.common.python_function import FunctionSetup

BUILD_MINUTES, QUEUE_MINUTES = 8, 5
"""A build takes two to three minutes; the function that waits for it may run for fifteen."""

_BUILDSPEC = Path(__file__).with_name("buildspec.yaml")


def image_project(
    scope: Construct,
    *,
    setup: FunctionSetup,
    name: str,
    source: s3_assets.Asset,
    repository: ecr.IRepository,
    tag: str,
) -> tuple[codebuild.CfnProject, iam.Role]:
    """Create the project that builds one image from one source object and pushes it under one tag, and its role.

    Both have to exist before a build starts.
    """
    log_group = setup.logs.group(scope, "Log", name=f"/aws/codebuild/{name}")
    role_name = setup.names.global_name(name)
    role = _build_role(scope, role_name, source=source, repository=repository, log_group_arn=log_group.log_group_arn)
    project = codebuild.CfnProject(
        scope,
        "Project",
        name=name,
        description="Builds the slim serving image and pushes it",
        service_role=role.role_arn,
        source=codebuild.CfnProject.SourceProperty(
            type="S3",
            location=f"{source.s3_bucket_name}/{source.s3_object_key}",
            build_spec=Stack.of(scope).to_json_string(yaml.safe_load(_BUILDSPEC.read_text(encoding="utf-8"))),
        ),
        artifacts=codebuild.CfnProject.ArtifactsProperty(type="NO_ARTIFACTS"),
        environment=codebuild.CfnProject.EnvironmentProperty(
            type="LINUX_CONTAINER",
            compute_type="BUILD_GENERAL1_SMALL",
            image="aws/codebuild/standard:7.0",
            privileged_mode=True,
            environment_variables=[
                codebuild.CfnProject.EnvironmentVariableProperty(
                    name="IMAGE", value=repository.repository_uri_for_tag(tag)
                )
            ],
        ),
        logs_config=codebuild.CfnProject.LogsConfigProperty(
            cloud_watch_logs=codebuild.CfnProject.CloudWatchLogsConfigProperty(
                status="ENABLED", group_name=log_group.log_group_name
            )
        ),
        timeout_in_minutes=BUILD_MINUTES,
        queued_timeout_in_minutes=QUEUE_MINUTES,
    )
    accept(project, "AwsSolutions-CB3", "docker build needs a privileged environment; it builds our source alone.")
    accept(
        project,
        "AwsSolutions-CB4",
        "The build has no output artifact that a key of ours could encrypt; image and log are encrypted by ECR and "
        "CloudWatch Logs.",
    )
    return project, role


def _build_role(
    scope: Construct, name: str, *, source: s3_assets.Asset, repository: ecr.IRepository, log_group_arn: str
) -> iam.Role:
    bucket = bucket_arn(scope, source.s3_bucket_name)
    # What "IAM permissions for pushing an image" in Amazon ECR's user guide lists.
    push = [
        "ecr:BatchGetImage",
        "ecr:BatchCheckLayerAvailability",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
    ]
    rights = [
        Right(["s3:GetObject", "s3:GetObjectVersion"], [f"{bucket}/{source.s3_object_key}"]),
        Right(["s3:GetBucketLocation"], [bucket]),
        Right(push, [repository.repository_arn]),
        ECR_LOGIN,
        Right(["logs:CreateLogStream", "logs:PutLogEvents"], [log_group_arn]),
    ]
    return service_role(
        scope,
        name=name,
        service="codebuild",
        description=f"Execution role of the CodeBuild project {name}",
        inline={"build": rights},
    )
