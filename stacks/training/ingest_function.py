"""The Lambda that brings the data of one training run into the data bucket."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.common.acknowledgements import accept_wildcard
from stacks.common.log_keeping import LogKeeping
from stacks.common.project_sources import ProjectSources
from stacks.common.python_function import PythonFunction
from stacks.common.s3_folder import S3Folder
from stacks.common.statements import list_buckets, read_objects, write_objects
from stacks.config.environment import DataConfig


class IngestFunction(Construct):
    """Collects the raw data and writes it, named by its hash, where the training job's channels look.

    Attributes:
        function: the function.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        settings: DataConfig,
        uploads: S3Folder,
        datasets: S3Folder,
        sources: ProjectSources,
        layer: lambda_.ILayerVersion,
        logs: LogKeeping,
    ) -> None:
        """Create the function.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            prefix: first part of the function's name.
            settings: where the data comes from.
            uploads: raw files that somebody put there win over the configured source.
            datasets: where the collected data goes; in the same bucket.
            sources: where the code lies.
            layer: third-party packages.
            logs: how long the log is kept.
        """
        super().__init__(scope, construct_id)
        ingest = PythonFunction(
            self,
            "Lambda",
            name=f"{prefix}-ingest",
            description="Collects the training data into the data bucket",
            handler="ingest.handler.handler",
            sources={
                "ingest": sources.lambda_package("ingest"),
                "shared": sources.lambda_package("shared"),
                "data": sources.training_job / "data",
            },
            layers=[layer],
            environment={
                "DATA_BUCKET": datasets.bucket_name,
                "DATA_SOURCE_URL": settings.source_url,
                "ALLOW_BUNDLED_DATA": str(settings.allow_bundled).lower(),
                "POWERTOOLS_SERVICE_NAME": "ingest",
            },
            memory_mb=1024,
            storage_mb=2048,
            timeout=Duration.minutes(10),
            logs=logs,
        )
        self.function = ingest.function
        ingest.role.add_to_policy(read_objects(uploads.objects_arn, datasets.objects_arn))
        ingest.role.add_to_policy(write_objects(datasets.objects_arn))
        ingest.role.add_to_policy(list_buckets(datasets.bucket_arn))
        # A file of another name than before would leave two in a folder that a training job reads.
        latest = f"{datasets.bucket_arn}/{datasets.prefix}/latest/*"
        ingest.role.add_to_policy(iam.PolicyStatement(actions=["s3:DeleteObject"], resources=[latest]))
        accept_wildcard(ingest.role, latest, "The latest files have whatever name their source gave them.")
        accept_wildcard(ingest.role, uploads.objects_arn, "Uploaded files have whatever name they were given.")
        accept_wildcard(ingest.role, datasets.objects_arn, "A data set's key contains its hash.")
        if settings.source_url.startswith("s3://"):
            self._read_foreign_bucket(ingest, settings.source_url)

    def _read_foreign_bucket(self, ingest: PythonFunction, url: str) -> None:
        bucket, _, folder = url.removeprefix("s3://").partition("/")
        bucket_arn = f"arn:{Stack.of(self).partition}:s3:::{bucket}"
        objects = f"{bucket_arn}/{folder.rstrip('/')}/*" if folder.strip("/") else f"{bucket_arn}/*"
        ingest.role.add_to_policy(read_objects(objects))
        ingest.role.add_to_policy(list_buckets(bucket_arn))
        accept_wildcard(ingest.role, objects, "The data source that the configuration names is a folder of objects.")
