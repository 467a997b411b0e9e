"""The role under which a packaged model answers the test sentences."""

from collections.abc import Iterable, Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.container_image import ContainerImage
from stacks.common.names import Names
from stacks.common.permissions import container_rights, list_below, read_objects, service_role, write_objects
from stacks.common.s3_folder import S3Folder

_LOG_GROUP = "/aws/sagemaker/TransformJobs"


def evidence_role(
    scope: Construct, *, names: Names, archives: Sequence[str], evidence: S3Folder, images: Iterable[ContainerImage]
) -> iam.Role:
    """Create a role with the rights of the served model that also reads test sentences and writes answers.

    `archives`: patterns of what it may load; not a job's other archive, which holds the labels.
    """
    rights = [
        read_objects(
            *archives,
            evidence.arn_of("*/sentences.jsonl"),
            reason="A model's key contains its digest or its job's name, that of evidence the sentences' hash.",
        ),
        write_objects(evidence.arn_of("*/sentences.jsonl.out"), reason="Evidence is named by its sentences' hash."),
        list_below(evidence.bucket_arn, f"{evidence.prefix}/"),
        *container_rights(scope, images=images, log_groups=[_LOG_GROUP], key_arn=names.key_arn),
    ]
    return service_role(
        scope,
        name=names.global_name(f"{names.prefix}-evidence"),
        service="sagemaker",
        description="Execution role of the models that answer the test sentences",
        inline={"evidence": rights},
    )
