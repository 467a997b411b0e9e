"""The role a served model runs under."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.acknowledgements import accept_wildcard
from stacks.common.container_image import ContainerImage
from stacks.common.log_keeping import LogKeeping
from stacks.common.s3_folder import S3Folder
from stacks.common.statements import accept_container_wildcards, container_statements, list_buckets, read_objects


class ModelRole(Construct):
    """Pulls a serving image, reads model artifacts, writes the endpoint's log.

    It is created with its policy in one resource: a model made between a role and its policy can't pull its image.
    The endpoint's log group is created here too, because the serving stack holds nothing but the endpoint, and because
    a group that SageMaker creates by itself keeps its logs for ever.

    Attributes:
        role: the role.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        endpoint_name: str,
        artifacts: S3Folder,
        images: Iterable[ContainerImage],
        logs: LogKeeping,
    ) -> None:
        """Create the role and the endpoint's log group.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            name: fixed name of the role; other stacks build its ARN from it.
            endpoint_name: name of the endpoint that will serve.
            artifacts: where the models lie.
            images: the serving images.
            logs: how long the endpoint's log is kept.
        """
        super().__init__(scope, construct_id)
        log_group = f"/aws/sagemaker/Endpoints/{endpoint_name}"
        logs.group(self, "Log", name=log_group)
        self.role = iam.Role(
            self,
            "Role",
            role_name=name,
            description="Execution role of the served model",
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            inline_policies={
                "model": iam.PolicyDocument(
                    statements=[
                        read_objects(artifacts.objects_arn),
                        list_buckets(artifacts.bucket_arn),
                        *container_statements(self, images=images, log_group=log_group),
                    ]
                )
            },
        )
        accept_wildcard(self.role, artifacts.objects_arn, "A model's key contains the name of the job that made it.")
        accept_container_wildcards(self.role, log_group=log_group)
