"""The state machine that trains and judges a model: start it with ``{}`` from the console, a schedule or a terminal."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.log_keeping import LogKeeping
from stacks.common.outputs import add_outputs
from stacks.common.s3_folder import S3Folder
from stacks.serving.container import ServingContainer
from stacks.training.gate.evidence_role import EvidenceRole
from stacks.training.gate.functions import GateFunctions
from stacks.training.gate.model_registry import ModelRegistry
from stacks.training.job.training_job import TrainingJob
from stacks.training.workflow.definition import WorkflowParts, training_definition
from stacks.training.workflow.role import TrainingWorkflowRole


class TrainingWorkflow(Construct):
    """Data → training job → evidence → verdict → model package, with the reason of a failure in the execution.

    Attributes:
        state_machine: the state machine.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        launch: lambda_.IFunction,
        ingest: lambda_.IFunction,
        gate: GateFunctions,
        job: TrainingJob,
        evidence: EvidenceRole,
        evidence_instance_type: str,
        container: ServingContainer,
        registry: ModelRegistry,
        topic: sns.ITopic,
        artifacts: S3Folder,
        serving_stack: str,
        poll_seconds: int,
        git_revision: str,
        logs: LogKeeping,
    ) -> None:
        """Create the state machine.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            prefix: first part of the names of the state machine, its jobs and its evidence models.
            launch: checks an execution's input and names the job.
            ingest: collects the data.
            gate: plans the evidence and judges it.
            job: what a training job is made of.
            evidence: role under which a packaged model answers the test sentences.
            evidence_instance_type: instance on which it does.
            container: what the model packages are served in.
            registry: group that models are entered into.
            topic: is told of each verdict.
            artifacts: where the models lie.
            serving_stack: name of the stack whose parameter says which package is the champion.
            poll_seconds: pause between two looks at that stack.
            git_revision: recorded with each model; may be empty.
            logs: how long the log is kept.
        """
        super().__init__(scope, construct_id)
        name = f"{prefix}-training"
        parts = WorkflowParts(
            partition=Stack.of(self).partition,
            name=prefix,
            launch_function_arn=launch.function_arn,
            ingest_function_arn=ingest.function_arn,
            plan_function_arn=gate.plan.function_arn,
            judge_function_arn=gate.judge.function_arn,
            job=job.recipe,
            code_version=job.code.version,
            git_revision=git_revision,
            inference_image=container.image.uri,
            serving_environment=container.environment,
            evidence_role_arn=evidence.role.role_arn,
            evidence_instance_type=evidence_instance_type,
            model_package_group=registry.name,
            topic_arn=topic.topic_arn,
            serving_stack=serving_stack,
            poll_seconds=poll_seconds,
        )
        role = TrainingWorkflowRole(
            self,
            "Role",
            prefix=prefix,
            functions=(launch, ingest, gate.plan, gate.judge),
            passed_roles=(job.role, evidence.role),
            topic=topic,
            registry=registry,
            artifacts=artifacts,
            images=[container.image],
            serving_stack=serving_stack,
        ).role
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            comment="Trains a text classifier, judges it, and enters it into the model registry",
            definition_body=sfn.DefinitionBody.from_string(Stack.of(self).to_json_string(training_definition(parts))),
            role=role,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                # Log groups of Step Functions need this prefix, else the resource policy for them outgrows its limit.
                destination=logs.group(self, "Log", name=f"/aws/vendedlogs/states/{name}"),
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )
        add_outputs(self, {"StateMachineArn": self.state_machine.state_machine_arn})
