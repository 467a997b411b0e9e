"""The Lambda that brings the data into the bucket."""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.common.names import bucket_arn
from stacks.common.permissions import Right, grant, list_below, read_objects, write_objects
from stacks.common.python_function import FunctionSetup, PythonFunction
from stacks.common.s3_folder import S3Folder
from stacks.config.environment import DataConfig


def ingest_function(
    scope: Construct, *, setup: FunctionSetup, settings: DataConfig, uploads: S3Folder, datasets: S3Folder
) -> lambda_.Function:
    """Create the function: it writes the raw data, named by its hash, where the training job's channels look.

    `uploads`: raw files that a person uploaded; they win over the configured source. `datasets`: where the collected
    data goes; in the same bucket.
    """
    training_job = setup.sources.training_job
    # The names of data files, and what a manifest says of their reading, as the training job takes them.
    shared = ("classifier/errors.py", "classifier/data", "classifier/job", "tables")
    ingest = PythonFunction(
        scope,
        "Lambda",
        setup=setup,
        name="ingest",
        description="Collects the training data into the data bucket",
        packages=("ingest",),
        sources={"data": training_job / "data", **{name: training_job / name for name in shared}},
        service="ingest",
        environment={
            "DATA_BUCKET": datasets.bucket_name,
            "DATA_SOURCE_URL": settings.source_url,
            "ALLOW_BUNDLED_DATA": str(settings.allow_bundled).lower(),
            "ALLOW_INTERNAL_SOURCES": str(settings.allow_internal).lower(),
        },
        memory_mb=1024,
        storage_mb=2048,
        timeout=Duration.minutes(10),
    )
    named_by_hash = "A data set's key contains its hash; uploaded files keep the names they were given."
    grant(
        ingest.role,
        read_objects(uploads.objects_arn, datasets.objects_arn, reason=named_by_hash),
        write_objects(datasets.objects_arn, reason=named_by_hash),
        list_below(datasets.bucket_arn, f"{uploads.prefix}/", f"{datasets.prefix}/"),
        # A file with a new name must not stay beside the old one in a folder that a training job reads.
        Right(["s3:DeleteObject"], [datasets.arn_of("latest/*")], named_by_hash),
    )
    if settings.source_url.startswith("s3://"):
        bucket, _, place = settings.source_url.removeprefix("s3://").partition("/")
        foreign = bucket_arn(scope, bucket)
        key = f"{foreign}/{place.strip('/')}".rstrip("/")
        objects = [f"{key}/*", *([key] if place.strip("/") else [])]  # a folder, or a single object
        grant(
            ingest.role,
            read_objects(*objects, reason="The configured data source is a folder of objects, or one object."),
            list_below(foreign, f"{place.strip('/')}/" if place.strip("/") else ""),
        )
    return ingest.function
