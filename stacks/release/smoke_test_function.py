"""The Lambda that asks the endpoint real questions after a release."""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.common.permissions import Right, grant, read_objects, tell_missing, use_packages
from stacks.common.python_function import FunctionSetup, PythonFunction
from stacks.common.s3_folder import S3Folder


def smoke_test_function(
    scope: Construct, *, setup: FunctionSetup, evidence: S3Folder, models: S3Folder
) -> lambda_.Function:
    """Create the function: it asks what the package answered for the gate, and hashes the package's archive before.

    `evidence` holds the sentences and the packages' answers, `models` the archives.
    """
    names = setup.names
    smoke_test = PythonFunction(
        scope,
        "Lambda",
        setup=setup,
        name="smoke-test",
        description="Asks the endpoint real questions after a release",
        packages=("smoke_test",),
        service="smoke_test",
        environment={"ENDPOINT_NAME": names.endpoint},
        memory_mb=512,
        # It gives a cold endpoint two minutes, and then up to a minute for one last answer.
        timeout=Duration.minutes(5),
    )
    answers, hashed = evidence.arn_of("*/sentences.jsonl.out"), "The keys contain hashes."
    grant(
        smoke_test.role,
        Right(["sagemaker:InvokeEndpoint"], [names.endpoint_arn]),
        use_packages(names.package_arns),
        read_objects(evidence.arn_of("*/sentences.jsonl"), answers, models.arn_of("*/model.tar.gz"), reason=hashed),
        Right(["s3:GetObjectVersion"], [answers], hashed),
        tell_missing(evidence.bucket_arn),
    )
    return smoke_test.function
