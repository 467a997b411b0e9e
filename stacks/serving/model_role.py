"""The role a served model runs under."""

from __future__ import annotations

from collections.abc import Iterable

from constructs import Construct

from stacks.common.container_image import ContainerImage
from stacks.common.log_keeping import LogKeeping
from stacks.common.names import Names
from stacks.common.permissions import container_rights, list_buckets, read_objects, service_role
from stacks.common.s3_folder import S3Folder


class ModelRole(Construct):
    """Pulls a serving image, reads model artifacts, writes the endpoint's log.

    The role and its policy are one resource: a model created between the two could not pull its image. The endpoint's
    log group is created here too: the serving stack holds nothing but the endpoint, and a group that SageMaker creates
    by itself keeps its logs for ever.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        artifacts: S3Folder,
        images: Iterable[ContainerImage],
        logs: LogKeeping,
    ) -> None:
        """Create the role and the endpoint's log group.

        Args:
            artifacts: where the models lie.
        """
        super().__init__(scope, construct_id)
        log_group = f"/aws/sagemaker/Endpoints/{names.endpoint}"
        logs.group(self, "Log", name=log_group)
        rights = [
            read_objects(artifacts.objects_arn, reason="A model's key contains the name of the job that made it."),
            list_buckets(artifacts.bucket_arn),
            *container_rights(self, images=images, log_group=log_group),
        ]
        self.role = service_role(
            self,
            name=names.model_role,
            service="sagemaker",
            description="Execution role of the served model",
            inline={"model": rights},
        )
