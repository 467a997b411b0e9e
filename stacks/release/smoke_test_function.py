"""The Lambda that asks the endpoint real questions after a release."""

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
from stacks.common.statements import list_buckets, read_objects


class SmokeTestFunction(Construct):
    """Asks what the package answered for the gate, and wants the same answers.

    Attributes:
        function: the function.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        endpoint_name: str,
        evidence: S3Folder,
        packages_arn: str,
        sources: ProjectSources,
        layer: lambda_.ILayerVersion,
        logs: LogKeeping,
    ) -> None:
        """Create the function.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            prefix: first part of the function's name.
            endpoint_name: the endpoint it asks, the only one that it may.
            evidence: where the sentences and the packages' answers lie.
            packages_arn: pattern of the ARNs of the group's packages.
            sources: where the code lies.
            layer: third-party packages.
            logs: how long the log is kept.
        """
        super().__init__(scope, construct_id)
        smoke_test = PythonFunction(
            self,
            "Lambda",
            name=f"{prefix}-smoke-test",
            description="Asks the endpoint real questions after a release",
            handler="smoke_test.handler.handler",
            sources={name: sources.lambda_package(name) for name in ("smoke_test", "shared")},
            layers=[layer],
            environment={"ENDPOINT_NAME": endpoint_name, "POWERTOOLS_SERVICE_NAME": "smoke_test"},
            memory_mb=512,
            # It gives a cold endpoint two minutes, and then up to a minute for one last answer.
            timeout=Duration.minutes(5),
            logs=logs,
        )
        self.function = smoke_test.function
        stack = Stack.of(self)
        endpoint = f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}:endpoint/{endpoint_name}"
        for statement in (
            iam.PolicyStatement(actions=["sagemaker:InvokeEndpoint"], resources=[endpoint]),
            iam.PolicyStatement(actions=["sagemaker:DescribeModelPackage"], resources=[packages_arn]),
            read_objects(evidence.objects_arn),
            list_buckets(evidence.bucket_arn),
        ):
            smoke_test.role.add_to_policy(statement)
        accept_wildcard(smoke_test.role, packages_arn, "Any version of this group may be released.")
        accept_wildcard(smoke_test.role, evidence.objects_arn, "A key of the evidence contains hashes.")
