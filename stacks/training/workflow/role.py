"""What the training workflow may do: start jobs of its own names, and enter models into one group."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.names import Names
from stacks.common.permissions import (
    Right,
    grant,
    job_rules,
    look_at_champion,
    pass_role,
    read_objects,
    run_jobs,
    service_role,
)
from stacks.common.s3_folder import S3Folder
from stacks.training.workflow.parts import WorkflowParts

_RANDOM = "Each name has a random part."


def training_workflow_role(scope: Construct, *, names: Names, parts: WorkflowParts, models: S3Folder) -> iam.Role:
    """Create the execution role of the training workflow; `models` is where kept archives lie."""
    role = service_role(
        scope,
        name=names.global_name(f"{names.training}-workflow"),
        service="states",
        description=f"Execution role of the state machine {names.training}",
    )
    functions = (
        parts.launch_function_arn,
        parts.ingest_function_arn,
        parts.keep_function_arn,
        parts.plan_function_arn,
        parts.judge_function_arn,
    )
    tuning = names.sagemaker_arn(f"hyper-parameter-tuning-job/{names.tuning}-????????")
    grant(
        role,
        Right(["lambda:InvokeFunction"], functions),
        Right(["sns:Publish"], [parts.topic_arn]),
        # Date, time and six random digits, as the launch function writes them. A * would fit the environment `dev-two`,
        # too, for `dev`.
        run_jobs("Training", names.sagemaker_arn(f"training-job/{names.prefix}-????????-??????-??????")),
        run_jobs("HyperParameterTuning", tuning),
        Right(["sagemaker:ListTrainingJobsForHyperParameterTuningJob"], [tuning], _RANDOM),
        # SageMaker appends a number and eight digits to the tuning job's name.
        Right(
            ["sagemaker:DescribeTrainingJob"],
            [names.sagemaker_arn(f"training-job/{names.tuning}-????????-???-????????")],
            _RANDOM,
        ),
        run_jobs("Transform", names.sagemaker_arn(f"transform-job/{names.prefix}-evidence-*")),
        Right(
            ["sagemaker:CreateModel", "sagemaker:DeleteModel", "sagemaker:AddTags"],
            [names.sagemaker_arn(f"model/{names.prefix}-evidence-*")],
            "Each model that gives evidence has a random part in its name.",
        ),
        job_rules(scope, "Training", "Transform", "Tuning"),
        pass_role(parts.job.role_arn, "sagemaker"),
        pass_role(parts.evidence_role_arn, "sagemaker"),
        *_register(names, parts, models, Stack.of(scope).partition),
        look_at_champion(names.serving_stack_arn),
    )
    return role


def _register(names: Names, parts: WorkflowParts, models: S3Folder, partition: str) -> tuple[Right, ...]:
    by_version = "The registry chooses a package's version number."
    return (
        Right(["sagemaker:CreateModelPackage"], [names.package_group_arn, names.package_arns], by_version),
        Right(["sagemaker:UpdateModelPackage"], [names.package_arns], by_version),
        # SageMaker inspects image and artifact with the caller's rights when a package is created.
        Right(["ecr:BatchGetImage", "ecr:DescribeImages"], [parts.container.image.repository_arn(partition)]),
        read_objects(models.arn_of("*/model.tar.gz"), reason="A kept archive is named by the digest of its bytes."),
    )
