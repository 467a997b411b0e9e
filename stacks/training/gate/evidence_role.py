"""The role under which a packaged model answers the test sentences."""

from __future__ import annotations

from collections.abc import Iterable

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

_LOG_GROUP = "/aws/sagemaker/TransformJobs"


class EvidenceRole(Construct):
    """What the served model may, and besides read test sentences and write answers.

    Attributes:
        role: the role.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        artifacts: S3Folder,
        evidence: S3Folder,
        images: Iterable[ContainerImage],
    ) -> None:
        """Create the role.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            name: name of the role.
            artifacts: where the models lie.
            evidence: where test sentences are read and answers written.
            images: the serving images.
        """
        super().__init__(scope, construct_id)
        # Not the job's other archive: it holds the labels.
        models = f"{artifacts.bucket_arn}/{artifacts.prefix}/*/output/model.tar.gz"
        sentences = f"{evidence.bucket_arn}/{evidence.prefix}/*/sentences.jsonl"
        self.role = iam.Role(
            self,
            "Role",
            role_name=name,
            description="Execution role of the models that answer the test sentences",
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            inline_policies={
                "evidence": iam.PolicyDocument(
                    statements=[
                        read_objects(models, sentences),
                        write_objects(evidence.objects_arn),
                        list_buckets(artifacts.bucket_arn),
                        *container_statements(self, images=images, log_group=_LOG_GROUP),
                    ]
                )
            },
        )
        accept_wildcard(self.role, models, "A model's key contains the name of the job that made it.")
        accept_wildcard(self.role, sentences, "Evidence is named by the hash of the test sentences.")
        accept_wildcard(self.role, evidence.objects_arn, "Evidence is named by the hash of the test sentences.")
        accept_container_wildcards(self.role, log_group=_LOG_GROUP)
