"""Training: data, jobs, the gate, the registry and the workflow over them; and bulk scoring, which shares its parts."""

from constructs import Construct

from stacks.bulk.workflow import add_bulk_workflow
from stacks.common.project_sources import ProjectSources
from stacks.common.project_stack import ProjectStack, add_outputs
from stacks.common.s3_folder import S3Folder
from stacks.common.state_machine import state_machine
from stacks.config.environment import Config
from stacks.serving.container import serving_container
from stacks.serving.model_role import model_role
from stacks.storage.stack import StorageStack
from stacks.training.gate.evidence_role import evidence_role
from stacks.training.gate.functions import GateFunctions
from stacks.training.gate.model_registry import add_model_registry
from stacks.training.ingest_function import ingest_function
from stacks.training.job.console_recipe import add_console_recipe
from stacks.training.job.training_job import training_job
from stacks.training.launch_function import launch_function
from stacks.training.notifications import notification_topic
from stacks.training.workflow.definition import training_definition
from stacks.training.workflow.parts import WorkflowParts
from stacks.training.workflow.role import training_workflow_role


class TrainingStack(ProjectStack):
    """Everything that makes and judges a model, and the role that a model is served under."""

    def __init__(
        self, scope: Construct, *, config: Config, storage: StorageStack, sources: ProjectSources, slim_tag: str | None
    ) -> None:
        """Create the training side; `slim_tag` names the slim image of its packages, None the official one."""
        super().__init__(scope, "training", config=config)
        names, setup = self.names, self.function_setup(sources)
        uploads, datasets = S3Folder.exported(storage.data, "source"), S3Folder.exported(storage.data, "datasets")
        artifacts = S3Folder.exported(storage.artifacts, "training")
        evidence = S3Folder.exported(storage.artifacts, "evidence")
        models = S3Folder.exported(storage.artifacts, "models")
        container = serving_container(self, names=names, region=config.region, slim_tag=slim_tag)

        launch = launch_function(
            Construct(self, "Launch"), setup=setup, training=config.training, gate=config.gate, artifacts=artifacts
        )
        ingest = ingest_function(
            Construct(self, "Ingest"), setup=setup, settings=config.data, uploads=uploads, datasets=datasets
        )
        job = training_job(Construct(self, "Job"), setup=setup, config=config, datasets=datasets, artifacts=artifacts)
        add_console_recipe(Construct(self, "Recipe"), names=names, recipe=job, datasets=datasets)
        add_model_registry(Construct(self, "Registry"), setup=setup, removable=config.removable)
        gate = GateFunctions(self, "Gate", setup=setup, artifacts=artifacts, evidence=evidence, models=models)
        archives = (models.arn_of("*/model.tar.gz"), artifacts.arn_of("*/output/model.tar.gz"))
        answering = evidence_role(
            Construct(self, "Evidence"), names=names, archives=archives, evidence=evidence, images=container.pullable
        )
        topic = notification_topic(Construct(self, "Notifications"), names=names, settings=config.notifications)
        parts = WorkflowParts(
            partition=self.partition,
            name=names.prefix,
            launch_function_arn=launch.function_arn,
            ingest_function_arn=ingest.function_arn,
            keep_function_arn=gate.keep.function_arn,
            plan_function_arn=gate.plan.function_arn,
            judge_function_arn=gate.judge.function_arn,
            job=job,
            git_revision=config.code_version,
            container=container,
            evidence_role_arn=answering.role_arn,
            evidence_instance_type=config.evidence_instance_type,
            package_group=names.package_group,
            topic_arn=topic.topic_arn,
            serving_stack=names.serving_stack,
            poll_seconds=config.release.poll_seconds,
        )
        workflow = Construct(self, "Workflow")
        machine = state_machine(
            workflow,
            name=names.training,
            comment="Trains a text classifier, judges it, and enters it into the model registry",
            definition=training_definition(parts),
            role=training_workflow_role(Construct(workflow, "Role"), names=names, parts=parts, models=models),
            logs=self.logs,
        )
        add_bulk_workflow(Construct(self, "Bulk"), stack=self, storage=storage, parts=parts, archives=archives)
        model = model_role(
            Construct(self, "Model"),
            names=names,
            archives=archives,
            images=container.pullable,
            logs=self.logs,
            guarded=config.serving.kind == "instances",
        )
        outputs = {"ModelRoleArn": model.role_arn, "InferenceImage": container.image.uri}
        add_outputs(self, {**outputs, "StateMachineArn": machine.state_machine_arn})
