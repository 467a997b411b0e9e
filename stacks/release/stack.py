"""Release: from an approval in the registry to the endpoint, and back where the endpoint answers wrongly."""

from __future__ import annotations

from typing import Any

from aws_cdk import Stack
from constructs import Construct

from stacks.common.lambda_layer import LambdaLayer
from stacks.common.log_keeping import LogKeeping
from stacks.common.project_sources import ProjectSources
from stacks.common.s3_folder import S3Folder
from stacks.config.environment import Config
from stacks.release.approval_rule import ReleaseRule
from stacks.release.endpoint_role import ReleaseRole
from stacks.release.parts import ReleaseParts
from stacks.release.smoke_test_function import SmokeTestFunction
from stacks.release.state_machine import ReleaseWorkflow
from stacks.release.workflow_role import ReleaseWorkflowRole
from stacks.storage.stack import StorageStack


class ReleaseStack(Stack):
    """What changes the champion. It knows endpoint, serving stack, registry and topic by their names only."""

    def __init__(
        self, scope: Construct, id_: str, *, config: Config, storage: StorageStack, sources: ProjectSources, **kw: Any
    ) -> None:
        """Create the release side of one environment."""
        super().__init__(scope, id_, **kw)
        name, group = f"{config.prefix}-release", config.model_package_group_name
        logs = LogKeeping(days=config.log_retention_days, removable=config.removable)
        packages = f"arn:{self.partition}:sagemaker:{self.region}:{self.account}:model-package/{group}/"
        topic = f"arn:{self.partition}:sns:{self.region}:{self.account}:{config.prefix}-notifications"

        smoke_test = SmokeTestFunction(
            self,
            "SmokeTest",
            prefix=config.prefix,
            endpoint_name=config.endpoint_name,
            packages_arn=f"{packages}*",
            evidence=S3Folder.exported(storage.artifacts, "evidence"),
            sources=sources,
            layer=LambdaLayer(self, "Packages", folder=sources.lambda_layer).layer,
            logs=logs,
        ).function
        release_role = ReleaseRole(
            self,
            "Endpoint",
            name=name,
            serving_stack=config.serving_stack_name,
            endpoint_name=config.endpoint_name,
            model_role_arn=f"arn:{self.partition}:iam::{self.account}:role/{config.model_role_name}",
            packages_arn=f"{packages}*",
            serving=config.serving,
        ).role
        role = ReleaseWorkflowRole(
            self,
            "WorkflowRole",
            machine=name,
            serving_stack=config.serving_stack_name,
            topic_arn=topic,
            release_role_arn=release_role.role_arn,
            packages_arn=f"{packages}*",
            smoke_test_function_arn=smoke_test.function_arn,
        ).role
        parts = ReleaseParts(
            partition=self.partition,
            name=config.prefix,
            packages_arn_prefix=packages,
            topic_arn=topic,
            serving_stack=config.serving_stack_name,
            release_role_arn=release_role.role_arn,
            smoke_test_function_arn=smoke_test.function_arn,
            poll_seconds=config.release.poll_seconds,
        )
        workflow = ReleaseWorkflow(self, "Workflow", name=name, parts=parts, role=role, logs=logs)
        ReleaseRule(self, "Rule", name=name, group=group, state_machine=workflow.state_machine)
