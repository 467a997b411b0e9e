"""The CodeBuild project that builds the slim serving image, so that whoever deploys needs no Docker."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.common.acknowledgements import accept, accept_wildcard
from stacks.common.log_keeping import LogKeeping
from stacks.common.statements import list_buckets

BUILD_MINUTES, QUEUE_MINUTES = 8, 5
"""A build takes two to three minutes; the function that waits for it may run for fifteen."""

_STEPS = {
    "version": "0.2",
    "phases": {
        "pre_build": {
            "commands": [
                "aws ecr get-login-password | docker login --username AWS --password-stdin ${IMAGE%%/*}",
            ]
        },
        "build": {
            "commands": [
                "docker build --file container/Dockerfile --tag $IMAGE .",
                # Not in post_build, which runs after a failed build as well.
                "docker push $IMAGE",
            ]
        },
    },
}


class ImageProject(Construct):
    """Builds one image from one source object and pushes it under one tag.

    Attributes:
        name: name of the project.
        arn: ARN of the project.
        ready: what has to exist before a build is started.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        source: s3_assets.Asset,
        repository: ecr.IRepository,
        tag: str,
        logs: LogKeeping,
    ) -> None:
        """Create the project.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            name: name of the project and of its role.
            source: zip of the build's folder.
            repository: where the image is pushed to.
            tag: the image's tag.
            logs: how long the build's log is kept.
        """
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        log_group = logs.group(self, "Log", name=f"/aws/codebuild/{name}")
        role = self._role(name, source=source, repository=repository, log_group_arn=log_group.log_group_arn)
        project = codebuild.CfnProject(
            self,
            "Project",
            name=name,
            description="Builds the slim serving image and pushes it",
            service_role=role.role_arn,
            source=codebuild.CfnProject.SourceProperty(
                type="S3",
                location=f"{source.s3_bucket_name}/{source.s3_object_key}",
                build_spec=stack.to_json_string(_STEPS),
            ),
            artifacts=codebuild.CfnProject.ArtifactsProperty(type="NO_ARTIFACTS"),
            environment=codebuild.CfnProject.EnvironmentProperty(
                type="LINUX_CONTAINER",
                compute_type="BUILD_GENERAL1_SMALL",
                image="aws/codebuild/standard:7.0",
                privileged_mode=True,
                environment_variables=[
                    codebuild.CfnProject.EnvironmentVariableProperty(name=name_, value=value)
                    for name_, value in {
                        "IMAGE": repository.repository_uri_for_tag(tag),
                        # Attestations would make the tag an index of manifests, which SageMaker can't pull.
                        "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
                    }.items()
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
        self.name, self.arn = name, project.attr_arn
        self.ready = (project, role)

    def _role(self, name: str, *, source: s3_assets.Asset, repository: ecr.IRepository, log_group_arn: str) -> iam.Role:
        stack = Stack.of(self)
        bucket_arn = f"arn:{stack.partition}:s3:::{source.s3_bucket_name}"
        push = [
            "ecr:BatchCheckLayerAvailability",
            "ecr:InitiateLayerUpload",
            "ecr:UploadLayerPart",
            "ecr:CompleteLayerUpload",
            "ecr:PutImage",
        ]
        role = iam.Role(
            self,
            "Role",
            role_name=name,
            description=f"Execution role of the CodeBuild project {name}",
            assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"),
            inline_policies={
                "build": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["s3:GetObject", "s3:GetObjectVersion"],
                            resources=[f"{bucket_arn}/{source.s3_object_key}"],
                        ),
                        list_buckets(bucket_arn),
                        iam.PolicyStatement(actions=push, resources=[repository.repository_arn]),
                        iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
                        iam.PolicyStatement(
                            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group_arn]
                        ),
                    ]
                )
            },
        )
        accept_wildcard(role, "*", "ecr:GetAuthorizationToken has no resource-level permissions.")
        return role
