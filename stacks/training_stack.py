"""Training: from raw data to a model package. Start the workflow with ``{}``; the outputs hold a job's whole recipe."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks.components.dlc_image import INFERENCE, resolve_image
from stacks.components.ingest_function import IngestFunction
from stacks.components.lambda_layer import LambdaLayer
from stacks.components.log_keeping import LogKeeping
from stacks.components.model_registry import ModelRegistry
from stacks.components.model_role import ModelRole
from stacks.components.project_sources import ProjectSources
from stacks.components.s3_folder import S3Folder
from stacks.components.training_job import TrainingJob
from stacks.components.training_workflow import TrainingWorkflow
from stacks.config import Config
from stacks.storage_stack import StorageStack


class TrainingStack(Stack):
    """Everything that makes a model, and the role that a model is served under."""

    def __init__(
        self, scope: Construct, id_: str, *, config: Config, storage: StorageStack, sources: ProjectSources, **kw: Any
    ) -> None:
        """Create the training side of one environment."""
        super().__init__(scope, id_, **kw)
        prefix = config.prefix
        logs = LogKeeping(days=config.log_retention_days, removable=config.removable)
        uploads, datasets = S3Folder.exported(storage.data, "source"), S3Folder.exported(storage.data, "datasets")
        artifacts = S3Folder.exported(storage.artifacts, "training")
        image = resolve_image(INFERENCE, config.region)
        layer = LambdaLayer(self, "Packages", folder=sources.lambda_layer).layer

        ingest = IngestFunction(
            self, "Ingest", prefix=prefix, settings=config.data, uploads=uploads, datasets=datasets, sources=sources,
            layer=layer, logs=logs,
        )  # fmt: skip
        job = TrainingJob(
            self, "Job", prefix=prefix, settings=config.training, datasets=datasets, artifacts=artifacts,
            sources=sources,
        )  # fmt: skip
        registry = ModelRegistry(
            self, "Registry", name=config.model_package_group_name, removable=config.removable, sources=sources,
            logs=logs,
        )  # fmt: skip
        TrainingWorkflow(
            self, "Workflow", prefix=prefix, ingest=ingest.function, job=job, registry=registry, inference_image=image,
            git_revision=config.code_version, tags=config.tags, logs=logs,
        )  # fmt: skip
        model = ModelRole(
            self, "Model", name=config.model_role_name, endpoint_name=config.endpoint_name, artifacts=artifacts,
            image=image, logs=logs,
        )  # fmt: skip
        CfnOutput(self, "ModelRoleArn", value=model.role.role_arn)
        CfnOutput(self, "InferenceImage", value=image.uri)
