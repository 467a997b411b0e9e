"""A Python Lambda with its own role and log group, and the layer of third-party packages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy, Size, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.common.log_keeping import LogKeeping
from stacks.common.names import Names
from stacks.common.permissions import service_role
from stacks.common.project_sources import ProjectSources, staging_folder
from stacks.common.source_code import source_files, stage_folder

# The newest runtime that both AWS and the local cloud know. The code and its layer are plain Python, so they run on
# either architecture; the containers around them are x86_64.
RUNTIME = lambda_.Runtime.PYTHON_3_14
ARCHITECTURE = lambda_.Architecture.X86_64


@dataclass(frozen=True, kw_only=True)
class FunctionSetup:
    """What the functions of one stack have in common.

    `layer`: third-party packages, Powertools among them; None in a stack that needs none.
    """

    names: Names
    sources: ProjectSources
    logs: LogKeeping
    layer: lambda_.ILayerVersion | None


@cache
def _staged_packages(sources: ProjectSources, folder: Path) -> Path:
    """Lay out the assembled packages in `folder`, once for all stacks; raise MissingAssetError."""
    packages = source_files(sources.assembled("lambda-layer") / "python")
    # pip's notes name the machine, through the scripts that it made, which would change the hash.
    left_out = ("RECORD", "INSTALLER", "REQUESTED")
    files = {name: path for name, path in packages if not name.startswith("bin/") and path.name not in left_out}
    return stage_folder(folder, {f"python/{name}": path for name, path in files.items()})


def packages_layer(stack: Stack, sources: ProjectSources) -> lambda_.LayerVersion:
    """Create the layer of the pinned packages. Its hash is that of its content, whoever assembled it.

    Raises MissingAssetError: it could not be assembled.
    """
    folder = sources.lambda_package("shared")
    if stack.bundling_required:  # not for a command without this stack's assets, such as `cdk bootstrap`
        folder = _staged_packages(sources, staging_folder(stack, "lambda-layer"))
    return lambda_.LayerVersion(
        Construct(stack, "Packages"),
        "Layer",
        description="Third-party packages of the Lambdas, pinned in lambda/requirements.txt",
        code=lambda_.Code.from_asset(str(folder)),
        compatible_runtimes=[RUNTIME],
        removal_policy=RemovalPolicy.DESTROY,
    )


class PythonFunction(Construct):
    """One Lambda. Its role may write its own log and whatever it is granted, nothing else."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        setup: FunctionSetup,
        name: str,
        description: str,
        packages: Sequence[str],
        timeout: Duration,
        memory_mb: int,
        handler: str | None = None,
        sources: Mapping[str, Path] | None = None,
        storage_mb: int = 512,
        service: str | None = None,
        environment: Mapping[str, str] | None = None,
        tracing: bool = False,
        reserved_concurrency: int | None = None,
    ) -> None:
        """Create the function; `name` is the last part of its name, its role's and its log group's.

        `packages`: folders of `lambda/` that it needs; the first one's `handler.handler` is called, unless `handler` is
        given. `sources`: relative path in the deployed code → file or folder of the project beside them. `service`: its
        name in logs and metrics; None for a function without third-party packages.
        """
        super().__init__(scope, construct_id)
        full_name = f"{setup.names.prefix}-{name}"
        log_group = setup.logs.group(self, "Log", name=f"/aws/lambda/{full_name}")
        # Not the managed AWSLambdaBasicExecutionRole, which may write every log group of the account.
        self.role = service_role(
            self,
            name=setup.names.global_name(full_name),
            service="lambda",
            description=f"Execution role of the Lambda function {full_name}",
        )
        log_group.grant_write(self.role)
        code = {name: setup.sources.lambda_package(name) for name in (*packages, "shared")} | dict(sources or {})
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=full_name,
            description=description,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            handler=handler or f"{packages[0]}.handler.handler",
            code=lambda_.Code.from_asset(str(stage_folder(staging_folder(self, full_name), code))),
            layers=[setup.layer] if service and setup.layer else [],
            environment={**(environment or {}), **({"POWERTOOLS_SERVICE_NAME": service} if service else {})},
            memory_size=memory_mb,
            ephemeral_storage_size=Size.mebibytes(storage_mb),
            timeout=timeout,
            reserved_concurrent_executions=reserved_concurrency,
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE if tracing else lambda_.Tracing.DISABLED,
            role=self.role,
        )
