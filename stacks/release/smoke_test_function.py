"""The Lambda that asks the endpoint real questions after a release."""

from aws_cdk import Duration
from constructs import Construct

from stacks.common.permissions import Right, grant, list_buckets, read_objects, use_packages
from stacks.common.python_function import FunctionSetup, PythonFunction
from stacks.common.s3_folder import S3Folder


class SmokeTestFunction(Construct):
    """Asks what the package answered for the gate, and expects the same answers; hashes its archive before."""

    def __init__(
        self, scope: Construct, construct_id: str, *, setup: FunctionSetup, evidence: S3Folder, models: S3Folder
    ) -> None:
        """Create the function; `evidence` holds the sentences and the packages' answers, `models` the archives."""
        super().__init__(scope, construct_id)
        names, sources = setup.names, setup.sources
        smoke_test = PythonFunction(
            self,
            "Lambda",
            setup=setup,
            name="smoke-test",
            description="Asks the endpoint real questions after a release",
            handler="smoke_test.handler.handler",
            sources={"smoke_test": sources.lambda_package("smoke_test")},
            service="smoke_test",
            environment={"ENDPOINT_NAME": names.endpoint},
            memory_mb=512,
            # It gives a cold endpoint two minutes, and then up to a minute for one last answer.
            timeout=Duration.minutes(5),
        )
        self.function = smoke_test.function
        grant(
            smoke_test.role,
            Right(["sagemaker:InvokeEndpoint"], [names.endpoint_arn]),
            use_packages(names.package_arns),
            read_objects(evidence.objects_arn, models.objects_arn, reason="The keys contain hashes."),
            Right(["s3:GetObjectVersion"], [evidence.objects_arn], "The keys contain hashes."),
            list_buckets(evidence.bucket_arn),
        )
