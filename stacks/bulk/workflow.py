"""The bulk workflow with its two roles: of the state machine, and of the jobs and the model that it starts."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.bulk.definition import bulk_definition
from stacks.common import permissions as may
from stacks.common.container_image import TRAINING, resolve_image
from stacks.common.names import bucket_arn
from stacks.common.project_stack import ProjectStack, add_outputs
from stacks.common.s3_folder import S3Folder
from stacks.common.state_machine import state_machine
from stacks.storage.stack import StorageStack
from stacks.training.workflow.parts import WorkflowParts

_WRITTEN = ("state/plan.json", "state/answers/*", "todo/*", "result/*")
_OF_RUNS = "A run's folder is named after its input, an archive after its digest or its job."


def add_bulk_workflow(
    scope: Construct, *, stack: ProjectStack, storage: StorageStack, parts: WorkflowParts, archives: Sequence[str]
) -> None:
    """Create the workflow in a `stack`; `archives`: patterns of what a model may be loaded from."""
    files, runs = (S3Folder.exported(bucket, "bulk") for bucket in (storage.data, storage.artifacts))
    jobs = _jobs_role(Construct(scope, "Jobs"), stack, parts, files, runs, archives)
    names, of_run = stack.names, f"{stack.names.bulk}-*"
    role = may.service_role(
        Construct(scope, "Role"),
        name=names.global_name(f"{names.bulk}-workflow"),
        service="states",
        description=f"Execution role of the state machine {names.bulk}",
    )
    may.grant(
        role,
        may.look_at_champion(names.serving_stack_arn),
        may.Right(["sagemaker:CreateModel"], [names.package_arns], "Any version may be the released one."),
        may.write_objects(runs.arn_of("*/state/request.json"), reason=_OF_RUNS),
        may.run_jobs("Processing", names.sagemaker_arn(f"processing-job/{of_run}")),
        may.run_jobs("Transform", names.sagemaker_arn(f"transform-job/{of_run}")),
        may.Right(
            ["sagemaker:CreateModel", "sagemaker:DeleteModel", "sagemaker:AddTags"],
            [names.sagemaker_arn(f"model/{of_run}")],
            "The model of a run has a part of the execution's digest in its name.",
        ),
        may.job_rules(scope, "Processing", "Transform"),
        may.pass_role(jobs.role_arn, "sagemaker"),
    )
    machine = state_machine(
        scope,
        name=names.bulk,
        comment="Scores files with the released model",
        definition=bulk_definition(parts, role_arn=jobs.role_arn, runs=runs),
        role=role,
        logs=stack.logs,
    )
    add_outputs(scope, {"BulkStateMachineArn": machine.state_machine_arn})


def _jobs_role(
    scope: Construct,
    stack: ProjectStack,
    parts: WorkflowParts,
    files: S3Folder,
    runs: S3Folder,
    archives: Sequence[str],
) -> iam.Role:
    code_bucket, _, code_key = parts.job.code_uri.removeprefix("s3://").partition("/")
    code, names = bucket_arn(scope, code_bucket), stack.names
    images = [resolve_image(TRAINING, stack.region), *parts.container.pullable]
    groups = [f"/aws/sagemaker/{kind}Jobs" for kind in ("Processing", "Transform")]
    rights = [
        may.read_objects(files.objects_arn, runs.objects_arn, *archives, f"{code}/{code_key}", reason=_OF_RUNS),
        may.list_below(files.bucket_arn, f"{files.prefix}/"),
        may.list_below(runs.bucket_arn, f"{runs.prefix}/"),
        # A job's input is a prefix, also where one object has it.
        may.Right(["s3:ListBucket"], [code], conditions={"StringEquals": {"s3:prefix": code_key}}),
        may.write_objects(*(runs.arn_of(f"*/{place}") for place in _WRITTEN), reason=_OF_RUNS),
        *may.container_rights(scope, images=images, log_groups=groups, key_arn=names.key_arn),
    ]
    return may.service_role(
        scope,
        name=names.global_name(names.bulk),
        service="sagemaker",
        description="Execution role of the jobs and the model of bulk scoring",
        inline={"bulk": rights},
    )
