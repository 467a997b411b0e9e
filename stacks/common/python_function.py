"""A Python Lambda with a role, a log group and a layer of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.common.log_keeping import LogKeeping
from stacks.common.project_sources import staging_folder
from stacks.common.source_code import stage_folder

# The newest runtime that both AWS and the local cloud know. x86_64 like the containers around it; the code and its
# layer are plain Python, so nothing hangs on either choice.
RUNTIME = lambda_.Runtime.PYTHON_3_14
ARCHITECTURE = lambda_.Architecture.X86_64


class PythonFunction(Construct):
    """One Lambda. Its role may write its own log and whatever the caller grants it, nothing else.

    Attributes:
        function: the function.
        role: its role.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        handler: str,
        sources: Mapping[str, Path],
        layers: list[lambda_.ILayerVersion],
        environment: Mapping[str, str],
        memory_mb: int,
        timeout: Duration,
        logs: LogKeeping,
        storage_mb: int = 512,
        tracing: bool = False,
    ) -> None:
        """Create the function.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            name: name of the function, of its role and of its log group.
            description: what it does, shown in the console.
            handler: ``package.module.function``.
            sources: relative path in the deployed code → file or folder of the project.
            layers: layers with third-party packages.
            environment: environment variables.
            memory_mb: memory; CPU grows with it.
            timeout: the function is stopped after this.
            logs: how long its log is kept.
            storage_mb: size of ``/tmp``.
            tracing: whether it sends traces to X-Ray.
        """
        super().__init__(scope, construct_id)
        log_group = logs.group(self, "Log", name=f"/aws/lambda/{name}")
        # A role of our own: the managed AWSLambdaBasicExecutionRole may write every log group of the account.
        self.role = iam.Role(
            self,
            "Role",
            role_name=name,
            description=f"Execution role of the Lambda function {name}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=description,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            handler=handler,
            code=lambda_.Code.from_asset(str(stage_folder(staging_folder(self, name), sources))),
            layers=layers,
            environment=dict(environment),
            memory_size=memory_mb,
            ephemeral_storage_size=Size.mebibytes(storage_mb),
            timeout=timeout,
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE if tracing else lambda_.Tracing.DISABLED,
            role=self.role,
        )
