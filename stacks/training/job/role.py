"""The role a training job runs under."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.container_image import ContainerImage
from stacks.common.permissions import container_rights, list_buckets, read_objects, service_role, write_objects
from stacks.common.s3_folder import S3Folder

_LOG_GROUP = "/aws/sagemaker/TrainingJobs"


def training_role(
    scope: Construct, *, name: str, datasets: S3Folder, artifacts: S3Folder, code_object_arn: str, image: ContainerImage
) -> iam.Role:
    """Create the role of training jobs: it reads the data and the code and writes the artifacts of jobs.

    Args:
        datasets: where the channels lie.
        artifacts: where jobs write models and checkpoints.
        code_object_arn: ARN of the code tarball.
    """
    reason = "A data set's key contains its hash, an artifact's the name of its job; neither is known beforehand."
    rights = [
        read_objects(datasets.objects_arn, artifacts.objects_arn, code_object_arn, reason=reason),
        list_buckets(datasets.bucket_arn, artifacts.bucket_arn),
        write_objects(artifacts.objects_arn, reason=reason),
        *container_rights(scope, images=[image], log_group=_LOG_GROUP),
    ]
    return service_role(
        scope,
        name=name,
        service="sagemaker",
        description="Execution role of training jobs",
        inline={"training-job": rights},
    )
