"""The role a training job runs under."""

from __future__ import annotations

from constructs import Construct

from stacks.common.container_image import ContainerImage
from stacks.common.permissions import container_rights, list_buckets, read_objects, service_role, write_objects
from stacks.common.s3_folder import S3Folder

_LOG_GROUP = "/aws/sagemaker/TrainingJobs"


class TrainingRole(Construct):
    """Reads the data and the code, writes the artifacts of jobs; nothing else."""

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
            datasets: where the channels lie.
            artifacts: where jobs write models and checkpoints.
            code_object_arn: ARN of the code tarball.
        """
        super().__init__(scope, construct_id)
        reason = "A data set's key contains its hash, an artifact's the name of its job; neither is known beforehand."
        rights = [
            read_objects(datasets.objects_arn, artifacts.objects_arn, code_object_arn, reason=reason),
            list_buckets(datasets.bucket_arn, artifacts.bucket_arn),
            write_objects(artifacts.objects_arn, reason=reason),
            *container_rights(self, images=[image], log_group=_LOG_GROUP),
        ]
        self.role = service_role(
            self,
            name=name,
            service="sagemaker",
            description="Execution role of training jobs",
            inline={"training-job": rights},
        )
