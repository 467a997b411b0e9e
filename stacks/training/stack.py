"""Training: from raw data to a judged model package. Start the workflow with ``{}``, or a job from its recipe."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks.common.lambda_layer import LambdaLayer
from stacks.common.log_keeping import LogKeeping
from stacks.common.project_sources import ProjectSources
from stacks.common.s3_folder import S3Folder
from stacks.config.environment import Config
from stacks.serving.container import serving_container
from stacks.serving.model_role import ModelRole
from stacks.storage.stack import StorageStack
from stacks.training.gate.evidence_role import EvidenceRole
from stacks.training.gate.functions import GateFunctions
from stacks.training.gate.model_registry import ModelRegistry
from stacks.training.ingest_function import IngestFunction
from stacks.training.job.console_recipe import ConsoleRecipe
from stacks.training.job.training_job import TrainingJob
from stacks.training.launch_function import LaunchFunction
from stacks.training.notifications import Notifications
from stacks.training.workflow.state_machine import TrainingWorkflow


class TrainingStack(Stack):
    """Everything that makes and judges a model, and the role that a model is served under.

    Attributes:
        topic: tells of verdicts, and of what becomes of them.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Config,
        storage: StorageStack,
        sources: ProjectSources,
        slim_tag: str | None,
        **kw: Any,
    ) -> None:
        """Create the training side of one environment.

        `slim_tag`: tag of the slim image that its packages are served in; None for the official image.
        """
        super().__init__(scope, id_, **kw)
        prefix = config.prefix
        logs = LogKeeping(days=config.log_retention_days, removable=config.removable)
        uploads, datasets = S3Folder.exported(storage.data, "source"), S3Folder.exported(storage.data, "datasets")
        artifacts = S3Folder.exported(storage.artifacts, "training")
        answers = S3Folder.exported(storage.artifacts, "evidence")
        container = serving_container(self, config=config, slim_tag=slim_tag)
        layer = LambdaLayer(self, "Packages", folder=sources.lambda_layer).layer
        code: dict[str, Any] = {"prefix": prefix, "sources": sources, "layer": layer, "logs": logs}

        launch = LaunchFunction(self, "Launch", training=config.training, gate=config.gate, artifacts=artifacts, **code)
        ingest = IngestFunction(self, "Ingest", settings=config.data, uploads=uploads, datasets=datasets, **code)
        job = TrainingJob(
            self,
            "Job",
            prefix=prefix,
            settings=config.training,
            datasets=datasets,
            artifacts=artifacts,
            sources=sources,
            tags=config.tags,
        )
        ConsoleRecipe(self, "Recipe", prefix=prefix, recipe=job.recipe, datasets=datasets)
        registry = ModelRegistry(
            self,
            "Registry",
            name=config.model_package_group_name,
            removable=config.removable,
            sources=sources,
            logs=logs,
        )
        gate = GateFunctions(
            self,
            "Gate",
            serving_stack=config.serving_stack_name,
            registry=registry,
            artifacts=artifacts,
            evidence=answers,
            **code,
        )
        evidence = EvidenceRole(
            self,
            "Evidence",
            name=f"{prefix}-evidence",
            artifacts=artifacts,
            evidence=answers,
            images=container.pullable,
        )
        self.topic = Notifications(self, "Notifications", prefix=prefix, settings=config.notifications).topic
        TrainingWorkflow(
            self,
            "Workflow",
            prefix=prefix,
            launch=launch.function,
            ingest=ingest.function,
            job=job,
            gate=gate,
            evidence=evidence,
            evidence_instance_type=config.evidence_instance_type,
            container=container,
            registry=registry,
            topic=self.topic,
            artifacts=artifacts,
            serving_stack=config.serving_stack_name,
            poll_seconds=config.release.poll_seconds,
            git_revision=config.code_version,
            logs=logs,
        )
        model = ModelRole(
            self,
            "Model",
            name=config.model_role_name,
            endpoint_name=config.endpoint_name,
            artifacts=artifacts,
            images=container.pullable,
            logs=logs,
        )
        CfnOutput(self, "ModelRoleArn", value=model.role.role_arn)
        CfnOutput(self, "InferenceImage", value=container.image.uri)
