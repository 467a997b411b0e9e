"""The role a training job runs under."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.acknowledgements import accept_wildcard
from stacks.common.container_image import ContainerImage
from stacks.common.s3_folder import S3Folder
from stacks.common.statements import (
    accept_container_wildcards,
    container_statements,
    list_buckets,
    read_objects,
    write_objects,
)

_LOG_GROUP = "/aws/sagemaker/TrainingJobs"


class TrainingRole(Construct):
    """Reads the data and the code, writes the artifacts of jobs; nothing else.

    Attributes:
        role: the role.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        datasets: S3Folder,
        artifacts: S3Folder,
        code_object_arn: str,
        image: ContainerImage,
    ) -> None:
        """Create the role.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            name: name of the role.
            datasets: where the channels lie.
            artifacts: where jobs write models and checkpoints.
            code_object_arn: ARN of the code tarball.
            image: the image a job runs.
        """
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            role_name=name,
            description="Execution role of training jobs",
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            inline_policies={
                "training-job": iam.PolicyDocument(
                    statements=[
                        read_objects(datasets.objects_arn, artifacts.objects_arn, code_object_arn),
                        list_buckets(datasets.bucket_arn, artifacts.bucket_arn),
                        write_objects(artifacts.objects_arn),
                        *container_statements(self, images=[image], log_group=_LOG_GROUP),
                    ]
                )
            },
        )
        accept_wildcard(
            self.role, datasets.objects_arn, "A data set's key contains its hash, unknown before it is collected."
        )
        accept_wildcard(
            self.role,
            artifacts.objects_arn,
            "An artifact's key contains the name of its job, unknown before it starts.",
        )
        accept_container_wildcards(self.role, log_group=_LOG_GROUP)
